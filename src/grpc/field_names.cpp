// SPDX-License-Identifier: Apache-2.0
#include "grpc/field_names.hpp"

#include <charconv>
#include <utility>

namespace turboci::rpc {

namespace {

void append(std::string& out, const char* field, std::int32_t index) {
    if (*field == '\0') return;
    if (!out.empty()) out += '.';
    out += field;
    if (index >= 0) out += '[' + std::to_string(index) + ']';
}

}  // namespace

std::string to_string(const Path& path) {
    std::string out = path.parent ? to_string(*path.parent) : std::string();
    append(out, path.field, path.index);
    return out;
}

Position FieldNames::add(std::string name) {
    entries_.push_back({nullptr, 0, static_cast<std::int32_t>(texts_.size())});
    texts_.push_back(std::move(name));
    return {0, static_cast<std::uint32_t>(entries_.size()), 1};
}

Position FieldNames::add(const Path& path) {
    if (path.number == 0) {
        // The message as a whole has no name.
        const bool below = path.parent && (path.parent->parent || *path.parent->field != '\0');
        const std::uint32_t parent = below ? add(*path.parent).line : 0;
        entries_.push_back({path.field, parent, path.index});
        path.number = static_cast<std::uint32_t>(entries_.size());
    }
    return {0, path.number, 1};
}

std::string FieldNames::build(std::uint32_t number) const {
    const Entry& entry = entries_[number - 1];
    if (!entry.field) return texts_[static_cast<std::size_t>(entry.index)];
    std::string out = entry.parent != 0 ? build(entry.parent) : std::string();
    append(out, entry.field, entry.index);
    return out;
}

std::string_view FieldNames::name(std::uint32_t number) const {
    if (number == 0 || number > entries_.size()) return {};
    const auto [it, is_new] = built_.try_emplace(number);
    if (is_new) it->second = build(number);
    return it->second;
}

std::string FieldNames::told(std::string_view message) const {
    std::string out;
    while (true) {
        const std::size_t at = message.find(kRequestFile);
        if (at == std::string_view::npos) break;
        out += message.substr(0, at);
        message.remove_prefix(at + kRequestFile.size());
        std::uint32_t number = 0;
        const char* const end = message.data() + message.size();
        const char* rest = message.empty() ? end : message.data() + 1;
        if (message.starts_with(':')) rest = std::from_chars(rest, end, number).ptr;
        const std::string_view known = name(number);
        if (std::string_view(rest, static_cast<std::size_t>(end - rest)).starts_with(":1") &&
            !known.empty()) {
            out += known;
            message = std::string_view(rest + 2, static_cast<std::size_t>(end - rest - 2));
        } else {
            out += kRequestFile;
        }
    }
    return out += message;
}

}  // namespace turboci::rpc
