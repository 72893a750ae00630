// SPDX-License-Identifier: Apache-2.0
#include "format/report_times.hpp"

#include <algorithm>
#include <numeric>
#include <queue>
#include <string>
#include <utility>

namespace turboci {

namespace {

/// The last moment that the plan tells of: what is not over went on until then at the least.
Timestamp last_heard_of(const NodeCollector& graph) {
    Timestamp last = graph.plan().updated_at;
    for (const Stage& stage : graph.stages()) {
        for (const Attempt& attempt : stage.attempts) {
            last = std::max(last, attempt.updated_at);
            if (attempt.last_heartbeat) last = std::max(last, *attempt.last_heartbeat);
        }
    }
    return last;
}

}  // namespace

ReportTimes::ReportTimes(const NodeCollector& graph) {
    std::vector<const Stage*> stages;
    std::unordered_set<std::string_view> carried;
    PlanGraph nodes;
    for (const Check& check : graph.checks()) nodes.check(check);
    for (const Stage& stage : graph.stages()) {
        nodes.stage(stage);
        if (stage.carried_from)
            carried.insert(stage.id);
        else if (!stage.attempts.empty())
            stages.push_back(&stage);
    }
    std::ranges::stable_sort(stages, {}, [](const Stage* s) { return s->attempts.front().created_at; });
    const Timestamp heard = last_heard_of(graph);
    for (const Stage* stage : stages) add(*stage, heard);
    begin_ = end_ = graph.plan().created_at;
    if (!spans_.empty()) {
        begin_ = std::ranges::min_element(spans_, {}, &AttemptSpan::begin)->begin;
        end_ = std::ranges::max_element(spans_, {}, &AttemptSpan::end)->end;
    }
    critical_ = nodes.critical_path([&](const std::string& id) { return !carried.contains(id); });
    on_path_.insert(critical_.stages.begin(), critical_.stages.end());
}

void ReportTimes::add(const Stage& stage, Timestamp heard) {
    for (const Attempt& attempt : stage.attempts) {
        const Timestamp over = attempt.ended_at.value_or(std::max(heard, attempt.created_at));
        const Timestamp began = attempt.started_at.value_or(over);
        const bool open = !is_ended(attempt.state);
        if (began > attempt.created_at)
            spans_.push_back(
                {&stage, &attempt, attempt.created_at, began, true, open && !attempt.started_at});
        if (!attempt.started_at) continue;
        spans_.push_back({&stage, &attempt, began, std::max(over, began), false, open});
        worked_ += spans_.back().length();
    }
}

std::vector<std::uint32_t> lanes_of(const std::vector<AttemptSpan>& spans) {
    std::vector<std::size_t> order(spans.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {},
                             [&](std::size_t i) { return std::pair(spans[i].begin, spans[i].end); });
    using Numbers = std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>>;
    using Busy = std::pair<Timestamp, std::uint32_t>;
    Numbers free;
    std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
    std::vector<std::uint32_t> lanes(spans.size());
    std::uint32_t next = 0;
    for (const std::size_t i : order) {
        for (; !busy.empty() && busy.top().first <= spans[i].begin; busy.pop()) free.push(busy.top().second);
        if (free.empty()) free.push(next++);
        lanes[i] = free.top();
        free.pop();
        busy.emplace(spans[i].end, lanes[i]);
    }
    return lanes;
}

}  // namespace turboci
