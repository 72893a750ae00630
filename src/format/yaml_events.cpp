// SPDX-License-Identifier: Apache-2.0
#include "format/yaml_events.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "domain/key_set.hpp"
#include "domain/quotes.hpp"
#include "format/scalars.hpp"
#include "format/text_check.hpp"
#include "format/yaml_source.hpp"

namespace turboci {

namespace {

/// Turns raw events into neutral ones. Anchored nodes are kept on a tape as they were written (aliases as
/// aliases); an alias or a merge makes the composer read from there until that is used up.
class Composer {
public:
    Composer(std::string_view text, std::uint32_t file, EventSink& sink, FileProblems& problems)
        : parser_(text, file, problems),
          sink_(sink),
          problems_(problems),
          file_(file),
          file_bytes_(text.size()),
          has_aliases_(text.find('*') != std::string_view::npos) {}

    ReadEnd run() {
        RawEvent event;
        while (next(event) && event.type != RawEvent::Type::stream_end && handle(event)) {
        }
        return end_;
    }

private:
    using Type = RawEvent::Type;
    /// A node on the tape.
    struct Slice {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    struct Anchor {
        Slice slice;
        bool open = false;  ///< its node is still being read
    };
    struct OpenAnchor {
        std::uint32_t number;
        std::size_t depth;  ///< raw depth outside of its node
    };
    struct Frame {
        bool map = false;
        bool wants_key = false;
        bool merging = false;       ///< the map's own pairs are over; keys that it has are passed over
        KeySet merged;              ///< the keys of the map that is merged now
        std::vector<Slice> merges;  ///< maps still to merge, the first one last
    };

    bool next(RawEvent& event);
    void record(RawEvent& event);
    void resolve_alias(RawEvent& event);
    bool charge(const RawEvent& event);
    bool handle(const RawEvent& event);
    bool handle_key(const RawEvent& event);
    bool handle_merge();
    [[nodiscard]] bool read_charged(std::size_t& offset, RawEvent& event);
    bool collect_merges(Slice value, std::vector<Slice>& out);
    bool begin(const RawEvent& event);
    void end_map(Position at);
    void after_value() {
        if (!frames_.empty() && frames_.back().map) frames_.back().wants_key = true;
    }
    bool skip_value();
    bool skip_rest(const RawEvent& first);
    void play(Slice slice);
    bool refuse(Position at, std::string message) {
        problems_.add(at, std::move(message));
        end_ = ReadEnd::refused;
        return false;
    }
    KeySet& keys() { return key_sets_[frames_.size() - 1]; }

    YamlParser parser_;
    EventSink& sink_;
    FileProblems& problems_;
    std::uint32_t file_;
    std::size_t file_bytes_;
    bool has_aliases_;  ///< without them nothing needs to be kept
    ReadEnd end_ = ReadEnd::complete;

