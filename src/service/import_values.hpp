// SPDX-License-Identifier: Apache-2.0
// Values of an export, each checked for its type and range.
#pragma once

#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "domain/ordered_json.hpp"
#include "turboci/store.hpp"

namespace turboci::service::imported {

using Json = OrderedJson;

/// Carries a complaint to where its line is known.
struct Malformed {
    std::string message;
};
[[noreturn]] void complain(std::string message);

// Each takes an object and the name of a member, and complains if it is missing or not of that kind.
const Json& member(const Json& object, const char* key);
/// Refuses what an export does not write.
void only(const Json& object, std::initializer_list<std::string_view> keys);
/// The same for a stage.
void only_of_stage(const Json& stage);
std::string text(const Json& object, const char* key);
/// A text that stands in one line of what people read.
std::string name(const Json& object, const char* key);
std::optional<std::string> optional_text(const Json& object, const char* key);
std::int64_t number(const Json& object, const char* key, std::int64_t least = 0,
                    std::int64_t most = std::numeric_limits<std::int64_t>::max());
std::int32_t small_number(const Json& object, const char* key, std::int32_t least, std::int32_t most);
std::optional<std::int32_t> optional_small(const Json& object, const char* key, std::int32_t least,
                                           std::int32_t most);
bool flag(const Json& object, const char* key);
const Json& list(const Json& object, const char* key);
JsonText object_text(const Json& object, const char* key);
Timestamp time_of(const Json& object, const char* key);
std::optional<Timestamp> optional_time(const Json& object, const char* key);
std::optional<Duration> optional_duration(const Json& object, const char* key);
template <class Parse>
auto name_of_set(const Json& object, const char* key, Parse parse) {
    const auto value = parse(text(object, key));
    if (!value) complain("'" + std::string(key) + "' has an unknown value");
    return *value;
}
template <class Parse>
auto optional_name_of_set(const Json& object, const char* key, Parse parse) {
    using Found = decltype(parse(std::string_view()));
    return member(object, key).is_null() ? Found() : Found(name_of_set(object, key, parse));
}
State state_of(NodeType type, const Json& object, const char* key);
std::optional<GroupKind> parse_group_kind(std::string_view name);
std::optional<Mover> parse_mover(std::string_view name);
/// Far beyond what a plan can come to; sums of two still fit everywhere.
inline constexpr std::int64_t kMostVersion = std::int64_t{1} << 53;
inline constexpr Duration kMostDuration = std::chrono::hours(24 * 3653);

/// Why an attempt ended INCOMPLETE, by the words in which older programs said it.
Cause cause_in_words(std::string_view failure, bool no_retry);

/// One line as JSON, not nested deeper than plan files, without duplicate keys.
Json parse_line(std::string_view line);

/// What a decoder made of a text; its complaint is one of the line.
template <class T>
T decoded(std::variant<T, std::string> parsed) {
    if (auto* why = std::get_if<std::string>(&parsed)) complain(std::move(*why));
    return std::get<T>(std::move(parsed));
}

/// What format 2 knows of the policy of a stage.
void read_policy(const Json& json, NodeBody& body);
/// An attempt by itself: without its number and what follows from others. `format`: of the export.
AttemptRow read_attempt(const Json& json, std::int64_t format);
Result read_result(const Json& json);

}  // namespace turboci::service::imported
