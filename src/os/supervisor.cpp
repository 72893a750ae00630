// SPDX-License-Identifier: Apache-2.0
#include "os/supervisor.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>

#include "os/files.hpp"
#include "os/leftovers.hpp"
#include "os/process_identity.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

constexpr std::uint64_t kSignalsTag = 0;
constexpr std::uint64_t kWakeTag = ~std::uint64_t{0};
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
// What may be left in a pipe whose writer is over: its capacity, which the writer may have raised.
constexpr std::size_t kMaxPipeBytes = 1u << 20;

constexpr std::chrono::nanoseconds kLongestWait = std::chrono::hours(1);

/// epoll_wait(2) that can wait for less than a millisecond. A negative time is for ever.
int wait_for_events(int epoll, std::span<epoll_event> ready, std::chrono::nanoseconds left) {
    const int size = static_cast<int>(ready.size());
    if (left.count() <= 0 || left >= std::chrono::milliseconds(20)) {
        const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        return ::epoll_wait(epoll, ready.data(), size, left.count() < 0 ? -1 : static_cast<int>(rounded));
    }
    const timespec precise{0, static_cast<long>(left.count())};
    const int n = ::epoll_pwait2(epoll, ready.data(), size, &precise, nullptr);
    // A kernel older than 5.11, or a sandbox that does not know it.
    if (n < 0 && (errno == ENOSYS || errno == EPERM))
        return ::epoll_wait(epoll, ready.data(), size, 1 + static_cast<int>(left.count() / 1'000'000));
    return n;
}

Error os_error(const char* what) {
    return {ErrorCode::store, fmt::format("{}: {}", what, std::strerror(errno))};
}

std::int64_t boot_ticks(std::int64_t per_second) {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * per_second + now.tv_nsec * per_second / 1'000'000'000;
}

/// A shell tells of the signal that ended its last command so.
std::string exit_text(int status) {
    const int number = status - 128;
    if (number < 1 || number >= SIGRTMIN) return fmt::format("exit status {}", status);
    return fmt::format("exit status {} (128+{}: {})", status, number,
                       number == SIGKILL ? "killed; out of memory?" : signal_name(number));
}

SignalReader make_signal_reader() {
    // Ignored by whoever started us, SIGCHLD would make the kernel reap children behind our back.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &standard, nullptr);
    return SignalReader({SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH});
}

}  // namespace

std::string describe(const CommandEnd& end) {
    if (end.hung) return fmt::format("stopped by {} and not continued", signal_text(end.hung_signal));
    switch (end.kind) {
        case CommandEnd::Kind::exited:
            return exit_text(end.value);
        case CommandEnd::Kind::signalled:
            return "killed by " + signal_text(end.value);
        case CommandEnd::Kind::not_started:
            break;
    }
    return fmt::format("{}: {}", end.problem, std::strerror(end.value));
}

Supervisor::Supervisor(SupervisorOptions options)
    : options_(options),
      signals_(make_signal_reader()),
      spawner_(signals_.mask_before()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      buffer_(kReadBytes) {
    if (!epoll_ || !wake_) throw os_error("cannot watch processes");
    const RunnerIdentity me = this_runner();
    mark_ = {me.host, me.pid, me.start_time, 0};
    ticks_per_second_ = std::max<std::int64_t>(1, ::sysconf(_SC_CLK_TCK));
    own_group_ = ::getpgrp();
    for (const pid_t pid : child_processes()) older_children_.insert(pid);
    ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper_before_);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    watch(signals_.descriptor(), kSignalsTag);
    watch(wake_.get(), kWakeTag);
}

Supervisor::~Supervisor() {
    for (const auto& [id, running] : running_) {
        ::kill(-running.pid, SIGKILL);
        ::kill(running.pid, SIGKILL);
    }
    settle(std::chrono::seconds(5));
    ::prctl(PR_SET_CHILD_SUBREAPER, subreaper_before_);
}

void Supervisor::watch(int fd, std::uint64_t tag) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        throw os_error("cannot watch a descriptor");
}

CommandId Supervisor::start(const Command& command) {
    const CommandId id{++last_id_};
    const auto fail = [&](int error, std::string problem) {
        not_started_.push_back({id, CommandEnd::Kind::not_started, error, std::move(problem)});
        return id;
    };
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errno, "cannot make a pipe for its output");
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    watch(ours.get(), last_id_);
    const std::int64_t now = boot_ticks(ticks_per_second_);
    mark_.command = last_id_;
    Spawned spawned =
        spawner_.spawn(command, fmt::format("{}={}", kSupervisorVariable, to_string(mark_)), theirs.get());
    if (spawned.pid < 0) {
        // While others run there may be one again when they have ended. Else it is not the command's fault.
        if (spawned.limited && running_.empty())
            throw Error(ErrorCode::store, fmt::format("{}: {}", spawned.problem, errno_text(spawned.error)),
                        "raise the limit of processes (ulimit -u, the pids of its cgroup) or of memory");
        return fail(spawned.error, std::move(spawned.problem));
    }
    Running running;
    running.pid = spawned.pid;
    running.start_time = now;
    running.output = std::move(ours);
    running.sink = command.output;
    by_pid_.emplace(spawned.pid, id);
    running_.emplace(last_id_, std::move(running));
    return id;
}

