// SPDX-License-Identifier: Apache-2.0
#include "grpc/watch_events.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "grpc/answers.hpp"
#include "turboci/error.hpp"

namespace turboci::rpc {

namespace {

std::optional<State> state_named(const nlohmann::json& value) {
    if (!value.is_string()) return std::nullopt;
    return parse_state(value.get_ref<const std::string&>());
}

/// The change of a state that an entry tells of, if it does.
std::optional<std::pair<std::optional<State>, State>> move_of(const LogEntry& entry) {
    const auto changes = nlohmann::json::parse(entry.changes.text, nullptr, false);
    if (!changes.is_object() || !changes.contains("state")) return std::nullopt;
    const auto& state = changes["state"];
    if (!state.is_object() || !state.contains("to")) {
        const auto to = state_named(state);
        return to ? std::optional(std::pair(std::optional<State>(), *to)) : std::nullopt;
    }
    const auto to = state_named(state["to"]);
    if (!to) return std::nullopt;
    const auto from = state.contains("from") ? state_named(state["from"]) : std::nullopt;
    return std::pair(from, *to);
}

bool passes(const std::vector<State>& states, State state) {
    return states.empty() || std::ranges::find(states, state) != states.end();
}

bool passes(const std::unordered_set<std::string>& ids, const std::string& id) {
    return ids.empty() || ids.contains(id);
}

/// May the watcher see this node at all?
bool wants(const WatchFilter& filter, const NodeRef& node) {
    return node.type == NodeType::check ? filter.checks && passes(filter.check_ids, node.id)
                                        : filter.stages && passes(filter.stage_ids, node.id);
}

void fill_head(const LogEntry& entry, v1::WorkPlanEvent& event) {
    write(entry.time, *event.mutable_timestamp());
    event.set_version(entry.version);
    event.set_by(entry.by == Mover::writer ? v1::CHANGED_BY_WRITER : v1::CHANGED_BY_ORCHESTRATOR);
    event.set_actor(entry.actor);
    event.set_reason(entry.reason);
    event.set_op_id(entry.op_id);
    event.set_changes_json(entry.changes.text);
}

int number(NodeType type, std::optional<State> state) { return state ? state_number(type, *state) : 0; }

/// Gives the events of state changes their nodes, as they are now.
class Objects final : public NodeSink {
public:
    Objects(JsonForm form, std::string plan) : form_(form), plan_(std::move(plan)) {}
    void want(const NodeRef& ref, v1::WorkPlanEvent& event) { events_[ref].push_back(&event); }
    void fill(Service& service) {
        if (events_.empty()) return;
        QueryNodes query;
        query.plan = plan_;
        query.skip_absent = true;
        for (const auto& [ref, events] : events_) query.refs.push_back({ref.type, ref.id});
        service.query(query, *this);
    }
    void plan(const WorkPlan& /*plan*/) override {}
    void check(const Check& check) override {
        for (v1::WorkPlanEvent* event : events_[{NodeType::check, check.id}])
            write(check, plan_, form_, *event->mutable_check_event()->mutable_check());
    }
    void stage(const Stage& stage) override {
        for (v1::WorkPlanEvent* event : events_[{NodeType::stage, stage.id}])
            write(stage, plan_, form_, *event->mutable_stage_event()->mutable_stage());
    }

private:
    JsonForm form_;
    std::string plan_;
    std::map<NodeRef, std::vector<v1::WorkPlanEvent*>> events_;
};

}  // namespace

WatchFilter read_filter(const v1::WatchWorkPlanRequest& request) {
    WatchFilter filter;
    filter.checks = request.include_checks();
    filter.stages = request.include_stages();
    const auto bad = [](int number) {
        return Error(ErrorCode::invalid_argument, std::to_string(number) + " is no state");
    };
    for (const int n : request.check_state_filter()) {
        const auto state = state_from_number(NodeType::check, n);
        if (!state) throw bad(n);
        filter.states.checks.push_back(*state);
    }
    for (const int n : request.stage_state_filter()) {
        const auto state = state_from_number(NodeType::stage, n);
        if (!state) throw bad(n);
        filter.states.stages.push_back(*state);
    }
    filter.check_ids.insert(request.check_id_filter().begin(), request.check_id_filter().end());
    filter.stage_ids.insert(request.stage_id_filter().begin(), request.stage_id_filter().end());
    filter.whole_record = request.has_since_version();
    filter.form = form_of(request.json_only());
    return filter;
}

WatchNews read_news(Service& service, const WorkPlan& plan, std::int64_t cursor, const WatchFilter& filter,
                    std::size_t limit) {
    WatchNews news;
    news.cursor = cursor;
    Objects objects(filter.form, plan.id);
    std::size_t count = 0;
    ReadLog record;
    record.plan = plan.id;
    record.since = cursor;
    record.limit = limit;
    service.read_log(record, [&](const LogEntry& entry) {
        ++count;
        news.cursor = entry.version;
        if (entry.node && !wants(filter, *entry.node)) return;
        const auto move = entry.node ? move_of(entry) : std::nullopt;
        const bool is_check = entry.node && entry.node->type == NodeType::check;
        const bool shows =
            move && passes(is_check ? filter.states.checks : filter.states.stages, move->second);
        if (!shows && !filter.whole_record) return;
        v1::WorkPlanEvent& event = news.events.emplace_back();
        fill_head(entry, event);
        if (!shows) return;
        const NodeType type = entry.node->type;
        const int from = number(type, move->first), to = number(type, move->second);
        if (is_check) {
            event.mutable_check_event()->set_check_id(entry.node->id);
            event.mutable_check_event()->set_old_state(static_cast<v1::CheckState>(from));
            event.mutable_check_event()->set_new_state(static_cast<v1::CheckState>(to));
        } else {
            event.mutable_stage_event()->set_stage_id(entry.node->id);
            event.mutable_stage_event()->set_old_state(static_cast<v1::StageState>(from));
            event.mutable_stage_event()->set_new_state(static_cast<v1::StageState>(to));
        }
        objects.want(*entry.node, event);
    });
    objects.fill(service);
    news.more = count >= limit;
    const PlanTotals sum = totals(plan);
    news.is_over = news.cursor >= plan.version && sum.checks + sum.stages > 0 &&
                   sum.final_checks == sum.checks && sum.final_stages == sum.stages;
    return news;
}

v1::WorkPlanEvent completed_event(Service& service, const WorkPlan& plan) {
    v1::WorkPlanEvent event;
    write(plan.updated_at, *event.mutable_timestamp());
    event.set_version(plan.version);
    const PlanTotals sum = totals(plan);
    auto& completed = *event.mutable_completed_event();
    completed.set_checks_completed(static_cast<std::int32_t>(sum.final_checks));
    completed.set_stages_completed(static_cast<std::int32_t>(sum.final_stages));
    completed.set_has_failures(service.summarize(plan.id, 0).verdict == Verdict::failed);
    return event;
}

}  // namespace turboci::rpc
