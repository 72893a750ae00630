// SPDX-License-Identifier: Apache-2.0
#include "turboci/json_text.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "domain/json_scan.hpp"
#include "domain/ordered_json.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

// Plan files limit nesting to 64 before text gets here, so a DOM cannot overflow the stack.
OrderedJson parse(const JsonText& json) {
    auto value = OrderedJson::parse(json.text, nullptr, false);
    if (!value.is_object()) throw Error(ErrorCode::internal, "stored JSON is not an object");
    return value;
}

std::string dump(const OrderedJson& value) {
    return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

bool is_json_object(std::string_view text) {
    if (text == "{}" || is_plain_json_object(text)) return true;
    return text.starts_with('{') && nlohmann::json::accept(text);
}

JsonText merge_patch(const JsonText& target, const JsonText& patch) {
    if (patch.empty()) return target;
    auto value = parse(target);
    value.merge_patch(parse(patch));
    return {dump(value)};
}

JsonText compose_patches(const JsonText& first, const JsonText& second) {
    // Both are nested 64 deep at most.
    const auto compose = [](const auto& self, OrderedJson& to, const OrderedJson& with) -> void {
        for (const auto& [key, value] : with.items()) {
            const auto it = to.find(key);
            if (it != to.end() && it->is_object() && value.is_object())
                self(self, *it, value);
            else
                to[key] = value;
        }
    };
    OrderedJson result = parse(first);
    compose(compose, result, parse(second));
    return {dump(result)};
}

JsonText without_nulls(const JsonText& patch) {
    if (patch.text.find("null") == std::string::npos) return patch;
    return merge_patch({}, patch);
}

bool same_json(const JsonText& a, const JsonText& b) {
    if (a.text == b.text) return true;
    // The unordered type compares objects whatever the order of their keys.
    return nlohmann::json::parse(a.text, nullptr, false) == nlohmann::json::parse(b.text, nullptr, false);
}

void append_json_string(std::string& out, std::string_view text) {
    // ASCII that stands for itself.
    static constexpr std::array<bool, 256> kPlain = [] {
        std::array<bool, 256> plain{};
        for (std::size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
        return plain;
    }();
    bool plain = true;
    for (const char c : text) plain &= kPlain[static_cast<unsigned char>(c)];
    if (plain) {
        out.reserve(out.size() + text.size() + 2);
        out += '"';
        out += text;
        out += '"';
    } else {
        out += dump(OrderedJson(std::string(text)));
    }
}

std::string json_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

}  // namespace turboci
