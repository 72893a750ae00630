// SPDX-License-Identifier: Apache-2.0
// Requests and nodes of every shape, at random. What the service would refuse is among them: conversion does
// not look at it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "turboci/requests.hpp"

namespace turboci {

class RandomValues {
public:
    explicit RandomValues(std::uint32_t seed) : random_(seed) {}

    int number(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
    bool flip() { return number(0, 1) == 1; }
    std::int64_t any_number() {
        return std::uniform_int_distribution<std::int64_t>(std::numeric_limits<std::int64_t>::min())(random_);
    }
    template <class T, std::size_t N>
    T pick(const std::array<T, N>& values) {
        return values[static_cast<std::size_t>(number(0, static_cast<int>(N) - 1))];
    }
    template <class Make>
    auto maybe(Make&& make) -> std::optional<decltype(make())> {
        if (flip()) return make();
        return std::nullopt;
    }
    template <class Make>
    auto list(int most, Make&& make) -> std::vector<decltype(make())> {
        std::vector<decltype(make())> values;
        for (int n = number(0, most); n > 0; --n) values.push_back(make());
        return values;
    }

    std::string text();
    LogPlace log();
    std::string name() { return "n" + text(); }
    JsonText json(int depth = 3);
    /// Of the years 69 to 7369.
    Timestamp time() { return Timestamp(duration() - std::chrono::days(365 * 1900)); }
    Duration duration() { return Duration(std::abs(any_number() / 40)); }
    State state() {
        return pick(std::array{State::planning, State::planned, State::waiting, State::attempting,
                               State::awaiting_group, State::final});
    }
    State state(NodeType type) {
        while (true)
            if (const State s = state(); state_number(type, s) != 0) return s;
    }
    NodeType type() { return flip() ? NodeType::check : NodeType::stage; }
    Outcome outcome() {
        return pick(std::array{Outcome::passed, Outcome::failed, Outcome::skipped, Outcome::cancelled});
    }
    Cause cause() {
        return pick(std::array{Cause::failed, Cause::timeout, Cause::silent, Cause::lost, Cause::interrupted,
                               Cause::cancelled});
    }
    AttemptState attempt_state() {
        return pick(std::array{AttemptState::pending, AttemptState::scheduled, AttemptState::running,
                               AttemptState::complete, AttemptState::incomplete});
    }
    When when() {
        return pick(
            std::array{When::success, When::failure, When::always, When::not_failed, When::unsuccessful});
    }
    NodeRef ref() { return {type(), name()}; }
    RefText ref_text() {
        return {maybe([&] { return type(); }), name()};
    }
    AttemptRef attempt_ref() { return {name(), number(-1, 9)}; }
    Retry retry();
    RunnerIdentity runner() { return {text(), text(), any_number(), any_number()}; }
    Condition condition();

    // ---- requests
    PredicateSpec spec(int depth = 3);
    CheckWrite check_write();
    StageWrite stage_write();
    WriteNodes write_nodes();
    ClaimFilter filter();
    QueryNodes query();

    // ---- nodes and answers
    Predicate predicate(int depth = 3);
    Check check();
    Stage stage();
    Attempt attempt();
    WorkPlan plan();

private:
    std::string member(int depth);
    ResultWrite result_write();
    AttemptWrite attempt_write();
    HolderWord holder();
    Position position() {
        return {static_cast<std::uint32_t>(number(0, 3)), static_cast<std::uint32_t>(number(0, 99)),
                static_cast<std::uint32_t>(number(0, 99))};
    }
    template <class Node>
    void common(Node& node, NodeType type);

    std::mt19937 random_;
};

}  // namespace turboci
