// SPDX-License-Identifier: Apache-2.0
// What `turboci run` does next: a state machine without processes, store, thread or clock. Events go in,
// actions come out; Executor carries them out. docs/architecture.md has a picture of the phases.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "os/command_runner.hpp"
#include "runner/commit_delay.hpp"
#include "runner/run_listener.hpp"
#include "runner/selection.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// How far a run has come. It only moves forward, and each phase keeps what those before it forbid.
enum class RunPhase : std::uint8_t {
    running,      ///< Ready attempts are claimed and started.
    cleaning_up,  ///< What was selected is cancelled (--fail-fast, --timeout): what cleans up is claimed and
                  ///< started, for a limited time.
    draining,     ///< Nothing more is claimed; what runs goes on to its end.
    timed_out,    ///< The time for that is over: nothing is started, what runs has been told to end.
    interrupted,  ///< A signal came: likewise.
    killed,       ///< A second signal came: what runs has been killed, and a locked store is not waited for.
    broken,       ///< Store or logs cannot be used: what runs has been told to end, the store is left alone.
    finished,     ///< No process runs, and nothing is left to write or to wait for; `broken` leaves ends
                  ///< unwritten.
};

/// One start of an attempt by this run; never used twice.
enum class StartId : std::uint64_t {};

/// An attempt that is over here and not yet in the store.
struct EndWrite {
    StageEnd event;
    HolderWord word;
    bool no_retry = false;
};

/// An attempt whose process is being stopped: others shall see that at once.
struct StopMark {
    std::string stage;
    std::int32_t idx = 0;
    Cause cause = Cause::timeout;
    std::string reason;
};

struct AttemptId {
    std::string stage;
    std::int32_t idx = 0;
};

/// What one transaction carries.
struct Batch {
    std::vector<EndWrite> ends;
    std::vector<StopMark> marks;
    std::vector<AttemptId> started;              ///< were claimed ahead, and their commands run: RUNNING
    std::vector<AttemptId> given_back;           ///< were claimed ahead, and are not started: PENDING
    std::int32_t claim = 0;                      ///< so many attempts are asked for, to be started at once
    std::int32_t claim_ahead = 0;                ///< and so many more that stay SCHEDULED
    std::shared_ptr<const Selection> selection;  ///< the claim is for stages of these; null: any
    std::string cancel;                          ///< not empty: cancels what is selected, for this reason
    bool cancel_all = false;                     ///< with `cancel`: what cleans up, too
    bool tick = false;                           ///< attempts of dead runners are looked for as well
};

/// What the store is asked to do. One thing at a time.
enum class StoreJob : std::uint8_t {
    none,
    batch,    ///< write RunState::batch()
    look,     ///< read the plan's row: have others written?
    inspect,  ///< read the attempts that this run holds, or if it holds none, all that are not over
    beat,     ///< say that this run lives
};

/// What StoreJob::inspect found.
struct Inspection {
    WorkPlan plan;
    std::unordered_map<std::string, Attempt> current;  ///< by stage: its latest attempt
    std::shared_ptr<const Selection> selection;        ///< null: everything
    bool others_work = false;                          ///< attempts are held elsewhere that are bound to end
    bool runner_died = false;  ///< an attempt is held by a runner of this host that is gone
    bool work_later = false;   ///< attempts that this run can execute are PENDING
    std::size_t failures = 0;  ///< nodes that failed and make the verdict say no; with RunActions::judge
};

/// What is left of a command that is over, beside how it ended.
struct AttemptOutput {
    std::string tail;             ///< the last lines that it wrote
    std::string log_path;         ///< of the file here; empty: there is none
    std::optional<LogPlace> log;  ///< where the store finds it
    int log_error = 0;            ///< an errno: why the file is not complete
};

struct FinalNode {
    NodeRef node;
    Outcome outcome = Outcome::passed;
};
/// What the listener is to hear; a string is a note.
using News = std::variant<std::string, StageEnd, FinalNode>;

/// What is to be done now, in this order.
struct RunActions {
    struct Start {
        StartId id{};
        ClaimedAttempt attempt;
    };
    std::vector<StartId> stop;           ///< SIGTERM
    std::vector<StartId> kill;           ///< SIGKILL
    StoreJob job = StoreJob::none;       ///< given to the store before anything starts: disks work meanwhile
    std::vector<std::string> inspect;    ///< with StoreJob::inspect: these stages; empty: all
    bool judge = false;                  ///< with StoreJob::inspect: count the failures
    std::vector<Start> start;            ///< RUNNING in the store
    std::vector<News> news;              ///< in the order in which it happened
    std::optional<Duration> wait_until;  ///< for the next event, but no longer; absent: for ever
};

