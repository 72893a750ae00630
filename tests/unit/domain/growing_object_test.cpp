// SPDX-License-Identifier: Apache-2.0
#include "domain/growing_object.hpp"

#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("A growing object becomes what merged texts become, and knows what would change it") {
    const std::vector<std::string> patches{"{}",
                                           R"({"a":"b"})",
                                           R"({"a":"b"})",
                                           R"({"a":null})",
                                           R"({"gone":null})",
                                           R"({"o":{"p":1,"q":[1,{"x":1,"y":2}]}})",
                                           R"({"o":{"q":[1,{"y":2,"x":1}]}})",
                                           R"({"o":{"q":[1,{"y":2}]}})",
                                           R"({"o":{"q":[1.0]}})",
                                           R"({"o":{"q":[1]}})",
                                           R"({"o":{"p":{}}})",
                                           R"({"o":{"p":{"r":null}}})",
                                           R"({"n":{"r":null}})",
                                           R"({"o":7})",
                                           R"({"o":{"p":null}})"};
    JsonText text;
    GrowingObject object(text);
    for (const std::string& patch : patches) {
        CAPTURE(patch);
        const JsonText merged = merge_patch(text, {patch});
        CHECK(object.is_changed_by({patch}) == !same_json(merged, text));
        object.merge({patch});
        CHECK(object.text() == merged);
        text = merged;
    }
}
