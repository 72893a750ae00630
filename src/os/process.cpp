// SPDX-License-Identifier: Apache-2.0
#include "os/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>

#include "os/exec_failure.hpp"
#include "os/process_identity.hpp"
#include "turboci/error.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define TURBOCI_NO_SANITIZE __attribute__((no_sanitize("address", "undefined")))
#else
#define TURBOCI_NO_SANITIZE
#endif

namespace turboci {

namespace {

constexpr std::size_t kStackBytes = std::size_t{64} * 1024;
constexpr rlim_t kMaxDescriptors = 65'536;

/// Everything that the child needs, made before it exists: it may not allocate.
struct ChildPlan {
    pid_t parent = 0;
    int input = -1;
    int output = -1;
    const char* cwd = nullptr;
    const char* const* candidates = nullptr;  // paths to try, in order; ends with null
    char* const* argv = nullptr;
    char* const* envp = nullptr;
    const sigset_t* mask = nullptr;
    const rlimit* descriptors = nullptr;
    // Written by the child, read by the parent after it: they share memory.
    volatile int error = 0;
    volatile bool in_chdir = false;
};

TURBOCI_NO_SANITIZE int child_main(void* argument) {
    ChildPlan& plan = *static_cast<ChildPlan*>(argument);
    // Without a terminal: on one, a command that reads from it or sets it would be stopped, off one it fails
    // at once, and it is to do the same everywhere.
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);  // it died before the line above
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(SIGPIPE, &standard, nullptr);
    ::sigaction(SIGXFSZ, &standard, nullptr);
    ::sigaction(SIGCHLD, &standard, nullptr);
    ::setrlimit(RLIMIT_NOFILE, plan.descriptors);
    int first_error = 0;
    if (::dup2(plan.input, 0) < 0 || ::dup2(plan.output, 1) < 0 || ::dup2(plan.output, 2) < 0) {
        plan.error = errno;
        ::_exit(127);
    }
    if (plan.cwd != nullptr && ::chdir(plan.cwd) != 0) {
        plan.error = errno;
        plan.in_chdir = true;
        ::_exit(127);
    }
    ::sigprocmask(SIG_SETMASK, plan.mask, nullptr);
    for (const char* const* path = plan.candidates; *path != nullptr; ++path) {
        ::execve(*path, plan.argv, plan.envp);
        // As a shell does: go on searching, but "permission denied" is the better answer than "not found".
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
            first_error = errno;
            break;
        }
        if (first_error == 0 || errno == EACCES) first_error = errno;
    }
    plan.error = first_error != 0 ? first_error : ENOENT;
    ::_exit(127);
}

std::string_view lookup(const std::vector<std::string>& env, std::string_view name) {
    for (const std::string& entry : env) {
        if (entry.size() > name.size() && entry[name.size()] == '=' &&
            entry.compare(0, name.size(), name) == 0) {
            return std::string_view(entry).substr(name.size() + 1);
        }
    }
    return {};
}

std::vector<std::string> candidates_of(const Command& command) {
    const std::string& program = command.argv.front();
    if (program.empty() || program.find('/') != std::string::npos) return {program};
    std::string_view path = lookup(command.env, "PATH");
    if (path.empty()) path = "/usr/local/bin:/usr/bin:/bin";
    std::vector<std::string> found;
    while (true) {
        const std::size_t colon = path.find(':');
        const std::string_view directory = path.substr(0, colon);
        found.push_back(directory.empty() ? program : fmt::format("{}/{}", directory, program));
        if (colon == std::string_view::npos) break;
        path.remove_prefix(colon + 1);
    }
    return found;
}

// execve() takes pointers to characters that it never changes.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> list;
    list.reserve(strings.size() + 2);
    for (const std::string& s : strings) list.push_back(const_cast<char*>(s.c_str()));
    list.push_back(nullptr);
    return list;
}

/// `env` with `marker` ("NAME=VALUE") in place of any other value of that name.
std::vector<char*> environment(const std::vector<std::string>& env, const std::string& marker) {
    const std::string_view name = std::string_view(marker).substr(0, marker.find('=') + 1);
    std::vector<char*> list{const_cast<char*>(marker.c_str())};
    list.reserve(env.size() + 2);
    for (const std::string& s : env) {
        if (s.compare(0, name.size(), name) != 0) list.push_back(const_cast<char*>(s.c_str()));
    }
    list.push_back(nullptr);
    return list;
}

void take_pids(std::string_view text, std::vector<pid_t>& pids) {
    const char* at = text.data();
    const char* end = at + text.size();
    while (at != end) {
        pid_t pid = 0;
        const auto [next, error] = std::from_chars(at, end, pid);
        if (error == std::errc{}) pids.push_back(pid);
        at = error == std::errc{} ? next : at + 1;
    }
}

