// SPDX-License-Identifier: Apache-2.0
// The endpoint: requests are validated whole, all problems at once, before any lock is taken.
#pragma once

#include <string>
#include <vector>

#include "turboci/orchestrator.hpp"
#include "turboci/plan_file.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// Adds every problem that can be seen without a store: bad ids, duplicate nodes, states that a type does
/// not have, impossible groups, `when` on an earlier state, negative durations, control characters.
void validate(const WriteNodes& request, Problems& problems);

/// What an offline look at a whole plan finds beyond single problems (`turboci validate`): targets that
/// no file defines, cycles, and warnings of plans that can never finish.
struct PlanReview {
    std::vector<std::string> warnings;
};
/// Treats `request` as a complete plan. Problems found go to `problems`.
[[nodiscard]] PlanReview review(const WriteNodes& request, Problems& problems);

/// What transports call: the orchestrator behind validation.
class Endpoint {
public:
    Endpoint(Store& store, const Clock& clock) : orchestrator_(store, clock) {}

    void set_runner_probe(RunnerProbe probe) { orchestrator_.set_runner_probe(std::move(probe)); }

    WriteResult create_plan(const CreatePlan& request);
    WriteResult write_nodes(const WriteNodes& request);
    /// PENDING if nothing is ready to claim; CONFLICT if `op_id` was another write's.
    WriteResult claim(const WriteNodes& request);
    void set_lost_after(Duration silence) { orchestrator_.set_lost_after(silence); }
    WriteResult tick(const WriteNodes& request);
    void delete_plan(const std::string& plan, bool force = false) { orchestrator_.delete_plan(plan, force); }
    void beat(const std::string& holder) { orchestrator_.beat(holder); }
    void end_beats(const std::string& holder) { orchestrator_.end_beats(holder); }
    [[nodiscard]] std::vector<WorkPlan> list_plans() { return orchestrator_.list_plans(); }
    [[nodiscard]] WorkPlan get_plan(const std::string& plan) { return orchestrator_.get_plan(plan); }
    [[nodiscard]] PlanSummary summarize(const std::string& plan, std::size_t limit) {
        return orchestrator_.summarize(plan, limit);
    }
    void query(const QueryNodes& request, NodeSink& sink) { orchestrator_.query(request, sink); }
    [[nodiscard]] Outline outline(const QueryNodes& request) { return orchestrator_.outline(request); }
    [[nodiscard]] Explanation explain(const std::string& plan, const RefText& ref) {
        return orchestrator_.explain(plan, ref);
    }
    void read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit) {
        orchestrator_.read_log(request, visit);
    }
    void export_plan(const std::string& plan, const std::function<void(std::string_view line)>& write) {
        orchestrator_.export_plan(plan, write);
    }
    WorkPlan import_plan(std::string_view text, const std::string& name) {
        return orchestrator_.import_plan(text, name);
    }
    [[nodiscard]] std::vector<std::string> check_states() { return orchestrator_.check_states(); }

private:
    Orchestrator orchestrator_;
};

}  // namespace turboci
