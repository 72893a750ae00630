// SPDX-License-Identifier: Apache-2.0
#include "grpc/json_struct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "domain/quotes.hpp"

namespace turboci::rpc {

namespace {

using Json = nlohmann::json;

/// Looks at text for what a parser lets pass: deep nesting, and keys that are there twice.
class Inspector : public nlohmann::json_sax<Json> {
public:
    std::string problem;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return open(); }
    bool start_array(std::size_t) override { return open(); }
    bool key(string_t& name) override {
        keys_.back().push_back(std::move(name));
        return true;
    }
    bool end_object() override {
        auto& keys = keys_.back();
        std::ranges::sort(keys);
        if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end()) {
            problem = fmt::format("has the key {} twice", in_quotes(*twice));
            return false;
        }
        return end_array();
    }
    bool end_array() override {
        keys_.pop_back();
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return false;
    }

private:
    bool open() {
        keys_.emplace_back();
        if (keys_.size() <= static_cast<std::size_t>(kMaxNesting)) return true;
        problem = fmt::format("is nested deeper than {} levels", kMaxNesting);
        return false;
    }
    std::vector<std::vector<std::string>> keys_;  ///< of each open object
};

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// Valid JSON without what stands between its tokens.
std::string without_blanks(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!in_string && is_blank(text[i])) continue;
        out += text[i];
        if (text[i] == '"') in_string = !in_string;
        if (in_string && text[i] == '\\') out += text[++i];
    }
    return out;
}

void fill(const Json& json, google::protobuf::Value& value) {
    if (json.is_object()) {
        auto& fields = *value.mutable_struct_value()->mutable_fields();
        for (const auto& [key, member] : json.items()) fill(member, fields[key]);
    } else if (json.is_array()) {
        auto& list = *value.mutable_list_value();
        for (const auto& member : json) fill(member, *list.add_values());
    } else if (json.is_string()) {
        value.set_string_value(json.get_ref<const std::string&>());
    } else if (json.is_boolean()) {
        value.set_bool_value(json.get<bool>());
    } else if (json.is_number()) {
        value.set_number_value(json.get<double>());
    } else {
        value.set_null_value(google::protobuf::NULL_VALUE);
    }
}

int nesting(std::string_view compact) {
    int now = 0;
    int most = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < compact.size(); ++i) {
        const char c = compact[i];
        if (in_string && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            most = std::max(most, ++now);
        } else if (!in_string && (c == '}' || c == ']')) {
            --now;
        }
    }
    return most;
}

class StructWriter {
public:
    std::string text;
    std::string problem;

    bool object(const google::protobuf::Struct& value) {
        std::vector<const std::string*> keys;
        for (const auto& field : value.fields()) keys.push_back(&field.first);
        std::ranges::sort(keys, {}, [](const std::string* key) -> const std::string& { return *key; });
        text += '{';
        for (const auto* key : keys) {
            if (text.back() != '{') text += ',';
            append_json_string(text, *key);
            text += ':';
            if (!any(value.fields().at(*key))) return false;
        }
        text += '}';
        return true;
    }

private:
    using Value = google::protobuf::Value;

    bool any(const Value& value) {
        switch (value.kind_case()) {
            case Value::kNullValue:
                text += "null";
                return true;
            case Value::kNumberValue:
                return number(value.number_value());
            case Value::kStringValue:
                append_json_string(text, value.string_value());
                return true;
            case Value::kBoolValue:
                text += value.bool_value() ? "true" : "false";
                return true;
            case Value::kStructValue:
                return object(value.struct_value());
            case Value::kListValue:
                return list(value.list_value());
            case Value::KIND_NOT_SET:
                problem = "has a value of no kind";
                return false;
        }
        problem = "has a value of an unknown kind";
        return false;
    }
    bool list(const google::protobuf::ListValue& value) {
        text += '[';
        for (int i = 0; i < value.values_size(); ++i) {
            if (i > 0) text += ',';
            if (!any(value.values(i))) return false;
        }
        text += ']';
        return true;
    }
    bool number(double number) {
        constexpr double kExact = 9007199254740992;  // 2^53
        if (!std::isfinite(number)) {
            problem = "has a number that JSON does not have";
            return false;
        }
        if (std::abs(number) < kExact && number == std::trunc(number))
            text += std::to_string(static_cast<std::int64_t>(number));
        else
            text += fmt::format("{}", number);
        return true;
    }
};

}  // namespace

std::optional<std::string> json_problem(std::string_view text, bool object, std::string& compact) {
    Inspector inspector;
    const bool parsed = Json::sax_parse(text, &inspector);
    if (!inspector.problem.empty()) return inspector.problem;
    if (!parsed) return "is no JSON";
    compact = without_blanks(text);
    if (object && !compact.starts_with('{')) return "is no JSON object";
    return {};
}

bool to_struct(const JsonText& json, google::protobuf::Struct& value) {
    value.Clear();
    if (nesting(json.text) > kMaxStructNesting) return false;
    const Json parsed = Json::parse(json.text, nullptr, false);
    if (!parsed.is_object()) return false;
    auto& fields = *value.mutable_fields();
    for (const auto& [key, member] : parsed.items()) fill(member, fields[key]);
    return true;
}

std::optional<JsonText> from_struct(const google::protobuf::Struct& value, std::string& problem) {
    StructWriter writer;
    if (writer.object(value)) return JsonText{std::move(writer.text)};
    problem = std::move(writer.problem);
    return {};
}

}  // namespace turboci::rpc
