// SPDX-License-Identifier: Apache-2.0
// A command that does not behave: hostile_child MODE MARK. MARK is only there to be found in /proc.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

[[noreturn]] void sleep_for_ever() {
    while (true) ::pause();
}

void say(const char* text) { [[maybe_unused]] const ssize_t n = ::write(1, text, std::strlen(text)); }

/// A daemon as books teach it: two forks and a session of its own between them.
void become_daemon() {
    if (::fork() != 0) return;
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    sleep_for_ever();
}

void flood(unsigned long long bytes) {
    std::string block;
    for (int i = 0; block.size() < 65536; ++i) block += "line " + std::to_string(i) + " of a flood\n";
    while (bytes > 0) {
        const std::size_t part = bytes < block.size() ? static_cast<std::size_t>(bytes) : block.size();
        const ssize_t n = ::write(1, block.data(), part);
        if (n <= 0) ::_exit(9);
        bytes -= static_cast<unsigned long long>(n);
    }
}

}  // namespace

extern char** environ;

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const std::string mode = argv[1];
    if (mode == "ignore-term") {
        std::signal(SIGTERM, SIG_IGN);
        say("ready\n");
        sleep_for_ever();
    }
    if (mode == "exit-0-on-term") {
        std::signal(SIGTERM, [](int) { ::_exit(0); });
        say("ready\n");
        sleep_for_ever();
    }
    if (mode == "child-ignores-term") {
        if (::fork() == 0) {
            std::signal(SIGTERM, SIG_IGN);
            say("ready\n");
            sleep_for_ever();
        }
        sleep_for_ever();
    }
    if (mode == "leave-group") {  // the survivor stays a child of the one that ends
        if (::fork() == 0) {
            ::setpgid(0, 0);
            sleep_for_ever();
        }
        return 0;
    }
    if (mode == "setsid") {
        if (::fork() == 0) {
            ::setsid();
            sleep_for_ever();
        }
        return 0;
    }
    if (mode == "daemon") {
        become_daemon();
        return 0;
    }
    if (mode == "daemon-then-wait") {
        become_daemon();
        ::wait(nullptr);  // the one between the two forks is gone
        say("ready\n");
        sleep_for_ever();
    }
    if (mode == "nameless-daemon") {  // without our environment nobody can tell whose it is
        if (::fork() == 0) {
            ::setsid();
            if (::fork() != 0) ::_exit(0);
            char* none[] = {nullptr};
            char* again[] = {argv[0], const_cast<char*>("sleep"), argv[2], nullptr};
            ::execve("/proc/self/exe", again, none);
            ::_exit(1);
        }
        return 0;
    }
    if (mode == "family") {  // a chain of daemons, each the child of the one before
        for (int i = 0; i < 5; ++i) {
            if (::fork() != 0) {
                if (i == 0) return 0;
                sleep_for_ever();
            }
            ::setsid();
        }
        sleep_for_ever();
    }
    if (mode == "sleep") sleep_for_ever();
    if (mode == "hold-output") {
        say("before\n");
        if (::fork() == 0) {
            ::setsid();
            sleep_for_ever();
        }
        return 0;
    }
    if (mode == "close-output") {
        say("last words\n");
        ::close(1);
        ::close(2);
        sleep_for_ever();
    }
    if (mode == "stop-self") {
        ::raise(SIGSTOP);
        return 0;
    }
    if (mode == "stop-again-and-again") {
        std::signal(SIGTERM, SIG_IGN);
        while (true) ::raise(SIGSTOP);
    }
    if (mode == "flood") {
        flood(std::strtoull(argv[2], nullptr, 10));
        return 0;
    }
    if (mode == "flood-for-ever") {
        std::signal(SIGTERM, SIG_IGN);
        flood(~0ULL);
    }
    return 2;
}
