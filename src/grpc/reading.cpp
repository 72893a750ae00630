// SPDX-License-Identifier: Apache-2.0
#include "grpc/reading.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "domain/quotes.hpp"
#include "grpc/json_struct.hpp"

namespace turboci::rpc {

namespace {

// Of the year 1 and of 9999, and the longest Duration: what google.protobuf allows for.
constexpr std::int64_t kFirstSecond = -62'135'596'800;
constexpr std::int64_t kLastSecond = 253'402'300'799;
constexpr std::int64_t kMostSeconds = 315'576'000'000;
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;
constexpr std::int32_t kNanosPerMicro = 1'000;

}  // namespace

void Reading::problem(const Path& path, const std::string& message) {
    if (names_) {
        problems_.add(code_, names_->add(path), message);
    } else {
        const std::string name = to_string(path);
        problems_.add(code_, {}, name.empty() ? message : fmt::format("{}: {}", name, message));
    }
}

void Reading::unknown(const Path& path, int number, const std::string& type) {
    problem(path, fmt::format("{} is no value of {} that is known here", number, type));
}

std::optional<State> Reading::state(const Path& path, NodeType type, int number) {
    if (number == 0) return {};
    const auto found = state_from_number(type, number);
    if (!found) problem(path, fmt::format("{} is no state of a {}", number, to_string(type)));
    return found;
}

std::optional<State> Reading::state(const Path& path, NodeType type, int number, const Path& name_path,
                                    const std::string& name) {
    if (name.empty()) return state(path, type, number);
    if (number != 0) problem(name_path, fmt::format("is given beside '{}'", path.field));
    const auto found = parse_state(name);
    if (!found) problem(name_path, fmt::format("{} is no state", in_quotes(name)));
    return found;
}

std::optional<Timestamp> Reading::time(const Path& path, const google::protobuf::Timestamp& wire) {
    if (wire.seconds() < kFirstSecond || wire.seconds() > kLastSecond || wire.nanos() < 0 ||
        wire.nanos() >= kNanosPerSecond) {
        problem(path, "is no time between the years 1 and 9999");
        return {};
    }
    return Timestamp(std::chrono::seconds(wire.seconds()) +
                     std::chrono::microseconds(wire.nanos() / kNanosPerMicro));
}

std::optional<Duration> Reading::duration(const Path& path, const google::protobuf::Duration& wire) {
    if (wire.seconds() < 0 || wire.nanos() < 0) {
        problem(path, "must not be negative");
        return {};
    }
    if (wire.seconds() > kMostSeconds || wire.nanos() >= kNanosPerSecond) {
        problem(path, "is no duration of at most 10,000 years");
        return {};
    }
    return std::chrono::seconds(wire.seconds()) + std::chrono::microseconds(wire.nanos() / kNanosPerMicro);
}

std::optional<JsonText> Reading::json(const Path& path, const google::protobuf::Struct* value,
                                      const Path& text_path, const std::string& text) {
    if (!text.empty() || !value) return json(text_path, text);
    std::string why;
    auto read = from_struct(*value, why);
    if (!read) problem(path, why);
    return read;
}

std::optional<JsonText> Reading::json(const Path& path, const std::string& text) {
    if (text.empty()) return {};
    JsonText read;
    const auto why = json_problem(text, true, read.text);
    if (!why) return read;
    problem(path, *why);
    return {};
}

std::string Reading::json_value(const Path& path, const std::string& text) {
    std::string read;
    if (const auto why = json_problem(text, false, read)) problem(path, *why);
    return read;
}

}  // namespace turboci::rpc
