// SPDX-License-Identifier: Apache-2.0
// When a plan's stages waited and when they worked, as reports draw it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "format/plan_graph.hpp"
#include "format/plan_report.hpp"

namespace turboci {

/// A piece of time, of one attempt: never longer than the plan was observed.
struct AttemptSpan {
    const Stage* stage = nullptr;
    const Attempt* attempt = nullptr;
    Timestamp begin, end;
    bool waiting = false;  ///< from when it could begin until it did; else from there to its end
    bool open = false;     ///< goes on: `end` is when the plan was last heard of

    [[nodiscard]] Duration length() const noexcept { return end - begin; }
};

/// The times of a whole plan. What was carried over from another plan took no time in this one. The collector
/// must outlive it.
class ReportTimes {
public:
    explicit ReportTimes(const NodeCollector& graph);

    /// By stage, in the order in which these could begin; of each stage in the order of time.
    [[nodiscard]] const std::vector<AttemptSpan>& spans() const noexcept { return spans_; }
    /// From the first moment to the last; equal if there was no attempt.
    [[nodiscard]] Timestamp begin() const noexcept { return begin_; }
    [[nodiscard]] Timestamp end() const noexcept { return end_; }
    [[nodiscard]] const PlanGraph::Chain& critical_path() const noexcept { return critical_; }
    [[nodiscard]] bool is_critical(const Stage& stage) const { return on_path_.contains(stage.id); }
    /// Of all attempts together.
    [[nodiscard]] Duration worked() const noexcept { return worked_; }

private:
    void add(const Stage& stage, Timestamp heard);

    std::vector<AttemptSpan> spans_;
    Timestamp begin_, end_;
    PlanGraph::Chain critical_;
    std::unordered_set<std::string_view> on_path_;
    Duration worked_{0};
};

/// Lanes for spans, from 0, by position: two in one lane never overlap, and there are as few as possible.
[[nodiscard]] std::vector<std::uint32_t> lanes_of(const std::vector<AttemptSpan>& spans);

}  // namespace turboci