struct RunSettings {
    std::size_t jobs = 1;       ///< commands at a time
    std::size_t fail_fast = 0;  ///< cancel after so many failures; 0: never
    std::optional<Duration> timeout;
    Duration cleanup_timeout{0};  ///< how long what cleans up may take then
    bool cancel_on_signal = false;
    Duration watch_interval{0};  ///< how often to look for writes of others
    Duration lost_after{0};      ///< who was silent for so long counts as gone
    bool beats = true;           ///< says itself that it lives; else alive() tells that somebody else did
    bool claims_ahead = true;    ///< may hold attempts before there is room to start them
    std::string holder;          ///< random identity of this run
    std::string process_uid;     ///< what its attempts carry
};

/// The state of one run. Each event is one call; next() then says what to do. After next() has named a job,
/// an event says how the job ended before another one is named.
class RunState {
public:
    RunState(RunSettings settings, WorkPlan plan, std::shared_ptr<const Selection> selection, Duration now);

    // ------------------------------------------------------------------------------- events
    void signalled(int number, Duration now);
    void command_ended(StartId id, const CommandEnd& end, AttemptOutput output, Duration now);
    /// A start that next() asked for was not possible. `no_retry`: nor will it ever be.
    void not_started(StartId id, std::string failure, bool no_retry, Duration now);
    void batch_committed(WriteResult result, Duration now);
    void looked(WorkPlan plan, Duration now);
    void inspected(Inspection found, Duration now);
    void beaten(Duration now);
    /// A command last wrote something at that time.
    void heard(StartId id, Duration at);
    /// The job failed. `reason`: `error` as it was thrown.
    void job_failed(const Error& error, std::exception_ptr reason, Duration now);
    /// The job failed with something else than an Error.
    void job_broken(std::exception_ptr reason, Duration now);
    /// Something that the run cannot do without is broken.
    /// A worker goes on, and what it holds is not taken for lost: nobody else would ever end it.
    [[nodiscard]] bool must_tell_ends() const;
    void give_up(std::exception_ptr reason);
    /// Others have said for this process that it lives.
    void alive(Duration now) { beaten_at_ = now; }
    /// Takes up an attempt that is held for this run already. To be started, by the next next().
    void adopt(ClaimedAttempt attempt, Duration now);
    /// No more is to be claimed.
    void drain() { advance_to(RunPhase::draining); }
    /// From now on so many commands at a time; those that run go on.
    void allow(std::size_t jobs) { settings_.jobs = jobs; }

    // ---------------------------------------------------------------------------- decisions
    [[nodiscard]] RunActions next(Duration now);
    /// What StoreJob::batch writes. Unchanged until the event that says how that went.
    [[nodiscard]] const Batch& batch() const noexcept { return batch_; }

    // ------------------------------------------------------------------------------- reading
    [[nodiscard]] RunPhase phase() const noexcept { return phase_; }
    [[nodiscard]] bool finished() const noexcept { return phase_ == RunPhase::finished; }
    /// Commands that run or are about to, and what is being claimed for at once.
    [[nodiscard]] std::size_t used_slots() const noexcept;
    /// It holds nothing, nothing is under way, and nothing more can be claimed now, or there is no slot for
    /// it.
    [[nodiscard]] bool idle() const;
    /// Something may be ready that was not claimed.
    [[nodiscard]] bool wants_more() const noexcept { return claim_; }
    /// As it was seen last.
    [[nodiscard]] const WorkPlan& plan() const noexcept { return plan_; }
    /// When the next attempt is ready, as far as it is known.
    [[nodiscard]] std::optional<Duration> ready_at() const noexcept { return ready_at_; }
    [[nodiscard]] int signal() const noexcept { return signal_; }  ///< the first one; 0: none
    /// Why the run is `broken`, else null.
    [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }
    /// What a broken run could not write.
    [[nodiscard]] Batch unwritten() const;
    [[nodiscard]] RunProgress progress(Duration now) const;
    /// How long the commands of each stage ran.
    [[nodiscard]] const std::unordered_map<std::string, Duration>& durations() const { return durations_; }
    [[nodiscard]] std::int64_t retried() const noexcept { return retried_; }  ///< attempts beyond the first

private:
    /// Why a command was told to end.
    enum class StopReason : std::uint8_t {
        none,         ///< it was not
        timed_out,    ///< by its stage's timeout
        silent,       ///< it wrote nothing for too long
        cancelled,    ///< it cleaned up for too long
        interrupted,  ///< the run itself stops
        asked,        ///< somebody has marked its attempt: the store knows why
        disowned,     ///< its attempt is not ours any more: nothing is left to write
    };
    struct Running {
        std::string stage;
        std::int32_t idx = 1;
        std::int32_t max_attempts = 1;
        std::optional<Duration> timeout;
        std::optional<Duration> silence;
        Duration started{0};
        Duration heard{0};  ///< when it last wrote something
        StopReason stopped = StopReason::none;
    };
    /// What is left for this run once nothing of it runs, as of the version last seen.
    enum class Outlook : std::uint8_t {
        unknown,  ///< nobody has looked since the plan changed: inspect when nothing runs
        nothing,  ///< the run is over
        later,    ///< attempts become ready, see ready_at_
        others,   ///< others will end their attempts: look again and again
    };

