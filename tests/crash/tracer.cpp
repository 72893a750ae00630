// SPDX-License-Identifier: Apache-2.0
// Runs a command under ptrace and counts, records, kills or breaks it at its Nth system call or allocation.
//
//   crash_tracer --result FILE [OPTION]... -- COMMAND [ARGUMENT]...
//     --record FILE DIR      what happens to the files of DIR, one event a line (see recorder.hpp)
//     --kill N               SIGKILL on entry to system call N; it does not happen
//     --cut N                SIGKILL in write N, when half of its bytes are out
//     --fail ERRNO N COUNT   I/O calls N to N+COUNT-1 fail; COUNT 0: all from N on
//     --changes              with --fail: count and fail only calls that change something, or make it last
//     --short                with --fail: if call N is a write, it is half done and the next one fails
//     --no-tmpfile           files without names are not supported
//     --alloc N COUNT        allocations N to N+COUNT-1 return NULL; N 0: only counts them
//     --timeout SECONDS      a hang: killed (default 60)
// FILE gets one line: calls=N writes=N io=N changes=N allocs=N acked=0|1 hung=0|1 status=exit:N|signal:N
// at=SYSCALL, where `at` is the call that was killed or failed, and `acked` tells that something reached
// stdout before the end. Only the command itself and its threads are traced, no process that it starts.
#include <elf.h>
#include <fcntl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "allocations.hpp"
#include "recorder.hpp"
#include "tracee.hpp"

namespace {

using crash::Call;
using crash::Tracee;

struct Options {
    const char* result = nullptr;
    const char* record = nullptr;
    std::string directory;
    long kill = 0;
    long cut = 0;
    int error = 0;
    long fail = 0;
    long fail_count = 0;
    bool cut_first = false;
    bool changes_only = false;
    bool no_tmpfile = false;
    bool count_allocations = false;
    long alloc = 0;
    long alloc_count = 0;
    unsigned timeout = 60;
    char** command = nullptr;
};

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(125);
}

Options parse(int argc, char** argv) {
    Options o;
    int i = 1;
    const auto next = [&]() -> const char* {
        if (++i >= argc) std::exit(125);
        return argv[i];
    };
    for (; i < argc; ++i) {
        const std::string flag = argv[i];
        if (flag == "--") break;
        if (flag == "--result") {
            o.result = next();
        } else if (flag == "--record") {
            o.record = next();
            o.directory = next();
        } else if (flag == "--kill") {
            o.kill = std::atol(next());
        } else if (flag == "--cut") {
            o.cut = std::atol(next());
        } else if (flag == "--fail") {
            o.error = std::atoi(next());
            o.fail = std::atol(next());
            o.fail_count = std::atol(next());
        } else if (flag == "--no-tmpfile") {
            o.no_tmpfile = true;
        } else if (flag == "--changes") {
            o.changes_only = true;
        } else if (flag == "--short") {
            o.cut_first = true;
        } else if (flag == "--alloc") {
            o.count_allocations = true;
            o.alloc = std::atol(next());
            o.alloc_count = std::atol(next());
        } else if (flag == "--timeout") {
            o.timeout = static_cast<unsigned>(std::atol(next()));
        } else {
            std::fprintf(stderr, "crash_tracer: what is '%s'?\n", argv[i]);
            std::exit(125);
        }
    }
    if (o.result == nullptr || i + 1 >= argc) std::exit(125);
    o.command = argv + i + 1;
    return o;
}

/// Is call `n` one of `count` (0: all) from `first` on?
bool in_window(long n, long first, long count) {
    return first > 0 && n >= first && (count == 0 || n < first + count);
}

volatile sig_atomic_t hung = 0;
pid_t traced = 0;

void on_alarm(int) {
    hung = 1;
    ::kill(traced, SIGKILL);
}

class Tracer {
public:
    explicit Tracer(const Options& options)
        : options_(options),
          recorder_(options.record, options.directory),
          allocations_(options.alloc, options.alloc_count) {}

    void run() {
        start();
        loop();
        report();
    }

private:
    void start() {
        traced = ::fork();
        if (traced < 0) die("fork");
        if (traced == 0) {
            ::personality(ADDR_NO_RANDOMIZE);
            ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
            ::execvp(options_.command[0], options_.command);
            die(options_.command[0]);
        }
        int status = 0;
        if (::waitpid(traced, &status, 0) < 0 || !WIFSTOPPED(status)) die("exec");
        ::ptrace(PTRACE_SETOPTIONS, traced, nullptr,
                 PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
        struct sigaction action {};
        action.sa_handler = on_alarm;
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGALRM, &action, nullptr);
        ::alarm(options_.timeout);
        if (options_.count_allocations) allocations_.arm(traced);
        resume(traced, 0);
    }

