// SPDX-License-Identifier: Apache-2.0
// Values of an export, each checked for its type and range.
#pragma once

#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

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
/// What this program has no use for yet: anything but null is of a newer one.
void nothing_yet(const Json& object, std::initializer_list<const char*> keys);
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

/// How an attempt ended, or how it is held, as format 2 has it.
void read_end(const Json& json, AttemptRow& attempt);
/// Format 1 has nothing but the words of the failure.
void guess_end(AttemptRow& attempt);

}  // namespace turboci::service::imported
