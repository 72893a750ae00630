// SPDX-License-Identifier: Apache-2.0
// The JSON Schema and the reader's tables say the same.
#include <nlohmann/json.hpp>
#include <set>

#include "format/plan_keys.hpp"
#include "reading.hpp"
#include "support/catch.hpp"

using namespace turboci;
using nlohmann::json;

namespace {

const json& schema() {
    static const json parsed = json::parse(plan_schema());
    return parsed;
}

/// Follows "$ref" and collects the properties of `node` and of all its alternatives that are objects.
void collect(const json& node, std::set<std::string>& keys) {
    if (node.contains("$ref")) {
        const auto pointer = node["$ref"].get<std::string>().substr(1);
        collect(schema().at(json::json_pointer(pointer)), keys);
    }
    if (node.contains("properties")) {
        INFO(node.value("description", ""));
        CHECK(node.at("additionalProperties") == false);
        for (const auto& [key, value] : node["properties"].items()) keys.insert(key);
    }
    if (node.contains("oneOf"))
        for (const auto& alternative : node["oneOf"]) collect(alternative, keys);
}

std::set<std::string> in_schema(const std::string& pointer) {
    std::set<std::string> keys;
    collect(schema().at(json::json_pointer(pointer)), keys);
    return keys;
}

/// Of a node, what `defaults` can say of it.
std::set<std::string> without_own(std::set<std::string> keys) {
    keys.erase("id");
    keys.erase("matrix");
    return keys;
}

std::set<std::string> in_reader(Place place) {
    std::set<std::string> keys;
    for (const auto& rule : plan_keys(place)) keys.emplace(rule.name);
    return keys;
}

const json& property(Place place, const std::string& key) {
    static const std::map<Place, std::string> kWhere{
        {Place::document, ""},
        {Place::defaults, "/properties/defaults"},
        {Place::check, "/$defs/check"},
        {Place::result, "/$defs/result"},
        {Place::stage, "/$defs/stage"},
        {Place::attempt, "/$defs/attempt"},
        {Place::retry, "/$defs/stage/properties/retry"},
    };
    return schema().at(json::json_pointer(kWhere.at(place) + "/properties/" + key));
}

bool allows(const json& node, const std::string& type) {
    if (node.contains("$ref"))
        return allows(schema().at(json::json_pointer(node["$ref"].get<std::string>().substr(1))), type);
    if (node.contains("enum")) return type == "string";
    if (node.contains("oneOf"))
        return std::ranges::any_of(node["oneOf"], [&](const json& n) { return allows(n, type); });
    const auto& types = node.at("type");
    return types.is_array() ? std::ranges::count(types, json(type)) > 0 : types == type;
}

}  // namespace

TEST_CASE("every key that the reader knows is in the schema, and the other way round") {
    CHECK(in_schema("") == in_reader(Place::document));
    CHECK(in_schema("/$defs/check") == in_reader(Place::check));
    CHECK(in_schema("/properties/defaults") == in_reader(Place::defaults));
    CHECK(in_schema("/$defs/check_defaults") == without_own(in_reader(Place::check)));
    CHECK(in_schema("/$defs/stage_defaults") == without_own(in_reader(Place::stage)));
    CHECK(in_schema("/$defs/result") == in_reader(Place::result));
    CHECK(in_schema("/$defs/failure") == in_reader(Place::failure));
    CHECK(in_schema("/$defs/stage") == in_reader(Place::stage));
    CHECK(in_schema("/$defs/attempt") == in_reader(Place::attempt));
    CHECK(in_schema("/$defs/stage/properties/retry") == in_reader(Place::retry));
    CHECK(in_schema("/$defs/stage/properties/assignments/items") == in_reader(Place::assignment));
    CHECK(in_schema("/$defs/attempt/properties/progress/items") == in_reader(Place::message));
    CHECK(in_schema("/$defs/member") == in_reader(Place::member));
}

TEST_CASE("the schema allows the types that the reader takes") {
    for (const Place place : {Place::document, Place::defaults, Place::check, Place::result, Place::stage,
                              Place::attempt, Place::retry}) {
        for (const auto& rule : plan_keys(place)) {
            INFO(rule.name);
            const auto& node = property(place, std::string(rule.name));
            switch (rule.form) {
                case Form::text:
                case Form::duration:
                    CHECK(allows(node, "string"));
                    break;
                case Form::boolean:
                    CHECK(allows(node, "boolean"));
                    break;
                case Form::integer:
                    CHECK(allows(node, "integer"));
                    break;
                case Form::object:
                case Form::labels:
                case Form::map:
                    CHECK(allows(node, "object"));
                    break;
                case Form::list:
                    CHECK(allows(node, "array"));
                    CHECK(allows(node, "null"));
                    break;
                case Form::failure:
                    CHECK((allows(node, "string") && allows(node, "null") && allows(node, "object")));
                    break;
                case Form::predicate:
                    CHECK((allows(node, "array") && allows(node, "null") && allows(node, "object")));
                    break;
                case Form::text_or_map:
                case Form::value:
                case Form::document:
                    break;
            }
        }
    }
}

TEST_CASE("required keys are required in both") {
    for (const auto& [place, pointer] :
         std::map<Place, std::string>{{Place::check, "/$defs/check"}, {Place::stage, "/$defs/stage"}}) {
        const auto& required = schema().at(json::json_pointer(pointer)).at("required");
        for (const auto& rule : plan_keys(place)) {
            INFO(rule.name);
            CHECK(rule.required == (std::ranges::count(required, json(rule.name)) > 0));
        }
    }
}

TEST_CASE("defaults take what their node takes") {
    for (const std::string node : {"check", "stage"}) {
        for (const auto& [key, value] :
             schema().at("$defs").at(node + "_defaults").at("properties").items()) {
            INFO(node << ' ' << key);
            CHECK(value == json{{"$ref", "#/$defs/" + node + "/properties/" + key}});
        }
    }
}
