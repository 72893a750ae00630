// SPDX-License-Identifier: Apache-2.0
#include "domain/growing_object.hpp"

#include <algorithm>

#include "turboci/error.hpp"

namespace turboci {

namespace {

// All of it nests 64 deep at most.

OrderedJson parse_object(const JsonText& json) {
    auto value = OrderedJson::parse(json.text, nullptr, false);
    if (!value.is_object()) throw Error(ErrorCode::internal, "stored JSON is not an object");
    return value;
}

/// As same_json(): the order of keys means nothing.
bool same_value(const OrderedJson& a, const OrderedJson& b) {
    if (a.is_array() && b.is_array()) return std::ranges::equal(a, b, same_value);
    if (!a.is_object() || !b.is_object()) return a == b;
    if (a.size() != b.size()) return false;
    for (const auto& [key, value] : a.items()) {
        const auto other = b.find(key);
        if (other == b.end() || !same_value(value, *other)) return false;
    }
    return true;
}

bool changes(const OrderedJson& patch, const OrderedJson& target) {
    if (!patch.is_object()) return !same_value(patch, target);
    if (!target.is_object()) return true;
    for (const auto& [key, value] : patch.items()) {
        const auto old = target.find(key);
        if (old == target.end() ? !value.is_null() : changes(value, *old)) return true;
    }
    return false;
}

}  // namespace

GrowingObject::GrowingObject(const JsonText& start) : value_(parse_object(start)) {}

bool GrowingObject::is_changed_by(const JsonText& patch) const {
    return changes(parse_object(patch), value_);
}

void GrowingObject::merge(const JsonText& patch) { value_.merge_patch(parse_object(patch)); }

JsonText GrowingObject::text() const {
    return {value_.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)};
}

}  // namespace turboci
