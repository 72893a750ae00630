// SPDX-License-Identifier: Apache-2.0
#include "format/json_events.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "domain/key_set.hpp"
#include "domain/quotes.hpp"
#include "format/scalars.hpp"
#include "format/text_check.hpp"

namespace turboci {

namespace {

/// Tells how far the parser has read: its callbacks carry no positions.
class CountingIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
    reference operator*() const noexcept { return *at_; }
    CountingIterator& operator++() noexcept {
        *reached_ = ++at_;
        return *this;
    }
    CountingIterator operator++(int) noexcept {
        CountingIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CountingIterator& other) const noexcept { return at_ == other.at_; }

private:
    const char* at_;
    const char** reached_;
};

/// Turns a byte offset into line and column; offsets only grow.
class LineCounter {
public:
    LineCounter(std::string_view text, std::uint32_t file) : text_(text), at_{file, 1, 1} {}
    Position at(std::size_t offset) noexcept {
        while (offset_ < offset) {
            if (offset - offset_ >= 8 && eight_plain(&text_[offset_])) {
                offset_ += 8;
                at_.column += 8;
                continue;
            }
            const auto c = static_cast<unsigned char>(text_[offset_++]);
            if (c == '\n') {
                ++at_.line;
                at_.column = 1;
            } else if ((c & 0xC0) != 0x80) {
                ++at_.column;
            }
        }
        return at_;
    }

private:
    std::string_view text_;
    std::size_t offset_ = 0;
    Position at_;
};

/// "[json.exception…] parse error at line 1, column 5: syntax error while parsing X - WHAT; last read:
/// 'TOKEN'; expected Y": without the token, which is cut anywhere, even in a character, and without the
/// position.
std::string plain_words(std::string_view what) {
    for (const std::string_view mark : {"] ", ": ", " - "}) {
        if (const auto at = what.find(mark); at != std::string_view::npos)
            what.remove_prefix(at + mark.size());
    }
    const auto token = what.find("; last read: ");
    std::string words(what.substr(0, token));
    const auto expected = what.rfind("; expected ");
    if (token != std::string_view::npos && expected != std::string_view::npos && expected > token) {
        words += what.substr(expected);
    }
    const bool plain =
        words.size() < 200 && std::ranges::all_of(words, [](char c) { return c >= ' ' && c <= '~'; });
    return plain ? words : std::string("unexpected text");
}

/// nlohmann's callbacks. The start of a token is the first byte after the one before it that is neither
/// blank, comma nor colon: the parser reads at most one byte beyond a token, and that is such a byte or a
/// bracket of which the offset is known.
class JsonHandler {
public:
    JsonHandler(std::string_view text, std::uint32_t file, EventSink& sink, FileProblems& problems)
        : text_(text), reached_(text.data()), lines_(text, file), sink_(sink), problems_(problems) {}

    ReadEnd run() {
        const CountingIterator first(text_.data(), &reached_);
        const CountingIterator last(text_.data() + text_.size(), &reached_);
        nlohmann::json::sax_parse(first, last, this);
        return end_;
    }

    bool null() { return scalar(ScalarKind::null); }
    bool boolean(bool) { return scalar(ScalarKind::boolean); }
    bool number_integer(std::int64_t) { return number(); }
    bool number_unsigned(std::uint64_t) { return number(); }
    bool number_float(double, const std::string&) { return number(); }
    bool binary(std::vector<std::uint8_t>&) { return false; }  // not in text
    bool string(std::string& value) {
        const Position at = lines_.at(token_start());
        done();
        emit({ScalarKind::string, false, value}, at);
        return true;
    }
    bool key(std::string& name) {
        const Position at = lines_.at(token_start());
        done();
        if (!key_sets_[depth_ - 1].insert(name)) {
            problems_.add(at, fmt::format("duplicate key {}", in_quotes(name)));
            if (skipped_ == 0) skipped_ = depth_;
        }
        if (skipped_ == 0) sink_.key(name, at);
        return true;
    }
    bool start_object(std::size_t) {
        if (!enter()) return false;
        if (key_sets_.size() < depth_) key_sets_.resize(depth_);
        key_sets_[depth_ - 1].clear();
        if (skipped_ == 0) sink_.begin_map(bracket_);
        return true;
    }
    bool start_array(std::size_t) {
        if (!enter()) return false;
        if (skipped_ == 0) sink_.begin_seq(bracket_);
        return true;
    }
    bool end_object() {
        leave();
        if (skipped_ == 0) sink_.end_map(bracket_);
        skipped_value_ends();
        return true;
    }
    bool end_array() {
        leave();
        if (skipped_ == 0) sink_.end_seq(bracket_);
        skipped_value_ends();
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const std::exception& error) {
        end_ = ReadEnd::syntax;
        const std::size_t offset = end_offset();
        problems_.add(lines_.at(offset > 0 ? offset - 1 : 0),
                      fmt::format("not valid JSON: {}", plain_words(error.what())));
        return false;
    }

private:
    [[nodiscard]] std::size_t end_offset() const noexcept {
        return static_cast<std::size_t>(reached_ - text_.data());
    }
    [[nodiscard]] std::size_t token_start() const noexcept {
        const auto between = [](char c) {
            return c == ' ' || c == ',' || c == ':' || c == '\n' || c == '\r' || c == '\t';
        };
        std::size_t at = scanned_;
        while (at < text_.size() && between(text_[at])) ++at;
        return at;
    }
    void done() noexcept { scanned_ = end_offset(); }
    bool enter() {
        bracket_ = lines_.at(end_offset() - 1);
        done();
        if (depth_ >= kMaxNesting) {
            problems_.add(bracket_, fmt::format("nested deeper than {} levels", kMaxNesting));
            end_ = ReadEnd::refused;
            return false;
        }
        ++depth_;
        return true;
    }
    void leave() {
        bracket_ = lines_.at(end_offset() - 1);
        done();
        --depth_;
    }
    void emit(const Scalar& scalar, Position at) {
        if (skipped_ == 0) sink_.scalar(scalar, at);
        skipped_value_ends();
    }
    void skipped_value_ends() noexcept {
        if (skipped_ == depth_) skipped_ = 0;
    }
    bool scalar(ScalarKind kind) {
        const std::size_t start = token_start();
        const Position at = lines_.at(start);
        done();
        emit({kind, false, text_.substr(start, text_[start] == 'f' ? 5 : 4)}, at);
        return true;
    }
    bool number() {
        const std::size_t start = token_start();
        const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", start), text_.size());
        const std::string_view token = text_.substr(start, end - start);
        const Position at = lines_.at(start);
        done();
        const bool real = token.find_first_of(".eE") != std::string_view::npos;
        emit({real ? ScalarKind::real : ScalarKind::integer, false, token}, at);
        return true;
    }

    std::string_view text_;
    const char* reached_;
    LineCounter lines_;
    EventSink& sink_;
    FileProblems& problems_;
    std::size_t scanned_ = 0;  ///< where the token before this one ended, or one byte later
    std::size_t depth_ = 0;
    Position bracket_;
    std::size_t skipped_ = 0;  ///< depth of the map in which a key came twice, while its value is passed over
    std::vector<KeySet> key_sets_;  ///< by depth; kept for their memory
    ReadEnd end_ = ReadEnd::complete;
};

}  // namespace

ReadEnd read_json_events(std::string_view text, std::uint32_t file, EventSink& sink, FileProblems& problems) {
    return JsonHandler(text, file, sink, problems).run();
}

}  // namespace turboci
