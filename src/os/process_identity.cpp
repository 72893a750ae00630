// SPDX-License-Identifier: Apache-2.0
#include "os/process_identity.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "turboci/time.hpp"

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

/// The start of a process as the first time namespace tells it; 0 if that is not known.
std::int64_t start_for_all(const ProcessStat& stat) {
    const std::optional<Duration> offset = boot_time_offset();
    const std::int64_t per_second = std::max<std::int64_t>(1, ::sysconf(_SC_CLK_TCK));
    // A part of a tick would make a difference that depends on the process.
    if (!offset || offset->count() * per_second % 1'000'000 != 0) return 0;
    return stat.start_time - offset->count() * per_second / 1'000'000;
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

bool proc_is_ours() {
    std::array<char, 32> link{};
    const ssize_t n = ::readlink("/proc/self", link.data(), link.size());
    const std::string_view self(link.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    return self == std::to_string(::getpid());
}

RunnerIdentity this_runner() {
    RunnerIdentity me;
    me.host = host_name();
    me.boot_id = current_boot_id();
    me.pid = ::getpid();
    // Not by pid: this /proc may be that of another pid namespace.
    const std::optional<std::string> line = read_small_file("/proc/self/stat");
    if (const auto stat = line ? parse_process_stat(*line) : std::nullopt)
        me.start_time = start_for_all(*stat);
    return me;
}

bool runner_is_alive(const RunnerIdentity& runner) {
    static const std::string host = host_name();
    const std::string& boot_id = current_boot_id();
    // A machine that goes by several names (uts namespaces) is taken for several: copies of one virtual
    // machine can have the same boot.
    if (runner.pid <= 0 || runner.host != host) return true;
    if (runner.boot_id.empty() || boot_id.empty()) return true;
    if (runner.boot_id != boot_id) return false;
    if (proc_is_ours()) {
        if (const auto stat = read_process_stat(runner.pid)) {
            const std::int64_t start = start_for_all(*stat);
            const bool known = start != 0 && runner.start_time != 0;
            return !stat->dead() && (!known || start == runner.start_time);
        }
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