void Supervisor::terminate(Running& running, Duration grace) {
    if (running.kill_at) return;
    running.kill_at = std::chrono::steady_clock::now() + grace;
    running.hung_at.reset();
    for (const int number : {SIGTERM, SIGCONT}) {
        if (::kill(-running.pid, number) != 0) ::kill(running.pid, number);
    }
}

void Supervisor::stop(CommandId id) {
    const auto found = running_.find(static_cast<std::uint64_t>(id));
    if (found != running_.end()) terminate(found->second, options_.grace);
}

void Supervisor::kill(CommandId id) {
    const auto found = running_.find(static_cast<std::uint64_t>(id));
    if (found == running_.end()) return;
    found->second.kill_at = SteadyTime::max();
    ::kill(-found->second.pid, SIGKILL);
    ::kill(found->second.pid, SIGKILL);
}

void Supervisor::notify() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof one);
}

RunnerEvents Supervisor::wait(std::optional<Duration> at_most) {
    RunnerEvents events;
    events.ended.swap(not_started_);
    const SteadyTime now = std::chrono::steady_clock::now();
    const std::optional<SteadyTime> deadline =
        at_most ? std::optional(now + std::max(*at_most, Duration::zero())) : std::nullopt;
    bool first = true;
    while (first || (events.ended.empty() && events.signals.empty() && !events.resized && !events.notified)) {
        first = false;
        std::optional<SteadyTime> until = next_timer();
        if (deadline && (!until || *deadline < *until)) until = deadline;
        auto left = std::chrono::nanoseconds(-1);
        if (!events.ended.empty()) {
            left = {};
        } else if (until) {
            left = std::clamp<std::chrono::nanoseconds>(*until - std::chrono::steady_clock::now(), {},
                                                        kLongestWait);
        }
        std::array<epoll_event, 64> ready{};
        const int n = wait_for_events(epoll_.get(), ready, left);
        if (n < 0 && errno != EINTR) throw os_error("cannot wait for processes");
        // Output first: what a command wrote before it ended comes before its end.
        for (int i = 0; i < n; ++i) {
            if (ready[i].data.u64 != kSignalsTag) handle(ready[i].data.u64, events);
        }
        for (int i = 0; i < n; ++i) {
            if (ready[i].data.u64 == kSignalsTag) handle_signals(events);
        }
        run_timers();
        if (deadline && std::chrono::steady_clock::now() >= *deadline) break;
    }
    return events;
}

void Supervisor::handle(std::uint64_t tag, RunnerEvents& events) {
    if (tag == kWakeTag) {
        std::uint64_t count = 0;
        if (::read(wake_.get(), &count, sizeof count) > 0) events.notified = true;
        return;
    }
    const auto found = running_.find(tag);
    if (found != running_.end()) read_output(found->second, kReadBytes);
}

void Supervisor::read_output(Running& running, std::size_t at_most) {
    while (running.output && at_most > 0) {
        const ssize_t n = ::read(running.output.get(), buffer_.data(), std::min(buffer_.size(), at_most));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n <= 0) {
            running.output.reset();  // which also takes it out of the epoll set
            return;
        }
        if (running.sink) running.sink->write({buffer_.data(), static_cast<std::size_t>(n)});
        at_most -= static_cast<std::size_t>(n);
    }
}

void Supervisor::handle_signals(RunnerEvents& events) {
    bool children = false;
    while (const auto number = signals_.take()) {
        if (*number == SIGCHLD) {
            children = true;
        } else if (*number == SIGWINCH) {
            events.resized = true;
        } else {
            events.signals.push_back(*number);
        }
    }
    if (children) reap(events);
}

