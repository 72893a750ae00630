// SPDX-License-Identifier: Apache-2.0
// One plan that is being executed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "os/exec_space.hpp"
#include "runner/attempt_log.hpp"
#include "runner/log_shipper.hpp"
#include "runner/run_state.hpp"
#include "runner/run_store.hpp"
#include "runner/stage_command.hpp"
#include "runner/store_thread.hpp"
#include "turboci/service.hpp"

namespace turboci {

struct RunOptions {
    std::string store_path;  ///< absolute; logs are beside it
    std::string store;       ///< what TURBOCI_STORE is for the stages: that path, or a server's URL
    bool ship_logs = false;  ///< the store is on another machine: it gets what is printed, too
    std::string plan;        ///< empty: the only one
    std::string actor;
    std::vector<RefText> refs;        ///< empty: everything; else these and what they need
    int jobs = 1;                     ///< commands at a time, at least 1
    std::size_t fail_fast = 0;        ///< cancel what is left after so many failures; 0: never
    std::optional<Duration> timeout;  ///< of the whole run, which is cancelled then
    Duration cleanup_timeout = std::chrono::minutes(5);  ///< for what cleans up after a cancelled run
    bool cancel_on_signal = false;     ///< a signal cancels, instead of leaving work for later
    std::vector<std::string> runners;  ///< kinds of stages, see ClaimFilter; empty: those that need none
    std::size_t log_limit = std::size_t{16} << 20;
    Duration watch_interval = std::chrono::seconds(1);  ///< how often to look for writes of others
    /// Whoever cannot look for this process takes it for gone after so long without a sign of life. It gives
    /// one six times as often, and stops what it runs when it could give none for two thirds of it.
    Duration lost_after = ServiceOptions::kLostAfter;
    std::vector<std::string> environment;            ///< what commands inherit
    std::size_t exec_space = turboci::exec_space();  ///< what a command may take, with its environment
    Wait wait;                                       ///< for the store; a second signal ends it
    bool beats = true;                               ///< says itself that it lives
    std::string process_uid;                         ///< what its attempts carry; empty: one of this process
    std::string holder;  ///< identity of who holds the attempts, and ends its signs of life; empty: a new one
    bool ahead = true;   ///< may claim more than there is room to start at once
    bool threaded = true;  ///< talk to the store in a thread of its own; tests need one order of events
};

/// How long what commands have left behind may take to end.
inline constexpr Duration kSettle = std::chrono::seconds(5);

/// Carries out what RunState decides for one plan, and tells it what happened. An attempt is RUNNING in the
/// store before its command is started, and ended there after the command ended: until then nothing that
/// depends on it begins, whoever asks for its end. Transactions run beside the commands, in a thread of their
/// own.
class PlanRun {
public:
    /// `options.plan` is the plan's whole id. `turn`: held while the service is used, where other runs use
    /// it, too; may be null. All must outlive this object.
    PlanRun(Service& service, CommandRunner& runner, const Clock& clock, RunListener& listener,
            RunOptions options, WorkPlan plan, std::mutex* turn = nullptr);
    PlanRun(const PlanRun&) = delete;
    PlanRun& operator=(const PlanRun&) = delete;

    [[nodiscard]] RunState& state() noexcept { return *state_; }
    [[nodiscard]] const StageCommands& commands() const noexcept { return commands_; }
    /// Of what was selected, when the run began.
    [[nodiscard]] const PlanTotals& totals_before() const noexcept { return totals_before_; }

    /// Does what is to be done now.
    struct Step {
        bool again = false;                  ///< there is something new to decide at once
        std::optional<Duration> wait_until;  ///< for the next event, but no longer; absent: for ever
    };
    [[nodiscard]] Step step();
    /// False: it is another's.
    bool handle_end(const CommandEnd& end);
    /// Takes in what the store said, if it has answered.
    void finish_job();
    /// When RunState::finished(): what was printed last is sent, and what is left of a broken run written.
    void close();

private:
    struct Process {
        StartId id{};
        CommandId command{};
        std::shared_ptr<AttemptLog> log;
        std::shared_ptr<LogShipper::Feed> feed;  ///< where logs are shipped
        bool listened_to = false;                ///< silence ends it
    };

    [[nodiscard]] Duration now() const { return clock_.read().since_boot; }
    void listen();
    [[nodiscard]] bool carry_out(RunActions& actions);
    void begin_job(const RunActions& actions);
    [[nodiscard]] bool start(const RunActions::Start& start);
    void tell(const std::vector<News>& news);
    [[nodiscard]] std::unique_lock<std::mutex> take_turn() const;
    void write_what_is_left();
    void ship_what_is_left();

    Service& service_;
    CommandRunner& runner_;
    const Clock& clock_;
    RunListener& listener_;
    RunOptions options_;
    std::mutex* turn_;
    StageCommands commands_;
    PlanTotals totals_before_;
    std::optional<RunStore> store_;
    std::optional<RunState> state_;
    std::string plan_identity_;
    std::unique_ptr<LogDirectory> logs_;  ///< from the first start on
    std::optional<LogShipper> shipper_;   ///< where logs are shipped

    std::vector<Process> processes_;
    std::vector<StageStart> started_;  ///< to be told

    // What the job under way has found.
    StoreJob job_ = StoreJob::none;
    std::function<void()> retry_;  ///< the job, if it did not wait for the store
    WriteResult written_;
    WorkPlan seen_;
    Inspection inspection_;
    std::unique_ptr<StoreThread> thread_;  ///< last: it works on members above
};

}  // namespace turboci
