// SPDX-License-Identifier: Apache-2.0
#include "runner/run_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

#include "format/plan_graph.hpp"
#include "runner/stage_command.hpp"
#include "service/judge.hpp"

namespace turboci {

namespace {

constexpr std::size_t kMaxWaits = 20;
constexpr std::size_t kMaxSlowest = 5;
// Beyond so many named stages reading the whole plan is the cheaper query.
constexpr std::size_t kMaxNamed = 500;

/// Keeps whole nodes. For queries whose answers are few.
class NodeList : public NodeSink {
public:
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override { checks.push_back(check); }
    void stage(const Stage& stage) override { stages.push_back(stage); }
    std::vector<Check> checks;
    std::vector<Stage> stages;
};

std::string why_not_final(const Stage& stage, const StageCommands& commands,
                          const std::vector<std::string>& runners, Timestamp now) {
    if (stage.state != State::attempting || stage.attempts.empty()) return {};
    const Attempt& attempt = stage.attempts.back();
    if (is_ended(attempt.state)) return {};
    if (attempt.state != AttemptState::pending)
        return fmt::format("stage:{} is held by {}", stage.id, attempt.process_uid);
    if (!has_command(stage.args))
        return fmt::format("stage:{} has no args.command: a worker has to claim it", stage.id);
    const auto is_its_kind = [&](const std::string& kind) { return kind == stage.runner || kind == "*"; };
    if (runners.empty() ? !stage.runner.empty() : std::ranges::none_of(runners, is_its_kind))
        return stage.runner.empty()
                   ? fmt::format("stage:{} needs --runner ''", stage.id)
                   : fmt::format("stage:{} needs a runner of kind '{}'", stage.id, stage.runner);
    if (attempt.not_before && *attempt.not_before > now)
        return fmt::format("stage:{} waits until {} (backoff)", stage.id,
                           format_timestamp(*attempt.not_before));
    if (const std::string why = commands.excess(stage.id, stage.args); !why.empty())
        return fmt::format("stage:{} cannot be executed here: {}", stage.id, why);
    if (!stage.uses.empty()) {
        std::string names;
        for (const Use& use : stage.uses) names += (names.empty() ? "" : ", ") + use.limit;
        return fmt::format("stage:{} waits for the limit {}", stage.id, names);
    }
    return fmt::format("stage:{} is ready to run", stage.id);
}

/// The nodes that hold up the others, one line each; those alone that nothing else holds up.
std::vector<std::string> waits(const NodeList& open, const StageCommands& commands,
                               const std::vector<std::string>& runners, Timestamp now) {
    std::unordered_set<std::string> worked_on;
    std::vector<std::string> lines;
    for (const Stage& stage : open.stages) {
        for (const Assignment& a : stage.assignments) worked_on.insert(a.target_check_id);
    }
    for (const Check& check : open.checks) {
        if (worked_on.count(check.id) != 0) continue;
        if (check.state == State::waiting) {
            lines.push_back(fmt::format("check:{} waits for somebody to report", check.id));
        } else if (check.state == State::planning) {
            lines.push_back(fmt::format("check:{} is PLANNING: somebody has to plan it", check.id));
        }
    }
    for (const Stage& stage : open.stages) {
        if (std::string line = why_not_final(stage, commands, runners, now); !line.empty())
            lines.push_back(std::move(line));
    }
    if (!lines.empty()) return lines;
    // Everything waits for something else: a circle through assignments or groups.
    for (const Check& check : open.checks) {
        lines.push_back(fmt::format("check:{} is {} and can never move", check.id, to_string(check.state)));
    }
    for (const Stage& stage : open.stages) {
        lines.push_back(fmt::format("stage:{} is {} and can never move", stage.id, to_string(stage.state)));
    }
    return lines;
}

void add_times(RunSummary& summary, const std::unordered_map<std::string, Duration>& durations,
               Service& service, const std::string& plan) {
    for (const auto& [stage, duration] : durations) summary.slowest.push_back({stage, duration});
    std::sort(summary.slowest.begin(), summary.slowest.end(), [](const auto& a, const auto& b) {
        return a.duration != b.duration ? a.duration > b.duration : a.stage < b.stage;
    });
    if (summary.slowest.size() > kMaxSlowest) summary.slowest.resize(kMaxSlowest);
    if (durations.empty()) return;
    QueryNodes query;
    query.plan = plan;
    if (durations.size() <= kMaxNamed) {
        for (const auto& [stage, duration] : durations) query.refs.push_back({NodeType::stage, stage});
        query.deps = -1;
    }
    PlanGraph graph;
    service.query(query, graph);
    PlanGraph::Chain chain =
        graph.critical_path([&](const std::string& stage) { return durations.contains(stage); });
    summary.critical_path = std::move(chain.stages);
    summary.critical_length = chain.length;
    summary.critical_waiting = chain.waiting;
}

/// "check:unit failed (and 2 more)": what stands in the way of a verdict that is failed; failures first, what
/// was only skipped for them last.
std::string why_failed(Service& service, const std::string& plan, const std::vector<NodeRef>& bad) {
    QueryNodes query;
    query.plan = plan;
    query.parts = kBareNodes;
    for (const NodeRef& ref : bad) {
        if (query.refs.size() == kMaxNamed) break;
        query.refs.push_back({ref.type, ref.id});
    }
    NodeList found;
    service.query(query, found);
    std::vector<std::pair<Outcome, NodeRef>> nodes;
    const auto add = [&](NodeType type, const auto& list) {
        for (const auto& node : list) {
            if (node.outcome) nodes.push_back({*node.outcome, {type, node.id}});
        }
    };
    add(NodeType::check, found.checks);
    add(NodeType::stage, found.stages);
    const auto first = std::ranges::min_element(nodes, {}, [](const auto& node) {
        return node.first == Outcome::failed ? 0 : node.first == Outcome::cancelled ? 1 : 2;
    });
    if (first == nodes.end()) return {};
    std::string text = fmt::format("{} {}{}", to_string(first->second),
                                   first->first == Outcome::failed ? "" : "was ", to_string(first->first));
    if (bad.size() > 1) text += fmt::format(" (and {} more)", bad.size() - 1);
    return text;
}

}  // namespace

namespace {

/// Why nodes of the selection are not FINAL.
void add_waits(RunSummary& summary, Service& service, const RunOptions& options, const Selection* selection,
               const StageCommands& commands, Timestamp now) {
    QueryNodes query;
    query.plan = options.plan;
    query.states = {State::planning, State::planned, State::waiting, State::attempting,
                    State::awaiting_group};
    NodeList found;
    service.query(query, found);
    const auto drop = [&](auto& list, NodeType type) {
        std::erase_if(list, [&](const auto& node) { return !is_selected(selection, {type, node.id}); });
    };
    drop(found.checks, NodeType::check);
    drop(found.stages, NodeType::stage);
    summary.waits_for = waits(found, commands, options.runners, now);
    if (summary.waits_for.size() <= kMaxWaits) return;
    summary.waits_more = static_cast<std::int64_t>(summary.waits_for.size() - kMaxWaits);
    summary.waits_for.resize(kMaxWaits);
}

/// The verdict, and of a run that had nothing to do why.
void add_verdict(RunSummary& summary, Service& service, const RunOptions& options, bool idle) {
    QueryNodes selected;
    selected.plan = options.plan;
    selected.refs = options.refs;
    // Of a whole plan the verdict alone is told sooner than with what made it so.
    if (selected.refs.empty()) summary.verdict = service.summarize(options.plan, 1).verdict;
    if (!selected.refs.empty() || (idle && summary.verdict == Verdict::failed)) {
        const Judgement judgement = judge(service, selected);
        summary.verdict = judgement.verdict;
        if (idle && judgement.verdict == Verdict::failed)
            summary.nothing_to_run = why_failed(service, options.plan, judgement.bad);
    }
    if (idle && summary.verdict == Verdict::passed && summary.unfinished == 0)
        summary.nothing_to_run = "everything is done";
}

int exit_code(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
            return 0;
        case Verdict::failed:
            return 1;
        case Verdict::pending:
            break;
    }
    return 8;
}

}  // namespace

