// SPDX-License-Identifier: Apache-2.0
// `turboci run`: executes ready stages until nothing can move any more.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "os/exec_space.hpp"
#include "runner/attempt_log.hpp"
#include "runner/commit_delay.hpp"
#include "runner/run_listener.hpp"
#include "runner/selection.hpp"
#include "runner/stage_command.hpp"
#include "runner/store_thread.hpp"
#include "turboci/command_runner.hpp"
#include "turboci/endpoint.hpp"

namespace turboci {

struct RunOptions {
    std::string store_path;  ///< absolute
    std::string plan;        ///< empty: the only one
    std::string actor;
    std::vector<RefText> refs;        ///< empty: everything; else these and what they need
    int jobs = 1;                     ///< commands at a time, at least 1
    bool fail_fast = false;           ///< start nothing after a failure
    std::optional<Duration> timeout;  ///< of the whole run
    std::size_t log_limit = std::size_t{16} << 20;
    Duration watch_interval = std::chrono::seconds(1);  ///< how often to look for writes of others
    /// Whoever cannot look for this process takes it for gone after so long without a sign of life. It gives
    /// one six times as often, and stops what it runs when it could give none for two thirds of it.
    Duration lost_after = Orchestrator::kLostAfter;
    std::vector<std::string> environment;             ///< what commands inherit
    std::size_t exec_space = turboci::exec_space();   ///< what a command may take, with its environment
    std::shared_ptr<std::atomic<bool>> stop_waiting;  ///< set when the store is not to be waited for any more
    bool threaded = true;  ///< talk to the store in a thread of its own; tests need one order of events
};

/// What a run came to.
struct RunReport {
    int exit_code = 0;  ///< 0, 1, 8 or 128+n
    RunSummary summary;
};

/// One stage that a run would execute.
struct DryStep {
    std::string stage;
    std::vector<std::string> argv;
    std::string problem;                  ///< not empty: why its args.command cannot be executed
    std::optional<Timestamp> not_before;  ///< it is in backoff until then
};

/// What run() would execute, in order, if every command succeeded. Writes nothing.
[[nodiscard]] std::vector<DryStep> dry_run(Endpoint& endpoint, const RunOptions& options);

/// Runs a plan once. An attempt is RUNNING in the store before its command is started, and ended there after
/// the command ended: until then nothing that depends on it begins, whoever asks for its end. One transaction
/// carries all that is at hand: ends, marks of what is being stopped, and claims for the free slots.
/// Transactions run beside the commands, in a thread of their own.
class Executor {
public:
    /// All must outlive the executor; nothing else may use `endpoint` meanwhile.
    Executor(Endpoint& endpoint, CommandRunner& runner, const Clock& clock, RunListener& listener,
             RunOptions options);
    /// Throws what the store threw, after all commands have been ended.
    [[nodiscard]] RunReport run();

private:
    /// Why a command was told to end.
    enum class Stopped : std::uint8_t {
        no,
        timed_out,    ///< by its stage's timeout
        interrupted,  ///< by a signal, the run's own timeout, or a broken store
        asked,        ///< somebody has marked its attempt: the store knows why
        disowned,     ///< its attempt is not ours any more: nothing is left to write
    };
    struct Active {
        std::string stage;
        std::int32_t idx = 1;
        Retry retry;
        std::optional<Duration> timeout;
        Duration started{0};
        std::shared_ptr<AttemptLog> log;
        Stopped stopped = Stopped::no;
        bool marked = false;  ///< the store knows that it is being stopped
    };
    /// An attempt that is over here and not yet in the store.
    struct Ended {
        StageEnd event;
        HolderWord word;
        bool no_retry = false;
    };
    /// An attempt that is being stopped, for the store to know.
    struct Mark {
        std::string stage;
        std::int32_t idx = 0;
        Cause cause = Cause::timeout;
        std::string reason;
    };
    struct Batch {
        std::vector<Ended> ended;
        std::vector<Mark> marks;
        std::int32_t asked = 0;  ///< attempts asked for
        bool tick = false;       ///< dead runners are looked for as well
        bool in_place = false;   ///< done without the thread of the store, and without waiting
        WriteResult result;
    };
    /// What a look at the store found.
    struct Inspection {
        WorkPlan plan;
        std::unordered_map<std::string, Attempt> current;  ///< by stage: its latest attempt
        std::shared_ptr<const Selection> selection;
        bool others_work = false;  ///< attempts held elsewhere that are bound to end
        bool runner_died = false;  ///< an attempt is held by a runner of this host that is gone
        bool work_later = false;   ///< attempts of ours that are not ready yet
    };
    enum class Job : std::uint8_t { none, batch, look, inspect, beat };

    [[nodiscard]] Duration now() const { return clock_.read().since_boot; }
    [[nodiscard]] std::size_t free_slots() const {
        return static_cast<std::size_t>(options_.jobs) - active_.size() - claimed_.size();
    }
    [[nodiscard]] bool stopping() const { return interrupted_by_ != 0 || out_of_time_ || failing_ || fatal_; }

