// SPDX-License-Identifier: Apache-2.0
// libyaml's events with scalars resolved, and a tape that keeps those which aliases may call for again.
#pragma once

#include <yaml.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "format/events.hpp"

namespace turboci {

/// One event before anchors, aliases and merges are dealt with.
struct RawEvent {
    enum class Type : std::uint8_t {
        map_start,
        map_end,
        seq_start,
        seq_end,
        scalar,
        alias,
        document_end,
        stream_end
    };
    Type type = Type::stream_end;
    ScalarKind kind = ScalarKind::string;
    bool plain = false;
    std::uint32_t target = 0;  ///< aliases: number of the anchor
    std::string_view text;     ///< scalars; aliases as parsed: the anchor's name
    std::string_view anchor;   ///< what the node is called; empty on tape
    Position at;
    [[nodiscard]] bool starts() const noexcept { return type == Type::map_start || type == Type::seq_start; }
    [[nodiscard]] bool ends() const noexcept { return type == Type::map_end || type == Type::seq_end; }
};

/// Events as bytes: a few for each beside its text. An event is known by its offset.
class YamlTape {
public:
    void append(const RawEvent& event);
    /// The event at `offset`, which moves behind it.
    void read(std::size_t& offset, RawEvent& event) const;
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    void clear() noexcept { bytes_.clear(); }

private:
    void put(std::uint64_t number);
    [[nodiscard]] std::uint64_t get(std::size_t& offset) const;
    std::string bytes_;
};

/// libyaml over one text. Refuses unknown tags.
class YamlParser {
public:
    YamlParser(std::string_view text, std::uint32_t file, FileProblems& problems);
    ~YamlParser();
    YamlParser(const YamlParser&) = delete;
    YamlParser& operator=(const YamlParser&) = delete;

    /// The next event, good until the next call. False on a syntax error, which is reported.
    [[nodiscard]] bool next(RawEvent& event);

private:
    [[nodiscard]] bool translate(RawEvent& event);
    void scalar(RawEvent& event);
    void check_tag(const yaml_char_t* tag, std::string_view core, Position at);
    void report();
    [[nodiscard]] Position position(const yaml_mark_t& mark) const noexcept;

    std::string_view text_;
    std::uint32_t file_;
    FileProblems& problems_;
    yaml_parser_t parser_{};
    yaml_event_t event_{};
    bool has_event_ = false;
};

}  // namespace turboci