    std::vector<Frame> frames_;
    std::vector<KeySet> key_sets_;  ///< by depth; kept for their memory
    std::vector<Slice> playing_;    ///< what is read from the tape, innermost last
    YamlTape tape_;
    std::vector<Anchor> anchors_;
    std::map<std::string, std::uint32_t, std::less<>> anchor_numbers_;
    std::vector<OpenAnchor> open_anchors_;
    std::size_t raw_depth_ = 0;  ///< of the parser
    int capturing_ = 0;          ///< keep events although no anchor is open
    std::size_t events_ = 0;
    std::size_t bytes_ = 0;
};

/// The next event from the tape or the parser; false when reading is over.
bool Composer::next(RawEvent& event) {
    while (!playing_.empty() && playing_.back().begin == playing_.back().end) playing_.pop_back();
    if (!playing_.empty()) {
        tape_.read(playing_.back().begin, event);
        event.at.file = file_;
        return charge(event);
    }
    if (!parser_.next(event)) {
        end_ = ReadEnd::syntax;
        return false;
    }
    if (event.type == Type::alias) resolve_alias(event);
    record(event);
    return charge(event);
}

void Composer::record(RawEvent& event) {
    if (event.type == Type::document_end) {  // anchors do not outlive their document
        tape_.clear();
        anchors_.clear();
        anchor_numbers_.clear();
        return;
    }
    const bool anchored = has_aliases_ && !event.anchor.empty();
    if (anchored) {
        const auto number = static_cast<std::uint32_t>(anchors_.size());
        anchors_.push_back({{tape_.size(), 0}, true});
        anchor_numbers_.insert_or_assign(std::string(event.anchor), number);
        open_anchors_.push_back({number, raw_depth_});
    }
    if (!open_anchors_.empty() || capturing_ > 0) tape_.append(event);
    if (event.starts()) ++raw_depth_;
    if (event.ends()) --raw_depth_;
    if (event.starts() || open_anchors_.empty()) return;
    // Only the innermost can end here: anchors at one depth would belong to one node.
    if (auto& inner = open_anchors_.back(); inner.depth == raw_depth_ && (event.ends() || anchored)) {
        anchors_[inner.number].slice.end = tape_.size();
        anchors_[inner.number].open = false;
        open_anchors_.pop_back();
    }
}

void Composer::resolve_alias(RawEvent& event) {
    const auto found = anchor_numbers_.find(event.text);
    const bool known = found != anchor_numbers_.end();
    if (known && !anchors_[found->second].open) {
        event.target = found->second;
        event.text = {};
        return;
    }
    problems_.add(event.at,
                  known ? fmt::format("the alias {} stands inside its own anchor", in_quotes(event.text))
                        : fmt::format("unknown alias {}", in_quotes(event.text)));
    event.type = Type::scalar;
    event.kind = ScalarKind::invalid;
    event.plain = false;
    event.text = {};
}

bool Composer::charge(const RawEvent& event) {
    ++events_;
    bytes_ += event.text.size() + 1;
    const std::size_t allowed = kMaxExpansion * file_bytes_;
    if ((events_ <= kFreeEvents || bytes_ <= allowed) && bytes_ <= std::max(allowed, kFreeBytes)) return true;
    return refuse(event.at, fmt::format("the aliases make the file grow to more than {} times its size",
                                        kMaxExpansion));
}

bool Composer::handle(const RawEvent& event) {
    if (!frames_.empty() && frames_.back().wants_key) return handle_key(event);
    switch (event.type) {
        case Type::scalar:
            sink_.scalar({event.kind, event.plain, event.text}, event.at);
            after_value();
            return true;
        case Type::map_start:
        case Type::seq_start:
            return begin(event);
        case Type::seq_end:
            frames_.pop_back();
            sink_.end_seq(event.at);
            after_value();
            return true;
        case Type::alias:
            play(anchors_[event.target].slice);
            return true;
        default:
            return true;
    }
}

bool Composer::begin(const RawEvent& event) {
    if (frames_.size() >= kMaxNesting) {
        return refuse(event.at, fmt::format("nested deeper than {} levels", kMaxNesting));
    }
    const bool map = event.type == Type::map_start;
    auto& frame = frames_.emplace_back();
    frame.map = frame.wants_key = map;
    if (map) {
        if (key_sets_.size() < frames_.size()) key_sets_.resize(frames_.size());
        keys().clear();
        sink_.begin_map(event.at);
    } else {
        sink_.begin_seq(event.at);
    }
    return true;
}

bool Composer::handle_key(const RawEvent& event) {
    if (event.type == Type::map_end) {
        end_map(event.at);
        return true;
    }
    RawEvent key = event;
    if (event.type == Type::alias) {
        std::size_t offset = anchors_[event.target].slice.begin;
        if (!read_charged(offset, key)) return false;
        key.at = event.at;
    }
    if (key.type != Type::scalar) return refuse(event.at, "a key must be a string, not a list or a map");
    auto& frame = frames_.back();
    if (key.kind == ScalarKind::invalid) return skip_value();
    if (key.plain && key.text.empty()) {
        problems_.add(key.at, "a key is missing before ':'");
        return skip_value();
    }
    const bool merge = key.plain && key.text == "<<";
    if (merge && frame.merging) return handle_merge();
    const bool twice = frame.merging && !frame.merged.insert(key.text);
    if (!keys().insert(key.text) || twice) {
        if (!frame.merging || twice)
            problems_.add(key.at, fmt::format("duplicate key {}{}", in_quotes(key.text),
                                              merge ? "; to merge several maps, write <<: [*a, *b]" : ""));
        return skip_value();
    }
    if (merge) return handle_merge();
    frame.wants_key = false;
    sink_.key(key.text, key.at);
    return true;
}

/// The map's own pairs are over, or those of a map merged into it: take the next merge, else end.
void Composer::end_map(Position at) {
    auto& frame = frames_.back();
    if (!frame.merges.empty()) {
        Slice slice = frame.merges.back();
        frame.merges.pop_back();
        frame.merging = true;
        frame.merged.clear();
        RawEvent start;
        tape_.read(slice.begin, start);
        play(slice);
        return;
    }
    frames_.pop_back();
    sink_.end_map(at);
    after_value();
}

/// Reads the value of `<<` without passing it on.
bool Composer::handle_merge() {
    while (!playing_.empty() && playing_.back().begin == playing_.back().end) playing_.pop_back();
    const bool from_tape = !playing_.empty();
    const std::size_t begin = from_tape ? playing_.back().begin : tape_.size();
    if (!from_tape) ++capturing_;
    RawEvent first;
    const bool read = next(first) && skip_rest(first);
    if (!from_tape) --capturing_;
    if (!read) return false;
    const std::size_t end = from_tape ? playing_.back().begin : tape_.size();
    std::vector<Slice> merges;
    if (!collect_merges({begin, end}, merges)) {
        if (end_ != ReadEnd::complete) return false;
        problems_.add(first.at, "'<<' must be a map or a list of maps");
        return true;
    }
    auto& pending = frames_.back().merges;
    pending.insert(pending.end(), merges.rbegin(), merges.rend());
    return true;
}

/// What is read from the tape again and again costs as if it stood there again and again.
bool Composer::read_charged(std::size_t& offset, RawEvent& event) {
    tape_.read(offset, event);
    event.at.file = file_;
    return charge(event);
}

/// The maps that `value` stands for; false if it stands for anything else, or if reading is over.
bool Composer::collect_merges(Slice value, std::vector<Slice>& out) {
    RawEvent event;
    std::size_t offset = value.begin;
    if (!read_charged(offset, event)) return false;
    if (event.type == Type::alias) {
        value = anchors_[event.target].slice;
        offset = value.begin;
        if (!read_charged(offset, event)) return false;
    }
    if (event.type == Type::scalar) return event.kind == ScalarKind::invalid;  // reported
    if (event.type == Type::map_start) {
        out.push_back(value);
        return true;
    }
    for (;;) {
        Slice item{offset, 0};
        if (!read_charged(offset, event)) return false;
        if (event.type == Type::seq_end) return true;
        if (event.type == Type::alias) {
            item = anchors_[event.target].slice;
            std::size_t first = item.begin;
            if (!read_charged(first, event)) return false;
            if (event.type != Type::map_start) return false;
        } else if (event.type == Type::map_start) {
            for (std::size_t depth = 1; depth > 0;) {
                if (!read_charged(offset, event)) return false;
                if (event.starts()) ++depth;
                if (event.ends()) --depth;
            }
            item.end = offset;
        } else if (event.kind != ScalarKind::invalid || event.type != Type::scalar) {
            return false;
        } else {
            continue;
        }
        out.push_back(item);
    }
}

bool Composer::skip_value() {
    RawEvent first;
    return next(first) && skip_rest(first);
}

/// Reads to the end of the node that begins with `first`.
bool Composer::skip_rest(const RawEvent& first) {
    RawEvent event = first;
    for (std::size_t depth = 0;;) {
        if (event.starts()) ++depth;
        if (event.ends()) --depth;
        if (depth == 0) return true;
        if (frames_.size() + depth > kMaxNesting) {
            return refuse(event.at, fmt::format("nested deeper than {} levels", kMaxNesting));
        }
        if (!next(event)) return false;
    }
}

void Composer::play(Slice slice) {
    while (!playing_.empty() && playing_.back().begin == playing_.back().end) playing_.pop_back();
    playing_.push_back(slice);
}

/// Where the first tag directive beyond those that anybody needs begins; libyaml compares each with all
/// before it, so that a file of them would take for ever.
std::size_t excess_tag_directive(std::string_view text) {
    constexpr std::size_t kMaxDirectives = 100;
    constexpr std::string_view kLineEnds = "\n\r\x85\xA8\xA9";  // the last bytes of YAML's five line breaks
    std::size_t found = 0;
    for (auto at = text.find("%TAG"); at != std::string_view::npos; at = text.find("%TAG", at + 1)) {
        if (at > 0 && kLineEnds.find(text[at - 1]) == std::string_view::npos) continue;
        if (++found > kMaxDirectives) return at;
    }
    return std::string_view::npos;
}

}  // namespace

ReadEnd read_yaml_events(std::string_view text, std::uint32_t file, EventSink& sink, FileProblems& problems) {
    if (const auto at = excess_tag_directive(text); at != std::string_view::npos) {
        problems.add(position_of(text, at, file), "too many %TAG directives");
        return ReadEnd::refused;
    }
    return Composer(text, file, sink, problems).run();
}

}  // namespace turboci
