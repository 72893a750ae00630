// SPDX-License-Identifier: Apache-2.0
#include "os/leftovers.hpp"

#include <dirent.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <unordered_set>
#include <vector>

#include "os/process.hpp"
#include "os/process_identity.hpp"

namespace turboci {

namespace {

// Each pass finds what the processes of the one before had started meanwhile.
constexpr int kMaxPasses = 20;

std::vector<pid_t> all_processes() {
    std::vector<pid_t> pids;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
    if (!proc) return pids;
    while (const dirent* entry = ::readdir(proc.get())) {
        const std::string_view name(&entry->d_name[0]);
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc{} && end == name.data() + name.size()) pids.push_back(pid);
    }
    return pids;
}

bool is_leftover(pid_t pid, const RunnerIdentity& me, const std::string& store_path) {
    const auto mark = parse_supervisor_mark(environment_of(pid, kSupervisorVariable));
    if (!mark || mark->host != me.host) return false;
    RunnerIdentity supervisor = me;
    supervisor.pid = mark->pid;
    supervisor.start_time = mark->start_time;
    if (runner_is_alive(supervisor)) return false;
    const auto stat = read_process_stat(pid);
    return stat && !stat->dead() && environment_of(pid, "TURBOCI_STORE") == store_path;
}

/// Kills `pid` if it is a leftover, and not another process that has got its pid in the meantime.
bool kill_leftover(pid_t pid, const RunnerIdentity& me, const std::string& store_path) {
    if (!is_leftover(pid, me, store_path)) return false;
    const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!handle) return ::kill(pid, SIGKILL) == 0;  // a kernel older than 5.3
    if (!is_leftover(pid, me, store_path)) return false;
    return ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0) == 0;
}

}  // namespace

std::string to_string(const SupervisorMark& mark) {
    return fmt::format("{}:{}:{}:{}", mark.host, mark.pid, mark.start_time, mark.command);
}

std::optional<SupervisorMark> parse_supervisor_mark(std::string_view text) {
    SupervisorMark mark;
    const auto command = take_last_number(text);
    if (!command || *command < 0) return std::nullopt;
    const auto start_time = take_last_number(text);
    if (!start_time) return std::nullopt;
    const auto pid = take_last_number(text);
    if (!pid || text.empty()) return std::nullopt;
    return SupervisorMark{std::string(text), *pid, *start_time, static_cast<std::uint64_t>(*command)};
}

bool runner_is_alive_or_cleared(const RunnerIdentity& runner, const std::string& store_path) {
    if (runner_is_alive(runner)) return true;
    kill_leftovers(store_path);
    return false;
}

std::size_t kill_leftovers(const std::string& store_path) {
    if (!proc_is_ours()) return 0;
    const RunnerIdentity me = this_runner();
    // Whoever is itself a leftover would end itself and those that started it.
    if (is_leftover(::getpid(), me, store_path)) return 0;
    // One that was killed may take a moment to die.
    std::unordered_set<pid_t> killed;
    for (int pass = 0; pass < kMaxPasses; ++pass) {
        const std::size_t before = killed.size();
        for (const pid_t pid : all_processes()) {
            if (kill_leftover(pid, me, store_path)) killed.insert(pid);
        }
        if (killed.size() == before) break;
    }
    return killed.size();
}

}  // namespace turboci
