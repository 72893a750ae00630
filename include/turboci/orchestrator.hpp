// SPDX-License-Identifier: Apache-2.0
// The orchestrator: applies writes, resolves dependencies and advances states to a fixpoint, all in
// one transaction. The only code that changes the state of a node.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "turboci/outline.hpp"
#include "turboci/requests.hpp"
#include "turboci/store.hpp"
#include "turboci/time.hpp"

namespace turboci {

/// Works on validated requests (see endpoint.hpp). The cost of a write follows the nodes that it names,
/// their neighbours, and what moves in consequence. Not thread-safe; one per thread or process.
class Orchestrator {
public:
    /// Both must outlive the orchestrator.
    Orchestrator(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    /// Without a probe every runner is taken for alive.
    void set_runner_probe(RunnerProbe probe) { runner_probe_ = std::move(probe); }
    /// A runner that cannot be probed is gone when it has been silent for so long.
    void set_lost_after(Duration silence) { lost_after_ = silence; }
    static constexpr Duration kLostAfter = std::chrono::seconds(60);

    /// CONFLICT if the id exists; else as write_nodes().
    WriteResult create_plan(const CreatePlan& request);
    /// NOT_FOUND (plan), CONFLICT (if_version, attempt held by another), INVALID_STATE, INVALID_ARGUMENT
    /// (ambiguous bare names), INVALID_DEPENDENCY, CYCLIC_DEPENDENCY. Nothing is written on any error.
    WriteResult write_nodes(const WriteNodes& request);
    /// Ends attempts that are past their timeout or heartbeat, or whose runner on this host is gone.
    WriteResult tick(const WriteNodes& request);
    /// CONFLICT while an attempt is held, unless `force`.
    void delete_plan(const std::string& plan, bool force);
    /// A sign of life of a holder of attempts. No write of any plan: no version, no record.
    void beat(const std::string& holder);
    /// The holder holds nothing any more.
    void end_beats(const std::string& holder);

    [[nodiscard]] std::vector<WorkPlan> list_plans();
    /// `plan` empty: the only one; USAGE error listing the candidates if there are several.
    [[nodiscard]] WorkPlan get_plan(const std::string& plan);
    /// At most `limit` entries in each of the summary's lists.
    [[nodiscard]] PlanSummary summarize(const std::string& plan, std::size_t limit);
    /// NOT_FOUND if a named node is not there; INVALID_ARGUMENT if a bare name is two nodes.
    void query(const QueryNodes& request, NodeSink& sink);
    /// The same nodes, for a drawing. Ignores QueryNodes::parts.
    [[nodiscard]] Outline outline(const QueryNodes& request);
    [[nodiscard]] Explanation explain(const std::string& plan, const RefText& ref);
    void read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit);

    /// Writes a whole plan, its record included, as lines of JSON without line ends. Same plan, same bytes.
    void export_plan(const std::string& plan, const std::function<void(std::string_view line)>& write);
    /// Creates the plan that export_plan() wrote. What can be derived is derived anew, and every node must
    /// be one that the rules allow: INVALID_ARGUMENT with the line otherwise. CONFLICT if the plan exists.
    /// `name` is what messages call the text.
    WorkPlan import_plan(std::string_view text, const std::string& name);
    /// Nodes of any plan that the rules could not have brought where they are, a line each. Empty: sound.
    [[nodiscard]] std::vector<std::string> check_states();

private:
    Store& store_;
    const Clock& clock_;
    RunnerProbe runner_probe_;
    Duration lost_after_ = kLostAfter;
};

}  // namespace turboci
