// SPDX-License-Identifier: Apache-2.0
// The service: everything that may be asked of plans. Transports call it; it is local, or a client of one
// that is elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/error.hpp"
#include "turboci/requests.hpp"
#include "turboci/runner.hpp"
#include "turboci/time.hpp"
#include "turboci/wait.hpp"

namespace turboci {

class Store;
struct Outline;

/// What became of one request of a batch: an answer, or the error with which it was refused.
struct BatchAnswer {
    std::optional<WriteResult> result;
    std::optional<Error> error;
};

/// Every call is one transaction. Requests are validated whole, all problems at once, before a store is
/// asked. The cost of a write follows the nodes that it names, their neighbours, and what moves in
/// consequence. Not thread-safe. Errors are thrown as Error; nothing is written on any of them.
class Service {
public:
    virtual ~Service() = default;
    /// The same service whose calls wait as `wait` says: for the deadline and the cancellation of one caller.
    /// Counts as this one where only one call at a time is allowed.
    [[nodiscard]] virtual std::unique_ptr<Service> with(Wait wait) = 0;

    // ---- writing
    /// CONFLICT if the id exists; else as write_nodes().
    virtual WriteResult create_plan(const CreatePlan& request) = 0;
    /// NOT_FOUND (plan), CONFLICT (if_version, attempt held by another), INVALID_STATE, INVALID_ARGUMENT,
    /// INVALID_DEPENDENCY, CYCLIC_DEPENDENCY. A claim that gets nothing is no error, unless it named its
    /// stages.
    virtual WriteResult write_nodes(const WriteNodes& request) = 0;
    /// The requests one after another in one transaction, each with its own version, record, op_id and error:
    /// one that is refused leaves nothing and does not keep the others from being written. A `dry_run` is
    /// INVALID_ARGUMENT here. Errors of the store are thrown, and nothing of the batch is written.
    virtual std::vector<BatchAnswer> write_batch(std::span<const WriteNodes> requests) = 0;
    /// write_nodes() for who cannot go on without an attempt: PENDING if nothing is ready to claim; CONFLICT
    /// if `op_id` was another write's.
    WriteResult claim(const WriteNodes& request);
    /// CONFLICT while an attempt of the old plan is held, if another plan was made from it already, or if the
    /// new id exists; INVALID_DEPENDENCY if a node that is kept needs one that is left out; NOT_FOUND if a
    /// node that is to begin anew is not there; else as write_nodes().
    virtual RerunResult rerun_plan(const RerunPlan& request) = 0;
    /// The plan of that very id. CONFLICT while a process holds an attempt, unless `force`.
    virtual void delete_plan(const std::string& plan, bool force) = 0;
    /// Returns what was deleted, the oldest first; with `dry_run` what would be.
    virtual std::vector<WorkPlan> prune_plans(const PrunePlans& request) = 0;
    /// No write of any plan: no version, no record. True: the holder is to take no new work.
    virtual bool beat(const Beat& beat) = 0;
    /// The holder holds nothing any more.
    virtual void end_beats(const std::string& holder) = 0;
    /// Tells workers of that name or identity to take no new work. NOT_FOUND if there is none.
    virtual void drain_worker(const std::string& name) = 0;
    /// Returns the number of the part that is expected next; one that is there already changes nothing.
    /// CONFLICT (ATTEMPT_GONE) if the token is not the attempt's any more, INVALID_STATE long after its end,
    /// INVALID_ARGUMENT if a part is missing before this one.
    virtual std::int64_t append_output(const AppendOutput& request) = 0;

    // ---- reading. `plan` is an id, the only beginning of one, `@latest`, or KEY=VALUE of a label for the
    // newest that has it; an exact id wins. Empty: the only plan from which no other was made. USAGE error
    // listing the candidates if there are several, NOT_FOUND if there is none
    [[nodiscard]] virtual std::vector<WorkPlan> list_plans() = 0;
    [[nodiscard]] virtual WorkPlan get_plan(const std::string& plan) = 0;
    /// At most `limit` entries in each of the summary's lists.
    [[nodiscard]] virtual PlanSummary summarize(const std::string& plan, std::size_t limit) = 0;
    /// NOT_FOUND if a named node is not there; INVALID_ARGUMENT if a bare name is two nodes.
    virtual void query(const QueryNodes& request, NodeSink& sink) = 0;
    /// The same nodes, for a drawing. Ignores QueryNodes::parts.
    [[nodiscard]] virtual Outline outline(const QueryNodes& request) = 0;
    [[nodiscard]] virtual Explanation explain(const std::string& plan, const RefText& ref) = 0;
    /// What would be claimed, in that order, if everything that `filter` takes were claimed as soon as it is
    /// ready, and completed. Writes nothing.
    [[nodiscard]] virtual std::vector<ClaimedAttempt> rehearse(const std::string& plan,
                                                               const ClaimFilter& filter) = 0;
    /// By name, then by the time when they were started.
    [[nodiscard]] virtual std::vector<Worker> workers() = 0;
    /// NOT_FOUND if the attempt is not there, or has ended and has no log, or that is gone. `visit` must not
    /// call the service.
    virtual void read_output(const ReadOutput& request,
                             const std::function<void(const OutputPart&)>& visit) = 0;
    virtual void read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit) = 0;
    /// Returns the plan once its version is another than `seen`, or as it is: after `at_most`, or when
    /// Wait::give_up says so. NOT_FOUND when it is gone.
    [[nodiscard]] virtual WorkPlan watch(const std::string& plan, std::int64_t seen, Duration at_most) = 0;
    /// For who acts upon what was read, or tells other programs: after it returns, neither crash nor power
    /// cut of the store loses what the calls before it have answered. Writes, refusals and exports need none.
    virtual void flush() = 0;

    // ---- whole plans
    /// Writes a whole plan, its record included, as lines of JSON without line ends. Same plan, same bytes.
    virtual void export_plan(const std::string& plan,
                             const std::function<void(std::string_view line)>& write) = 0;
    /// Creates the plan that export_plan() wrote. What can be derived is derived anew, and every node must
    /// be one that the rules allow: INVALID_ARGUMENT with the line otherwise. CONFLICT if the plan exists.
    /// `name` is what messages call the text.
    virtual WorkPlan import_plan(std::string_view text, const std::string& name) = 0;
    /// Nodes of any plan that the rules could not have brought where they are, a line each. Empty: sound.
    [[nodiscard]] virtual std::vector<std::string> check_states() = 0;
};

/// How a local service sees runners, and how long its calls wait.
struct ServiceOptions {
    static constexpr Duration kLostAfter = std::chrono::seconds(60);
    RunnerProbe probe = {};       ///< empty: every runner is taken for alive
    OpenOutput open_output = {};  ///< empty: there are no files beside the store
    Duration lost_after =
        kLostAfter;  ///< a runner that cannot be probed is gone when it was silent for so long
    Wait wait = {};
    bool exact_ids = false;  ///< a plan is chosen by its whole id alone: for callers that are programs
};

/// The service on a store, which must outlive it. Time is the store's.
[[nodiscard]] std::unique_ptr<Service> make_local_service(Store& store, ServiceOptions options = {});

}  // namespace turboci