bool Supervisor::reap(RunnerEvents& events) {
    bool adopted_died = false;
    bool children_left = false;
    while (true) {
        siginfo_t info{};
        // Looked at first: as long as it is not reaped, nobody else can get its pid, nor its group's.
        if (::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT) != 0) {
            if (errno == EINTR) continue;
            break;
        }
        const pid_t pid = info.si_pid;
        if (pid == 0) {
            children_left = true;
            break;
        }
        if (info.si_code == CLD_STOPPED || info.si_code == CLD_CONTINUED || info.si_code == CLD_TRAPPED) {
            note_stop(pid, info.si_code, info.si_status);
            siginfo_t taken{};
            ::waitid(P_PID, static_cast<id_t>(pid), &taken, WSTOPPED | WCONTINUED | WNOHANG);
            continue;
        }
        const auto found = by_pid_.find(pid);
        if (found != by_pid_.end()) {
            const auto end_kind =
                info.si_code == CLD_EXITED ? CommandEnd::Kind::exited : CommandEnd::Kind::signalled;
            const CommandId id = found->second;
            events.ended.push_back({id, end_kind, info.si_status, {}});
            ::kill(-pid, SIGKILL);
            command_exited(id, events);
        } else {
            adopted_died = true;
            older_children_.erase(pid);
        }
        siginfo_t taken{};
        ::waitid(P_PID, static_cast<id_t>(pid), &taken, WEXITED | WNOHANG);
        if (found != by_pid_.end()) by_pid_.erase(found);
    }
    // Whatever an ended process left behind has become our child by now.
    if (children_left && (adopted_died || !events.ended.empty())) sweep();
    return children_left;
}

void Supervisor::command_exited(CommandId id, RunnerEvents& events) {
    const auto found = running_.find(static_cast<std::uint64_t>(id));
    Running& running = found->second;
    read_output(running, kMaxPipeBytes);
    events.ended.back().hung = running.hung;
    events.ended.back().hung_signal = running.stop_signal;
    running_.erase(found);
}

void Supervisor::note_stop(pid_t pid, int code, int status) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) return;
    Running& running = running_.at(static_cast<std::uint64_t>(found->second));
    if (code == CLD_CONTINUED) {
        running.hung_at.reset();
        return;
    }
    running.stop_signal = status;
    if (running.kill_at) {
        // It stops itself again during its grace: the signal to end is still there to be taken.
        ::kill(-pid, SIGCONT);
    } else {
        running.hung_at = std::chrono::steady_clock::now() + options_.stopped_grace;
    }
}

void Supervisor::run_timers() {
    const SteadyTime now = std::chrono::steady_clock::now();
    for (auto& [id, running] : running_) {
        if (running.hung_at && *running.hung_at <= now) {
            running.hung = true;
            terminate(running, std::max(options_.grace - options_.stopped_grace, Duration::zero()));
        }
        if (running.kill_at && *running.kill_at <= now) kill(CommandId{id});
    }
}

std::optional<Supervisor::SteadyTime> Supervisor::next_timer() const {
    std::optional<SteadyTime> next;
    for (const auto& [id, running] : running_) {
        for (const auto& at : {running.kill_at, running.hung_at}) {
            if (at && *at != SteadyTime::max() && (!next || *at < *next)) next = at;
        }
    }
    return next;
}

bool Supervisor::may_belong_to_running(pid_t pid, const ProcessStat& stat) const {
    if (by_pid_.count(static_cast<pid_t>(stat.group)) != 0) return true;
    const auto mark = parse_supervisor_mark(environment_of(pid, kSupervisorVariable));
    if (mark && mark->pid == mark_.pid && mark->start_time == mark_.start_time && mark->host == mark_.host) {
        return running_.count(mark->command) != 0;
    }
    // It hides where it comes from. A process is younger than the command that it descends from.
    if (!older_children_.empty() && stat.group == own_group_) return true;
    return std::any_of(running_.begin(), running_.end(),
                       [&](const auto& entry) { return entry.second.start_time <= stat.start_time; });
}

std::size_t Supervisor::sweep() {
    std::size_t found = 0;
    for (const pid_t pid : child_processes()) {
        if (by_pid_.count(pid) != 0 || older_children_.count(pid) != 0) continue;
        const auto stat = read_process_stat(pid);
        if (!stat) continue;
        if (!stat->dead()) {
            if (may_belong_to_running(pid, *stat)) continue;
            ::kill(pid, SIGKILL);
        }
        ++found;
    }
    return found;
}

std::size_t Supervisor::settle(Duration at_most) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + at_most;
    RunnerEvents events;
    while (true) {
        if (!reap(events)) return 0;
        std::size_t left = sweep() + running_.size();
        // The list of children may lack some while others come and go: only the kernel's "none" is an answer,
        // unless there are children that are not ours to end.
        if (left == 0 && !older_children_.empty()) return 0;
        left = std::max<std::size_t>(left, 1);
        const SteadyTime now = std::chrono::steady_clock::now();
        if (now >= deadline) return left;
        const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
        epoll_event ready{};
        ::epoll_wait(epoll_.get(), &ready, 1, static_cast<int>(std::min<std::int64_t>(milliseconds, 50)));
        handle_signals(events);
    }
}

}  // namespace turboci