    /// An attempt that was claimed ahead.
    struct Ahead {
        ClaimedAttempt attempt;
        Duration since{0};
    };

    /// Slots that neither a command has nor an attempt which is being claimed will have.
    [[nodiscard]] std::size_t free_slots() const;
    /// Nothing is started any more.
    [[nodiscard]] bool stopping() const { return phase_ > RunPhase::draining; }
    void advance_to(RunPhase phase);
    void stop_all(StopReason why, bool at_once);
    void pass_time(Duration now);
    void end_late_commands(Duration now);
    void cancel(std::string why, Duration now);
    void end_cleaning_up();
    void start_claimed(Duration now, RunActions& actions);
    void start_ahead(Duration now);
    void give_back_ahead(Duration now);
    [[nodiscard]] std::int32_t wanted_ahead() const;
    [[nodiscard]] std::optional<Duration> commit_delay(Duration now);
    [[nodiscard]] StoreJob choose_job(Duration now);
    [[nodiscard]] bool holds_nothing() const;
    [[nodiscard]] bool has_to_write() const;
    void fill_batch(Duration now);
    void begin_job(StoreJob job, Duration now, RunActions& actions);
    [[nodiscard]] bool wants_claim() const;
    [[nodiscard]] bool must_beat(Duration now) const;
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] std::optional<Duration> wait_until() const;
    StoreJob job_done(Duration now);
    void take_batch_back();
    void see_plan(WorkPlan plan);
    void take(ClaimedAttempt attempt, Duration now);
    void hold(ClaimedAttempt attempt, Duration now);
    void report_batch(const Batch& batch, const WriteResult& result);
    void inspect_running(const Inspection& found);
    void inspect_ahead(const Inspection& found);
    void inspect_ends(const Inspection& found);
    [[nodiscard]] const Attempt* held_attempt(const Inspection& found, const std::string& stage,
                                              std::int32_t idx) const;
    void judge_end(const StageEnd& event);
    void judge_failures(std::size_t failures, Duration now);
    void report_end(StageEnd event);
    [[nodiscard]] EndWrite end_of(const Running& attempt, Duration now) const;
    [[nodiscard]] std::string interruption() const;
    [[nodiscard]] static std::string timeout_text(const Running& attempt);
    [[nodiscard]] static std::string silence_text(const Running& attempt);

    RunSettings settings_;
    RunPhase phase_ = RunPhase::running;
    int signal_ = 0;
    std::exception_ptr error_;

    // Each attempt that this run holds is in exactly one of these.
    std::map<StartId, Running> running_;       ///< those of to_start_ included
    std::vector<RunActions::Start> to_start_;  ///< RUNNING in the store, their commands are to be started
    std::deque<Ahead> ahead_;                  ///< SCHEDULED in the store, oldest first
    std::vector<AttemptId> given_back_;        ///< for the next batch
    std::vector<EndWrite> ends_;               ///< likewise
    Batch batch_;                              ///< with StoreJob::batch

    std::vector<StopMark> marks_;              ///< of `running_`, for the next batch
    std::vector<AttemptId> unwritten_starts_;  ///< likewise: still SCHEDULED in the store
    std::vector<StartId> stop_;
    std::vector<StartId> kill_;
    std::vector<News> news_;
    std::uint64_t last_id_ = 0;

    StoreJob job_ = StoreJob::none;
    CommitDelay commit_delay_;
    int lock_failures_ = 0;   ///< in a row
    int batch_failures_ = 0;  ///< likewise: refused for the state of an attempt

    // What is known of the plan, and what is to be asked.
    WorkPlan plan_;
    std::shared_ptr<const Selection> selection_;
    Outlook outlook_ = Outlook::unknown;
    bool claim_ = true;     ///< something may be ready
    bool tick_ = true;      ///< the next batch looks for dead runners
    bool inspect_ = false;  ///< others have written: our attempts may not be what they were
    bool judge_ = false;    ///< something may have failed: count the failures before anything is claimed
    std::string cancel_;    ///< for the next batch: why what was selected is cancelled
    bool cancel_all_ = false;
    Duration cleaned_up_by_{0};  ///< while cleaning up
    std::int64_t death_seen_at_version_ = 0;

    Duration began_;
    Duration store_seen_at_;
    Duration inspected_at_;
    Duration beaten_at_;
    Duration ticked_at_{0};
    Duration batch_began_{0};
    std::optional<Duration> delay_until_;  ///< the ends at hand wait so long for others
    std::optional<Duration> ready_at_;     ///< when a waiting attempt becomes ready
    std::optional<Duration> retry_at_;     ///< when to try a locked store again

    std::unordered_map<std::string, Duration> durations_;
    std::int64_t retried_ = 0;
};

}  // namespace turboci