    void prepare();
    void loop();
    [[nodiscard]] bool gather();
    [[nodiscard]] std::optional<Duration> time_to_wait() const;
    void handle(const RunnerEvents& events);
    void handle_signal(int number);
    void handle_end(const CommandEnd& end);
    void check_times();
    void stop_all(Stopped why, bool at_once);
    void submit();
    void submit_batch(bool claim);
    void submit_look();
    void submit_inspection();
    void submit_beat();
    [[nodiscard]] bool must_beat(Duration at) const;
    [[nodiscard]] std::vector<Mark> take_marks();
    void handle_reply();
    void handle_failure(Job job, const Error& error);
    void handle_batch(Batch batch);
    void handle_inspection();
    void inspect(const QueryNodes& query);  ///< in the thread of the store
    [[nodiscard]] WorkPlan look_at_plan();  ///< likewise; NOT_FOUND if another plan has its id now
    void give_up(std::exception_ptr reason);
    void start_claimed();
    void start(const ClaimedAttempt& claimed);
    void judge_end(const Ended& ended);
    void learn_ends(Batch& batch);
    void report_end(const Ended& ended);
    void report_batch();
    void report_progress();
    [[nodiscard]] RunReport make_report();
    [[nodiscard]] bool finished() const;
    [[nodiscard]] std::string interruption() const;
    [[nodiscard]] static std::string timeout_text(const Active& active);
    [[nodiscard]] StageEnd describe_attempt(const Active& active) const;
    [[nodiscard]] WriteNodes make_request(const Batch& batch, bool claim);
    [[nodiscard]] bool fits(const std::string& stage, const JsonText& args);  ///< in the thread of the store
    void report_excess();
    [[nodiscard]] PlanTotals current_totals() const;

    Endpoint& endpoint_;
    CommandRunner& runner_;
    const Clock& clock_;
    RunListener& listener_;
    RunOptions options_;
    RunnerIdentity me_;
    std::string uid_;
    std::string holder_;         ///< random identity of this run
    std::string plan_identity_;  ///< of the plan itself
    std::string within_;         ///< the stages that this run is itself a part of, see enclosing_stage()
    std::optional<StageCommands> commands_;  ///< from prepare() on
    std::unique_ptr<LogDirectory> logs_;
    std::shared_ptr<const Selection> selection_;  ///< null: everything

    std::map<std::uint64_t, Active> active_;  ///< by CommandId
    std::vector<Ended> ended_;
    std::vector<ClaimedAttempt> claimed_;  ///< RUNNING in the store, to be started at once
    Job job_ = Job::none;
    Batch batch_;                                ///< in flight with Job::batch
    Inspection inspection_;                      ///< in flight with Job::look and Job::inspect
    std::map<std::string, std::string> excess_;  ///< likewise: stages that cannot be executed here, and why
    std::set<std::string> excess_told_;
    Batch told_;                                            ///< what the last batch brought, to be told
    std::vector<StageStart> started_;                       ///< the same, of what was started
    std::vector<std::shared_ptr<AttemptLog>> unmade_logs_;  ///< and its logs
    bool be_patient_ = false;                               ///< the next one may have to wait for the store

    CommitDelay commit_delay_;
    std::optional<Duration> held_until_;  ///< the ends at hand wait so long for others
    Duration submitted_at_{0};

    WorkPlan plan_;
    Duration began_{0};
    Duration looked_at_{0};  ///< when the store was last seen
    Duration inspected_at_{0};
    Duration ticked_at_{0};             ///< when dead runners were last looked for
    std::int64_t died_at_version_ = 0;  ///< the plan version at which one was last found
    std::optional<Duration> ready_at_;  ///< when a waiting attempt becomes ready
    std::optional<Duration> retry_at_;  ///< when to try a locked store again
    Duration beaten_at_{0};             ///< when the store last heard that this run lives
    bool has_beaten_ = false;           ///< by a beat, which is to be taken back
    int lock_failures_ = 0;
    int batch_failures_ = 0;
    bool tick_ = true;       ///< the next batch also looks for dead runners
    bool may_claim_ = true;  ///< something may be ready
    bool inspect_ = false;   ///< others have written: look at our attempts
    bool others_work_ = false;
    bool work_later_ = false;
    bool idle_checked_ = false;  ///< nothing is left to do as of the version last seen
    int interrupted_by_ = 0;
    bool at_once_ = false;  ///< a second signal came: nothing is waited for
    bool out_of_time_ = false;
    bool failing_ = false;
    std::exception_ptr fatal_;

    RunSummary summary_;
    std::unordered_map<std::string, Duration> durations_;
    PlanTotals totals_before_;
    std::unique_ptr<StoreThread> store_thread_;  ///< last: its thread works on members above
};

}  // namespace turboci
