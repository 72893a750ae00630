// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "os/process_identity.hpp"
#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("A process knows itself to be alive") {
    const RunnerIdentity me = this_runner();
    CHECK(me.pid == ::getpid());
    CHECK(me.start_time > 0);
    CHECK_FALSE(me.host.empty());
    CHECK(me.boot_id.size() == 36);
    CHECK(runner_is_alive(me));
    CHECK(runner_process_uid(me) ==
          "run:" + me.host + ":" + std::to_string(me.pid) + ":" + std::to_string(me.start_time));
}

TEST_CASE("A runner is gone when its process is, even as a zombie") {
    const pid_t child = ::fork();
    if (child == 0) {
        while (true) ::pause();
    }
    RunnerIdentity runner = this_runner();
    runner.pid = child;
    runner.start_time = read_process_stat(child)->start_time;
    CHECK(runner_is_alive(runner));
    ::kill(child, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
    REQUIRE(read_process_stat(child)->state == 'Z');
    CHECK_FALSE(runner_is_alive(runner));
    ::waitpid(child, nullptr, 0);
    CHECK_FALSE(runner_is_alive(runner));
}

TEST_CASE("Another process of the same pid is not the runner") {
    RunnerIdentity runner = this_runner();
    runner.start_time -= 1;
    CHECK_FALSE(runner_is_alive(runner));
}

TEST_CASE("After a reboot no runner of before is alive") {
    RunnerIdentity runner = this_runner();
    runner.boot_id = "00000000-0000-0000-0000-000000000000";
    CHECK_FALSE(runner_is_alive(runner));
}

TEST_CASE("A runner in another pid or uts namespace is taken for alive") {
    for (const char* other : {"/pid:[1]", "-by-another-name"}) {
        RunnerIdentity runner = this_runner();
        runner.host += other;
        runner.start_time -= 2;
        CHECK(runner_is_alive(runner));
    }
}

TEST_CASE("Of a runner whose start is not known, its process is enough") {
    RunnerIdentity runner = this_runner();
    runner.start_time = 0;
    CHECK(runner_is_alive(runner));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    runner.pid = child;
    CHECK_FALSE(runner_is_alive(runner));
}

TEST_CASE("A runner that cannot be looked at is taken for alive") {
    RunnerIdentity elsewhere = this_runner();
    elsewhere.host = "another-machine";
    elsewhere.pid = 2'000'000'000;
    CHECK(runner_is_alive(elsewhere));
    RunnerIdentity unknown = this_runner();
    unknown.pid = 0;
    CHECK(runner_is_alive(unknown));
    RunnerIdentity no_boot = this_runner();
    no_boot.boot_id.clear();
    no_boot.start_time = 1;
    CHECK(runner_is_alive(no_boot));
}

TEST_CASE("The name of a process cannot forge its state") {
    const auto stat = parse_process_stat(
        "42 (a) Z 1 1 1 (b) S 7 8 9 0 -1 4194304 1 0 0 0 1 2 3 4 20 0 1 0 98765 1 2 18446744073709551615 "
        "0\n");
    REQUIRE(stat);
    CHECK(stat->state == 'S');
    CHECK(stat->parent == 7);
    CHECK(stat->group == 8);
    CHECK(stat->session == 9);
    CHECK(stat->start_time == 98765);
    CHECK_FALSE(parse_process_stat("42 (a) S 7 8"));
    CHECK_FALSE(parse_process_stat(""));
    CHECK_FALSE(parse_process_stat("42 (a)"));
}