std::string read_whole(const char* path, std::size_t limit) {
    std::string text;
    const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) return text;
    std::array<char, 8192> buffer{};
    while (text.size() < limit) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
}

struct CloseDirectory {
    void operator()(DIR* d) const noexcept { ::closedir(d); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace

void Spawner::AlignedDelete::operator()(char* p) const noexcept {
    ::operator delete[](p, std::align_val_t(64));
}

Spawner::Spawner(const sigset_t& mask)
    : mask_(mask),
      null_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      stack_(static_cast<char*>(::operator new[](kStackBytes, std::align_val_t(64)))) {
    // It must not be one of the three that the child replaces.
    if (null_ && null_.get() < 3) null_.reset(::fcntl(null_.get(), F_DUPFD_CLOEXEC, 3));
    if (!null_) throw Error(ErrorCode::store, fmt::format("cannot open /dev/null: {}", std::strerror(errno)));
    ::getrlimit(RLIMIT_NOFILE, &descriptors_);
    rlimit raised = descriptors_;
    raised.rlim_cur = std::min<rlim_t>(descriptors_.rlim_max, kMaxDescriptors);
    if (raised.rlim_cur > descriptors_.rlim_cur) ::setrlimit(RLIMIT_NOFILE, &raised);
}

std::size_t descriptor_limit() noexcept {
    rlimit now{};
    if (::getrlimit(RLIMIT_NOFILE, &now) != 0) return 0;
    return static_cast<std::size_t>(std::min<rlim_t>(now.rlim_cur, kMaxDescriptors));
}

Spawned Spawner::spawn(const Command& command, const std::string& marker, int output) {
    const std::vector<std::string> candidates = candidates_of(command);
    const std::vector<char*> paths = pointers(candidates);
    const std::vector<char*> argv = pointers(command.argv);
    const std::vector<char*> envp = environment(command.env, marker);
    ChildPlan plan;
    plan.parent = ::getpid();
    plan.input = null_.get();
    plan.output = output;
    plan.cwd = command.cwd.empty() ? nullptr : command.cwd.c_str();
    plan.candidates = paths.data();
    plan.argv = argv.data();
    plan.envp = envp.data();
    plan.mask = &mask_;
    plan.descriptors = &descriptors_;
    // No handler of ours may run in the child while it shares our memory.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid =
        ::clone(&child_main, stack_.get() + kStackBytes, CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
    const int clone_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return {-1, clone_error, "cannot start a process", true};
    if (plan.error == 0) return {pid, 0, {}};
    siginfo_t ignored{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &ignored, WEXITED) < 0 && errno == EINTR) {
    }
    if (plan.in_chdir) return {-1, plan.error, fmt::format("cannot enter the directory '{}'", command.cwd)};
    return {-1, plan.error,
            fmt::format("cannot execute '{}'{}", command.argv.front(),
                        why_not_executed(command, candidates, plan.error))};
}

std::vector<pid_t> child_processes() {
    std::vector<pid_t> pids;
    // Others' pids would be killed in place of those that are meant.
    if (!proc_is_ours()) return pids;
    // Adopted children belong to one of our threads, not necessarily to this one.
    bool listed = false;
    if (const Directory tasks(::opendir("/proc/self/task")); tasks) {
        while (const dirent* entry = ::readdir(tasks.get())) {
            if (entry->d_name[0] == '.') continue;
            const std::string path = fmt::format("/proc/self/task/{}/children", &entry->d_name[0]);
            if (::access(path.c_str(), R_OK) != 0) continue;
            listed = true;
            take_pids(read_whole(path.c_str(), 1u << 24), pids);
        }
    }
    if (listed) return pids;
    // A kernel without that file: look at every process.
    const pid_t self = ::getpid();
    if (const Directory proc(::opendir("/proc")); proc) {
        while (const dirent* entry = ::readdir(proc.get())) {
            std::vector<pid_t> one;
            if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') take_pids(&entry->d_name[0], one);
            if (one.size() != 1) continue;
            const auto stat = read_process_stat(one.front());
            if (stat && stat->parent == self) pids.push_back(one.front());
        }
    }
    return pids;
}

std::string environment_of(pid_t pid, std::string_view name) {
    const std::string path = fmt::format("/proc/{}/environ", pid);
    const std::string text = read_whole(path.c_str(), 8u << 20);
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        const std::string_view entry = rest.substr(0, end);
        if (entry.size() > name.size() && entry[name.size()] == '=' && entry.substr(0, name.size()) == name) {
            return std::string(entry.substr(name.size() + 1));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

}  // namespace turboci
