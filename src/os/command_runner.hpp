// SPDX-License-Identifier: Apache-2.0
// How commands are started, watched and ended. The seam at which tests of the executor put a fake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/stage.hpp"
#include "turboci/time.hpp"

namespace turboci {

/// Takes what a command writes to its standard output and error, in the order in which it came.
class OutputSink {
public:
    virtual ~OutputSink() = default;
    /// Must neither throw nor wait for anything but a local disk.
    virtual void write(std::string_view bytes) noexcept = 0;
};

/// What to execute. Standard input is /dev/null.
struct Command {
    std::vector<std::string> argv;  ///< at least one; argv[0] without "/" is looked up in the PATH of `env`
    std::vector<std::string> env;   ///< the whole environment, "NAME=VALUE"
    std::string cwd;                ///< empty: the caller's
    std::shared_ptr<OutputSink> output;  ///< null: output is read and thrown away
};

enum class CommandId : std::uint64_t {};  ///< never used twice by one runner

/// How a command ended.
struct CommandEnd {
    enum class Kind : std::uint8_t {
        exited,       ///< `value` is the exit status
        signalled,    ///< `value` is the signal
        not_started,  ///< `value` is an errno and `problem` says what could not be done
    };
    CommandId id{};
    Kind kind = Kind::exited;
    int value = 0;
    std::string problem;
    bool hung = false;  ///< it had stopped itself (SIGSTOP, SIGTTIN …), nobody continued it, so it was ended
    int hung_signal = 0;
    [[nodiscard]] bool success() const noexcept { return kind == Kind::exited && value == 0 && !hung; }
};
/// "exit status 3", "exit status 137 (128+9: killed; out of memory?)", "killed by signal 9 (SIGKILL)",
/// "cannot execute 'x': No such file or directory".
[[nodiscard]] std::string describe(const CommandEnd& end);

/// What wait() saw. Any number of them at once, possibly none.
struct RunnerEvents {
    std::vector<CommandEnd> ended;
    std::vector<int> signals;  ///< SIGINT, SIGTERM, SIGHUP, SIGQUIT sent to this process, in order
    bool resized = false;      ///< SIGWINCH
    bool notified = false;     ///< notify() was called
};

/// Runs commands, each as a session and process group of its own. A command is over when its first process
/// has ended, whatever else holds its output; its descendants do not outlive it. Used from one thread, except
/// notify().
class CommandRunner {
public:
    virtual ~CommandRunner() = default;
    /// A command that cannot be started ends at once (Kind::not_started) in the next wait(). STORE if no
    /// process can be started at all, and none is running.
    [[nodiscard]] virtual CommandId start(const Command& command) = 0;
    /// SIGTERM (and SIGCONT) to the group; SIGKILL after the runner's grace. No-op for one that is over.
    virtual void stop(CommandId id) = 0;
    /// SIGKILL to the group now.
    virtual void kill(CommandId id) = 0;
    /// Waits for at most `at_most` (absent: for ever) until there is something to tell.
    [[nodiscard]] virtual RunnerEvents wait(std::optional<Duration> at_most) = 0;
    /// Makes a present or future wait() return. From any thread.
    virtual void notify() noexcept = 0;
    /// Kills whatever descendants are left of commands that are over and waits until they are gone; returns
    /// the number of processes that are still there after `at_most`.
    virtual std::size_t settle(Duration at_most) = 0;
};

}  // namespace turboci
