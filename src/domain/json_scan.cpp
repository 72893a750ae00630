// SPDX-License-Identifier: Apache-2.0
// Source for the grammar: RFC 8259.
#include "domain/json_scan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "turboci/node.hpp"

namespace turboci {

namespace {

/// Bytes that stand for themselves inside a string; those above ASCII are looked at as a whole at the end.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < 256; ++c) plain[c] = c != '"' && c != '\\';
    return plain;
}();

class Scanner {
public:
    explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

    void blanks() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }
    bool take(char c) {
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }
    [[nodiscard]] bool at_end() const { return at_ == end_; }
    [[nodiscard]] bool ascii() const { return (seen_ & 0x80) == 0; }

    /// A string with the colon behind it.
    bool key() {
        blanks();
        if (!string()) return false;
        blanks();
        return take(':');
    }
    /// Anything that is neither an object nor an array.
    bool scalar() {
        if (at_ == end_) return false;
        switch (*at_) {
            case '"':
                return string();
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }

private:
    bool string() {
        if (!take('"')) return false;
        while (true) {
            while (at_ != end_ && kPlain[static_cast<unsigned char>(*at_)])
                seen_ |= static_cast<unsigned char>(*at_++);
            if (take('"')) return true;
            if (!take('\\') || at_ == end_) return false;
            if (std::string_view("\"\\/bfnrt").find(*at_) == std::string_view::npos) return false;
            ++at_;
        }
    }
    bool word(std::string_view expected) {
        if (static_cast<std::size_t>(end_ - at_) < expected.size() ||
            std::string_view(at_, expected.size()) != expected)
            return false;
        at_ += expected.size();
        return true;
    }
    bool digits() {
        const char* begin = at_;
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
        return at_ != begin;
    }
    bool number() {
        constexpr std::ptrdiff_t kLong = 100;  // far from what overflows a double
        const char* begin = at_;
        static_cast<void>(take('-'));
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        return at_ - begin < kLong && (at_ == end_ || (*at_ != 'e' && *at_ != 'E'));
    }

    const char* at_;
    const char* end_;
    unsigned char seen_ = 0;  ///< all bytes of all strings, or-ed
};

/// What is open around the place that is being read: a bit for each level, set for arrays.
class Levels {
public:
    static constexpr int kMax = 64;
    [[nodiscard]] bool none() const { return depth_ == 0; }
    [[nodiscard]] bool full() const { return depth_ == kMax; }
    [[nodiscard]] bool in_array() const { return (arrays_ & 1) != 0; }
    void open(bool array) {
        arrays_ = arrays_ << 1 | (array ? 1 : 0);
        ++depth_;
    }
    void close() {
        arrays_ >>= 1;
        --depth_;
    }

private:
    std::uint64_t arrays_ = 0;
    int depth_ = 0;
};

/// After a value: what closes, up to where the next value begins. False if that is not JSON.
bool pass_ends(Scanner& scan, Levels& levels) {
    while (!levels.none()) {
        scan.blanks();
        if (scan.take(',')) return levels.in_array() || scan.key();
        if (!scan.take(levels.in_array() ? ']' : '}')) return false;
        levels.close();
    }
    return true;
}

}  // namespace

bool is_plain_json_object(std::string_view text) noexcept {
    if (!text.starts_with('{')) return false;
    Scanner scan(text);
    Levels levels;
    do {
        scan.blanks();
        const bool object = scan.take('{');
        if (object || scan.take('[')) {
            if (levels.full()) return false;
            levels.open(!object);
            scan.blanks();
            if (!scan.take(object ? '}' : ']')) {
                if (object && !scan.key()) return false;
                continue;
            }
            levels.close();
        } else if (!scan.scalar()) {
            return false;
        }
        if (!pass_ends(scan, levels)) return false;
    } while (!levels.none());
    scan.blanks();
    return scan.at_end() && (scan.ascii() || is_valid_utf8(text));
}

}  // namespace turboci