RunReport make_report(Service& service, const RunOptions& options, const StageCommands& commands,
                      const RunFacts& facts, Timestamp now) {
    RunReport report;
    RunSummary& summary = report.summary;
    summary.elapsed = facts.elapsed;
    summary.retried = facts.retried;
    summary.survivors = facts.survivors;
    std::shared_ptr<const Selection> selection;
    if (!options.refs.empty()) selection = select_nodes(service, options.plan, options.refs);
    const PlanTotals after = selection ? selection->totals : totals(service.get_plan(options.plan));
    const PlanTotals& before = facts.before;
    summary.passed = after.passed_stages - before.passed_stages;
    summary.failed = after.failed_stages - before.failed_stages;
    summary.skipped = after.skipped_stages - before.skipped_stages;
    summary.cancelled = after.cancelled_stages - before.cancelled_stages;
    summary.failed_checks = after.failed_checks;
    summary.unfinished = after.checks - after.final_checks + after.stages - after.final_stages;
    add_times(summary, facts.durations, service, options.plan);
    add_verdict(summary, service, options, facts.durations.empty() && facts.signal == 0);
    if (summary.unfinished > 0) add_waits(summary, service, options, selection.get(), commands, now);
    service.flush();
    report.exit_code = facts.signal != 0 ? 128 + facts.signal : exit_code(summary.verdict);
    return report;
}

}  // namespace turboci
