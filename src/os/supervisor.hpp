// SPDX-License-Identifier: Apache-2.0
// The real CommandRunner: epoll over signals and output pipes; children are never polled.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "os/command_runner.hpp"
#include "os/leftovers.hpp"
#include "os/process.hpp"
#include "os/process_identity.hpp"
#include "os/signals.hpp"

namespace turboci {

struct SupervisorOptions {
    Duration grace = std::chrono::seconds(10);  ///< between SIGTERM and SIGKILL
    /// How long a command may stay stopped (SIGSTOP, SIGTTIN …) before it counts as hanging. It is told to
    /// end then, and killed when `grace` has passed since it stopped.
    Duration stopped_grace = std::chrono::seconds(5);
};

/// Supervises commands on this machine. While it lives the process is a child subreaper, so whatever a
/// command leaves behind becomes our child, is recognised (by process group, else by a marker in its
/// environment, else by having outlived every command that may have started it) and is killed.
/// At most one at a time in a process, which should have no other use for its children.
class Supervisor final : public CommandRunner {
public:
    explicit Supervisor(SupervisorOptions options = {});
    /// Kills what still runs.
    ~Supervisor() override;
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    [[nodiscard]] CommandId start(const Command& command) override;
    void stop(CommandId id) override;
    void kill(CommandId id) override;
    [[nodiscard]] RunnerEvents wait(std::optional<Duration> at_most) override;
    void notify() noexcept override;
    std::size_t settle(Duration at_most) override;

private:
    using SteadyTime = std::chrono::steady_clock::time_point;
    struct Running {
        pid_t pid = 0;
        std::int64_t start_time = 0;  ///< clock ticks after boot, rounded down
        UniqueFd output;
        std::shared_ptr<OutputSink> sink;
        std::optional<SteadyTime> kill_at;  ///< the end of its grace
        std::optional<SteadyTime> hung_at;  ///< when being stopped counts as hanging
        int stop_signal = 0;
        bool hung = false;
    };

    void watch(int fd, std::uint64_t tag);
    void handle(std::uint64_t tag, RunnerEvents& events);
    void handle_signals(RunnerEvents& events);
    bool reap(RunnerEvents& events);  ///< false: no children are left
    void command_exited(CommandId id, RunnerEvents& events);
    void note_stop(pid_t pid, int code, int status);
    void read_output(Running& running, std::size_t at_most);
    void terminate(Running& running, Duration grace);
    void run_timers();
    [[nodiscard]] std::optional<SteadyTime> next_timer() const;
    /// Kills orphans that belong to no running command; returns how many there are of these, those that are
    /// dead and not yet reaped included.
    std::size_t sweep();
    [[nodiscard]] bool may_belong_to_running(pid_t pid, const ProcessStat& stat) const;

    SupervisorOptions options_;
    SignalReader signals_;
    Spawner spawner_;
    UniqueFd epoll_;
    UniqueFd wake_;
    std::unordered_map<std::uint64_t, Running> running_;  ///< by CommandId
    std::unordered_map<pid_t, CommandId> by_pid_;
    std::unordered_set<pid_t> older_children_;  ///< children that we had before: not ours to end
    std::vector<CommandEnd> not_started_;
    std::vector<char> buffer_;
    SupervisorMark mark_;  ///< of the command started last
    std::uint64_t last_id_ = 0;
    std::int64_t ticks_per_second_ = 100;
    pid_t own_group_ = 0;
    int subreaper_before_ = 0;
};

}  // namespace turboci