    void resume(pid_t tid, int signal) {
        ::ptrace(options_.count_allocations ? PTRACE_CONT : PTRACE_SYSCALL, tid, nullptr,
                 static_cast<long>(signal));
    }

    void loop() {
        for (;;) {
            int status = 0;
            const pid_t tid = ::waitpid(-1, &status, __WALL);
            if (tid < 0) {
                if (errno == EINTR) continue;
                return;
            }
            if (WIFEXITED(status) || WIFSIGNALED(status)) {
                if (tid == traced) status_ = status;
                continue;
            }
            const int signal = WSTOPSIG(status);
            if (signal == (SIGTRAP | 0x80)) {
                on_syscall(tid);
            } else if (signal == SIGTRAP && options_.count_allocations && allocations_.on_trap(tid)) {
                resume(tid, 0);
            } else if (signal == SIGTRAP && status >> 16 != 0) {
                resume(tid, 0);
            } else if (signal == SIGSTOP && calls_of_.find(tid) == calls_of_.end() && tid != traced) {
                calls_of_[tid];  // a new thread
                resume(tid, 0);
            } else {
                resume(tid, signal);
            }
        }
    }

    void on_syscall(pid_t tid) {
        Tracee tracee(tid);
        Call& call = calls_of_[tid];
        if (call.inside) {
            on_exit(tracee, call);
        } else {
            call = tracee.entered();
            on_entry(tracee, call);
        }
        resume(tid, 0);
    }

    void on_entry(Tracee& tracee, Call& call) {
        const long n = ++calls_;
        if (n == options_.kill) return kill_at(call);
        if (call.is_write() && ++writes_ == options_.cut) {
            if (!tracee.halve(call)) return kill_at(call);
            call.kill_after = true;
        }
        if (options_.no_tmpfile && call.number == SYS_openat && (call.args[2] & O_TMPFILE) == O_TMPFILE) {
            call.error = EOPNOTSUPP;
            tracee.skip();
        } else if (may_fail(tracee, call)) {
            if (call.is_io()) ++io_;
            if (call.is_change()) ++changes_;
            if (options_.changes_only ? call.is_change() : call.is_io())
                inject(tracee, call, options_.changes_only ? changes_ : io_);
        }
        if (call.error == 0) recorder_.before(tracee, call);
    }

    /// Files and standard output fail; what the kernel keeps in memory (pipes, eventfd, signalfd) does not.
    /// Messages on stderr get through, so that they can be shown.
    static bool may_fail(const Tracee& tracee, const Call& call) {
        if (!call.is_on_descriptor()) return call.is_io();
        if (call.fd() == 1 || call.fd() == 2) return call.fd() == 1 && call.is_io();
        return call.is_io() && tracee.descriptor(call.fd()).rfind('/', 0) == 0;
    }

    void kill_at(const Call& call) {
        at_ = call.name();
        ::kill(traced, SIGKILL);
    }

    void inject(Tracee& tracee, Call& call, long n) {
        const bool cut = options_.cut_first && n == options_.fail;
        if (cut && call.is_write() && tracee.halve(call)) {
            at_ = call.name();
            return;
        }
        const long first = options_.cut_first ? options_.fail + 1 : options_.fail;
        if (options_.fail == 0 || !in_window(n, first, options_.fail_count)) return;
        if (at_.empty()) at_ = call.name();
        call.error = options_.error;
        // Even a close that fails has closed.
        if (call.number != SYS_close) tracee.skip();
    }

    void on_exit(Tracee& tracee, Call& call) {
        call.inside = false;
        if (call.error != 0) return tracee.set_result(-call.error);
        call.result = tracee.result();
        recorder_.after(tracee, call);
        if (call.is_write() && call.fd() == 1 && call.result > 0) {
            acked_ = true;
            recorder_.acknowledge();
        }
        if (call.kill_after) kill_at(call);
    }

    void report() {
        FILE* out = std::fopen(options_.result, "w");
        if (out == nullptr) die(options_.result);
        const bool exited = WIFEXITED(status_);
        std::fprintf(
            out, "calls=%ld writes=%ld io=%ld changes=%ld allocs=%ld acked=%d hung=%d status=%s:%d at=%s\n",
            calls_, writes_, io_, changes_, allocations_.count(), acked_ ? 1 : 0, static_cast<int>(hung),
            exited ? "exit" : "signal", exited ? WEXITSTATUS(status_) : WTERMSIG(status_),
            at_.empty() ? "-" : at_.c_str());
        std::fclose(out);
    }

    const Options options_;
    crash::Recorder recorder_;
    crash::Allocations allocations_;
    std::map<pid_t, Call> calls_of_;
    long calls_ = 0;
    long writes_ = 0;
    long io_ = 0;
    long changes_ = 0;
    bool acked_ = false;
    int status_ = 0;
    std::string at_;
};

}  // namespace

int main(int argc, char** argv) {
    Tracer(parse(argc, argv)).run();
    return 0;
}
