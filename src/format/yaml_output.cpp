// SPDX-License-Identifier: Apache-2.0
// JSON text to YAML, event by event: no document is built in between.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>

#include "format/ascii.hpp"
#include "format/json_output.hpp"
#include "format/terminal_unicode.hpp"

namespace turboci {
namespace {

/// What YAML 1.1 or 1.2 readers take for something other than a string although it begins with a letter.
bool is_reserved_word(std::string_view text) {
    constexpr std::array<std::string_view, 9> kWords{"null", "true", "false", "yes", "no",
                                                     "on",   "off",  "y",     "n"};
    return std::ranges::any_of(kWords, [text](std::string_view word) {
        return std::ranges::equal(
            word, text, {}, {}, [](char c) { return is_ascii_letter(c) ? static_cast<char>(c | 0x20) : c; });
    });
}

/// Is `text` the same string to every reader without quotes? Says no when in doubt.
bool is_plain_scalar(std::string_view text) {
    if (text.empty() || !(is_ascii_letter(text[0]) || text[0] == '_' || text[0] == '/') ||
        is_reserved_word(text))
        return false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const char c = text[i];
        const bool last = i + 1 == text.size();
        if (is_ascii_letter(c) || is_ascii_digit(c) ||
            std::string_view("_-./@+").find(c) != std::string_view::npos)
            continue;
        if ((c == ' ' || c == ':') && !last && text[i + 1] != ' ' && text[i + 1] != ':') continue;
        return false;
    }
    return true;
}

/// Characters that YAML does not let stand in a text, or that YAML 1.1 takes for line breaks.
bool needs_escape(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint point = decode_utf8(text.substr(i));
        if (point.value >= 0x7f && (is_unsafe_code_point(point.value) || (point.value & 0xfffeu) == 0xfffe ||
                                    (point.value >= 0xfdd0 && point.value <= 0xfdef)))
            return true;
        i += point.size;
    }
    return false;
}

/// YAML 1.1 reads "1e5" as a string: a float needs its point and the sign of its exponent.
std::string yaml_float(const std::string& json) {
    const std::size_t exponent = json.find_first_of("eE");
    if (exponent == std::string::npos) return json;
    std::string out = json.substr(0, exponent);
    if (out.find('.') == std::string::npos) out += ".0";
    out += 'e';
    if (is_ascii_digit(json[exponent + 1])) out += '+';
    return out + json.substr(exponent + 1);
}

/// A scalar whose text is ready. The emitter looks at strings with regular expressions, for most of the time
/// of writing a plan; whole numbers it streams as they are, and these may be of any type that a stream takes.
struct ReadyScalar {
    std::string_view text;
    friend std::ostream& operator<<(std::ostream& out, const ReadyScalar& scalar) {
        return out << scalar.text;
    }
};

/// In double quotes, ASCII alone. For the few strings that the emitter would not give back unchanged: it
/// leaves DEL and line separators as they are and replaces noncharacters.
std::string escaped_scalar(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint point = decode_utf8(text.substr(i));
        i += point.size;
        if (point.value == '"' || point.value == '\\') {
            out += '\\';
            out += static_cast<char>(point.value);
        } else if (point.value >= 0x20 && point.value < 0x7f) {
            out += static_cast<char>(point.value);
        } else {
            constexpr std::string_view kDigits = "0123456789abcdef";
            const int digits = point.value < 0x100 ? 2 : point.value < 0x10000 ? 4 : 8;
            out += '\\';
            out += digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
            for (int d = digits - 1; d >= 0; --d) out += kDigits[(point.value >> (4 * d)) & 0x0fu];
        }
    }
    out += '"';
    return out;
}

/// nlohmann's SAX events into the emitter.
class Converter {
public:
    Converter() { emitter_.SetNullFormat(YAML::LowerNull); }
    bool null() {
        flush(false);
        emitter_ << YAML::Null;
        return true;
    }
    bool boolean(bool value) { return plain(value ? "true" : "false"); }
    bool number_integer(std::int64_t value) { return plain(std::to_string(value)); }
    bool number_unsigned(std::uint64_t value) { return plain(std::to_string(value)); }
    /// Whole numbers past 64 bits come here too; the text is what counts.
    bool number_float(double /*value*/, const std::string& text) { return plain(yaml_float(text)); }
    bool string(const std::string& text) {
        flush(false);
        scalar(text);
        return true;
    }
    bool binary(const std::vector<std::uint8_t>& /*bytes*/) { return false; }
    bool start_object(std::size_t /*size*/) { return begin(Pending::map); }
    bool key(const std::string& text) {
        flush(false);
        // Readers look for the ':' of a short key no further than 1,024 characters; an escape takes four
        // for a byte at most, ten for four.
        constexpr std::size_t kMaxShortKey = 250;
        if (text.size() > kMaxShortKey) emitter_ << YAML::LongKey;
        emitter_ << YAML::Key;
        scalar(text);
        emitter_ << YAML::Value;
        return true;
    }
    bool end_object() { return end(YAML::EndMap); }
    bool start_array(std::size_t /*size*/) { return begin(Pending::seq); }
    bool end_array() { return end(YAML::EndSeq); }
    bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                     const nlohmann::detail::exception& error) {
        throw Error(ErrorCode::internal, std::string("output is not JSON: ") + error.what());
    }

    std::string take() {
        if (!emitter_.good())
            throw Error(ErrorCode::internal, "cannot write YAML: " + emitter_.GetLastError());
        std::string out(emitter_.c_str(), emitter_.size());
        out += '\n';
        return out;
    }

private:
    enum class Pending : std::uint8_t { none, seq, map };

    bool begin(Pending what) {
        flush(false);
        pending_ = what;
        return true;
    }

    bool end(YAML::EMITTER_MANIP what) {
        flush(true);
        emitter_ << what;
        return true;
    }

    /// Begins what was to begin. It waits for the next event because empty ones stand on the line of
    /// their key.
    void flush(bool empty) {
        if (pending_ == Pending::none) return;
        if (empty) emitter_ << YAML::Flow;
        emitter_ << (pending_ == Pending::seq ? YAML::BeginSeq : YAML::BeginMap);
        pending_ = Pending::none;
    }

    bool plain(const std::string& text) {
        flush(false);
        emitter_.WriteIntegralType(ReadyScalar{text});
        return true;
    }

    void scalar(const std::string& text) {
        if (needs_escape(text)) {
            emitter_.WriteIntegralType(ReadyScalar{escaped_scalar(text)});
        } else if (is_plain_scalar(text)) {
            emitter_.WriteIntegralType(ReadyScalar{text});
        } else {
            emitter_ << YAML::DoubleQuoted << text;
        }
    }

    YAML::Emitter emitter_;
    Pending pending_ = Pending::none;
};

}  // namespace

std::string json_to_yaml(std::string_view compact) {
    Converter converter;
    if (!nlohmann::json::sax_parse(compact.begin(), compact.end(), &converter)) {
        throw Error(ErrorCode::internal, "output is not JSON");
    }
    return converter.take();
}

}  // namespace turboci
