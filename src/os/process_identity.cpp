// SPDX-License-Identifier: Apache-2.0
#include "os/process_identity.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

namespace turboci {

namespace {

// The inode of the first pid namespace (PROC_PID_INIT_INO of the kernel).
constexpr std::string_view kFirstPidNamespace = "pid:[4026531836]";

/// Up to a few kilobytes of a file of /proc; nullopt if it cannot be opened.
std::optional<std::string> read_small_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return std::nullopt;
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.size() < 65536) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
    return text;
}

std::string host_name() {
    utsname names{};
    std::string host = ::uname(&names) == 0 ? &names.nodename[0] : "localhost";
    std::array<char, 64> link{};
    const ssize_t n = ::readlink("/proc/self/ns/pid", link.data(), link.size());
    if (n > 0) {
        const std::string_view space(link.data(), static_cast<std::size_t>(n));
        if (space != kFirstPidNamespace) host.append("/").append(space);
    }
    return host;
}

std::string current_boot_id() {
    std::string id = read_small_file("/proc/sys/kernel/random/boot_id").value_or("");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
}

template <typename T>
bool take_number(std::string_view& text, T& value) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
    const std::size_t close = line.rfind(')');
    if (close == std::string_view::npos || close + 2 >= line.size()) return std::nullopt;
    std::string_view rest = line.substr(close + 2);
    ProcessStat stat;
    stat.state = rest.front();
    rest.remove_prefix(1);
    if (!take_number(rest, stat.parent) || !take_number(rest, stat.group) ||
        !take_number(rest, stat.session)) {
        return std::nullopt;
    }
    // Fields 7 to 21: terminal, flags, faults, times, priority, threads.
    for (int field = 7; field <= 21; ++field) {
        // Some of them are unsigned 64 bit numbers, others negative.
        while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
        if (!rest.empty() && rest.front() == '-') rest.remove_prefix(1);
        std::uint64_t ignored = 0;
        if (!take_number(rest, ignored)) return std::nullopt;
    }
    if (!take_number(rest, stat.start_time)) return std::nullopt;
    return stat;
}

std::optional<ProcessStat> read_process_stat(std::int64_t pid) {
    const std::optional<std::string> line = read_small_file(fmt::format("/proc/{}/stat", pid));
    if (!line) return std::nullopt;
    return parse_process_stat(*line);
}

RunnerIdentity this_runner() {
    RunnerIdentity me;
    me.host = host_name();
    me.boot_id = current_boot_id();
    me.pid = ::getpid();
    if (const auto stat = read_process_stat(me.pid)) me.start_time = stat->start_time;
    return me;
}

bool runner_is_alive(const RunnerIdentity& runner) {
    static const std::string host = host_name();
    static const std::string boot_id = current_boot_id();
    if (runner.pid <= 0 || runner.host != host) return true;
    if (runner.boot_id.empty() || boot_id.empty()) return true;
    if (runner.boot_id != boot_id) return false;
    if (const auto stat = read_process_stat(runner.pid)) {
        return !stat->dead() && stat->start_time == runner.start_time;
    }
    // Without a readable /proc only the signal can tell; EPERM means that somebody has that pid.
    return ::kill(static_cast<pid_t>(runner.pid), 0) == 0 || errno != ESRCH;
}

std::string runner_process_uid(const RunnerIdentity& runner) {
    return fmt::format("run:{}:{}:{}", runner.host, runner.pid, runner.start_time);
}

std::optional<std::int64_t> take_last_number(std::string_view& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view field = text.substr(colon + 1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc{} || end != field.data() + field.size()) return std::nullopt;
    text = text.substr(0, colon);
    return value;
}

std::optional<RunnerIdentity> parse_runner_process_uid(std::string_view uid) {
    constexpr std::string_view kPrefix = "run:";
    if (!uid.starts_with(kPrefix)) return std::nullopt;
    uid.remove_prefix(kPrefix.size());
    const auto start_time = take_last_number(uid);
    if (!start_time) return std::nullopt;
    const auto pid = take_last_number(uid);
    if (!pid || uid.empty()) return std::nullopt;
    return RunnerIdentity{std::string(uid), current_boot_id(), *pid, *start_time};
}

}  // namespace turboci
