// SPDX-License-Identifier: Apache-2.0
#include "turboci/json_text.hpp"

#include "domain/ordered_json.hpp"

#include "support/catch.hpp"

using namespace turboci;

// The example table of RFC 7396, appendix A, as far as objects go.
TEST_CASE("A merge patch adds, replaces and removes") {
    struct Row {
        const char *target, *patch, *result;
    };
    for (const Row& row : {Row{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                           Row{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                           Row{R"({"a":"b"})", R"({"a":null})", "{}"},
                           Row{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                           Row{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                           Row{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                           Row{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                           Row{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                           Row{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                           Row{"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}}) {
        CAPTURE(row.target, row.patch);
        CHECK(merge_patch({row.target}, {row.patch}).text == row.result);
    }
}

TEST_CASE("Objects are the same whatever the order of their keys") {
    CHECK(same_json({R"({"a":1,"b":{"c":2,"d":3}})"}, {R"({"b":{"d":3,"c":2},"a":1})"}));
    CHECK_FALSE(same_json({R"({"a":[1,2]})"}, {R"({"a":[2,1]})"}));
    CHECK(JsonText{}.empty());
}

TEST_CASE("Strings become JSON literals whatever they hold") {
    CHECK(json_string("plain") == "\"plain\"");
    CHECK(json_string("q\"b\\n\n") == R"("q\"b\\n\n")");
    CHECK(json_string("\x01\x1f") == R"("\u0001\u001f")");
    CHECK(json_string("ünï") == "\"ünï\"");
    CHECK(json_string("a\xff") == "\"a\uFFFD\"");
}

TEST_CASE("Objects keep the order of their keys, few and many, whatever is taken out and put in again") {
    for (const int n : {3, 16, 17, 18, 100}) {
        OrderedJson object = OrderedJson::object();
        std::string expected;
        for (int i = 0; i < n; ++i) object["k" + std::to_string(n - i)] = i;
        CHECK(object.size() == static_cast<std::size_t>(n));
        object["k1"] = "again";
        CHECK(object.size() == static_cast<std::size_t>(n));
        OrderedJson copy = object;
        object.erase("k2");
        CHECK_FALSE(object.contains("k2"));
        CHECK(copy.at("k2") == n - 2);
        const OrderedJson moved = std::move(object);
        CHECK(moved.begin().key() == "k" + std::to_string(n));
        copy.erase("k2");
        CHECK(moved == copy);
        copy["k2"] = 0;
        CHECK(std::prev(copy.end()).key() == "k2");
        CHECK_THROWS(copy.at("nope"));
        while (!copy.empty()) copy.erase(copy.begin());
        copy["first"] = 1;
        CHECK(copy.dump() == R"({"first":1})");
    }
}

TEST_CASE("Patches of large objects take no walk through the object for each key") {
    // With such a walk this would take hours.
    constexpr int kKeys = 50'000;
    std::string base = "{", patch = "{", removal = "{";
    for (int i = 0; i < kKeys; ++i) {
        const std::string key = (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":";
        base += key + "1";
        patch += key + "2";
        removal += key + "null";
    }
    const JsonText changed = merge_patch({base + "}"}, {patch + "}"});
    CHECK((changed.text == patch + "}"));
    CHECK(merge_patch(changed, {removal + "}"}).text == "{}");
}
