// SPDX-License-Identifier: Apache-2.0
#include "format/yaml_source.hpp"

#include <fmt/core.h>

#include <new>
#include <optional>

#include "domain/quotes.hpp"
#include "format/scalars.hpp"
#include "format/text_check.hpp"

namespace turboci {

namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

std::string_view view(const yaml_char_t* text) noexcept {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

std::string_view short_tag(std::string_view tag) noexcept {
    return tag.starts_with(kCoreTag) ? tag.substr(kCoreTag.size()) : std::string_view();
}

/// What a tagged scalar is; nullopt if the tag does not fit its text.
std::optional<ScalarKind> tagged_kind(std::string_view tag, std::string_view text) noexcept {
    if (tag == "str") return ScalarKind::string;
    const ScalarKind kind = resolve_plain(text);
    if (tag == "null" && kind == ScalarKind::null) return kind;
    if (tag == "bool" && kind == ScalarKind::boolean) return kind;
    if (tag == "int" && kind == ScalarKind::integer) return kind;
    if (tag == "float" && (kind == ScalarKind::real || kind == ScalarKind::integer)) return ScalarKind::real;
    return std::nullopt;
}

bool is_core_scalar(std::string_view tag) noexcept {
    return tag == "str" || tag == "null" || tag == "bool" || tag == "int" || tag == "float";
}

}  // namespace

void YamlTape::put(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes_ += static_cast<char>((number & 0x7F) | 0x80);
    bytes_ += static_cast<char>(number);
}

std::uint64_t YamlTape::get(std::size_t& offset) const {
    std::uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes_[offset++]);
        number |= std::uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) return number;
    }
}

void YamlTape::append(const RawEvent& event) {
    const auto head = static_cast<unsigned>(event.type) | static_cast<unsigned>(event.kind) << 3 |
                      static_cast<unsigned>(event.plain) << 6;
    bytes_ += static_cast<char>(head);
    put(event.at.line);
    put(event.at.column);
    if (event.type == RawEvent::Type::alias) put(event.target);
    if (event.type != RawEvent::Type::scalar) return;
    put(event.text.size());
    bytes_ += event.text;
}

void YamlTape::read(std::size_t& offset, RawEvent& event) const {
    const auto head = static_cast<unsigned char>(bytes_[offset++]);
    event.type = static_cast<RawEvent::Type>(head & 7u);
    event.kind = static_cast<ScalarKind>(head >> 3 & 7u);
    event.plain = (head >> 6 & 1u) != 0;
    event.at.line = static_cast<std::uint32_t>(get(offset));
    event.at.column = static_cast<std::uint32_t>(get(offset));
    event.anchor = {};
    event.text = {};
    if (event.type == RawEvent::Type::alias) event.target = static_cast<std::uint32_t>(get(offset));
    if (event.type != RawEvent::Type::scalar) return;
    const std::size_t length = get(offset);
    event.text = std::string_view(bytes_).substr(offset, length);
    offset += length;
}

YamlParser::YamlParser(std::string_view text, std::uint32_t file, FileProblems& problems)
    : text_(text), file_(file), problems_(problems) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

YamlParser::~YamlParser() {
    if (has_event_) yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
}

bool YamlParser::next(RawEvent& event) {
    do {
        if (has_event_) yaml_event_delete(&event_);
        has_event_ = yaml_parser_parse(&parser_, &event_) != 0;
        if (!has_event_) {
            report();
            return false;
        }
    } while (!translate(event));
    return true;
}

/// False for events that nobody needs.
bool YamlParser::translate(RawEvent& event) {
    using Type = RawEvent::Type;
    event.at = position(event_.start_mark);
    event.anchor = {};
    switch (event_.type) {
        case YAML_MAPPING_START_EVENT:
            event.type = Type::map_start;
            event.anchor = view(event_.data.mapping_start.anchor);
            check_tag(event_.data.mapping_start.tag, "map", event.at);
            return true;
        case YAML_SEQUENCE_START_EVENT:
            event.type = Type::seq_start;
            event.anchor = view(event_.data.sequence_start.anchor);
            check_tag(event_.data.sequence_start.tag, "seq", event.at);
            return true;
        case YAML_MAPPING_END_EVENT:
            event.type = Type::map_end;
            return true;
        case YAML_SEQUENCE_END_EVENT:
            event.type = Type::seq_end;
            return true;
        case YAML_SCALAR_EVENT:
            scalar(event);
            return true;
        case YAML_ALIAS_EVENT:
            event.type = Type::alias;
            event.text = view(event_.data.alias.anchor);
            return true;
        case YAML_DOCUMENT_END_EVENT:
            event.type = Type::document_end;
            return true;
        case YAML_STREAM_END_EVENT:
            event.type = Type::stream_end;
            return true;
        default:
            return false;
    }
}

void YamlParser::scalar(RawEvent& event) {
    const auto& s = event_.data.scalar;
    event.type = RawEvent::Type::scalar;
    event.text = {reinterpret_cast<const char*>(s.value), s.length};
    event.anchor = view(s.anchor);
    event.plain = s.style == YAML_PLAIN_SCALAR_STYLE;
    const std::string_view tag = view(s.tag);
    if (tag.empty()) {
        event.kind = event.plain ? resolve_plain(event.text) : ScalarKind::string;
        return;
    }
    event.plain = false;
    event.kind = ScalarKind::string;
    if (tag == "!") return;
    const std::string_view core = short_tag(tag);
    if (!is_core_scalar(core)) {
        check_tag(s.tag, {}, event.at);
    } else if (const auto kind = tagged_kind(core, event.text)) {
        event.kind = *kind;
    } else {
        problems_.add(event.at,
                      fmt::format("{} is not a value of its tag '!!{}'", in_quotes(event.text), core));
        event.kind = ScalarKind::invalid;
    }
}

void YamlParser::check_tag(const yaml_char_t* tag, std::string_view core, Position at) {
    const std::string_view name = view(tag);
    if (name.empty() || name == "!" || (!core.empty() && short_tag(name) == core)) return;
    const std::string_view known = short_tag(name);
    if (is_core_scalar(known) || known == "map" || known == "seq") {
        problems_.add(at, fmt::format("the tag '!!{}' does not fit the value", known));
    } else {
        problems_.add(at,
                      fmt::format("unknown tag {}",
                                  in_quotes(known.empty() ? std::string(name) : fmt::format("!!{}", known))));
    }
}

Position YamlParser::position(const yaml_mark_t& mark) const noexcept {
    return {file_, static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

void YamlParser::report() {
    const std::string_view problem = parser_.problem == nullptr ? "unreadable" : parser_.problem;
    if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
    if (parser_.error == YAML_READER_ERROR) {
        problems_.add(position_of(text_, parser_.problem_offset, file_),
                      fmt::format("not valid YAML: {}", problem));
        return;
    }
    const Position at = position(parser_.problem_mark);
    if (problem == "found character that cannot start any token") {
        const char c = parser_.buffer.pointer == nullptr ? '\0' : static_cast<char>(*parser_.buffer.pointer);
        problems_.add(at, c == '\t' ? std::string("a tab cannot be used for indentation; use spaces")
                                    : fmt::format("a value cannot begin with {}; put it in quotes",
                                                  in_quotes(std::string_view(&c, 1))));
        return;
    }
    std::string message = fmt::format("not valid YAML: {}", problem);
    if (parser_.context != nullptr) {
        fmt::format_to(std::back_inserter(message), " {} that begins at {}:{}", parser_.context,
                       parser_.context_mark.line + 1, parser_.context_mark.column + 1);
    }
    problems_.add(at, std::move(message));
}

}  // namespace turboci
