// SPDX-License-Identifier: Apache-2.0
// Whole values on a tape of recorded events.
#pragma once

#include <cstddef>
#include <string_view>

#include "format/yaml_source.hpp"

namespace turboci {

/// Moves `offset` behind the value that begins there.
void skip_value(const YamlTape& tape, std::size_t& offset);
/// The same, and appends the value to `out`.
void copy_value(const YamlTape& tape, std::size_t& offset, YamlTape& out);

/// Walks over the pairs of a map. After next() the key is `key`, and its value begins at `value`.
class MapWalk {
public:
    /// `offset` is that of the map's beginning.
    MapWalk(const YamlTape& tape, std::size_t offset);
    /// False at the end of the map.
    [[nodiscard]] bool next();
    [[nodiscard]] const RawEvent& key() const noexcept { return key_; }
    [[nodiscard]] std::size_t value() const noexcept { return value_; }

private:
    const YamlTape& tape_;
    std::size_t value_;
    RawEvent key_;
    bool begun_ = false;
};

/// The event at `offset`.
[[nodiscard]] RawEvent event_at(const YamlTape& tape, std::size_t offset);
/// "a list", "an integer": what an event begins, for messages.
[[nodiscard]] std::string_view describe(const RawEvent& event) noexcept;

}  // namespace turboci
