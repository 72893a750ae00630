// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>

#include "os/exec_failure.hpp"
#include "os/exec_space.hpp"
#include "supervised.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("A command that exits 0 succeeds") {
    Supervisor supervisor(impatient());
    const CommandId id = supervisor.start(shell("exit 0"));
    const CommandEnd end = next_end(supervisor);
    CHECK(end.id == id);
    CHECK(end.success());
}

TEST_CASE("An end says how it came about") {
    Supervisor supervisor(impatient());
    static_cast<void>(supervisor.start(shell("exit 3")));
    CHECK(describe(next_end(supervisor)) == "exit status 3");
    static_cast<void>(supervisor.start(shell("kill -9 $$")));
    CHECK(describe(next_end(supervisor)) == "killed by signal 9 (SIGKILL)");
}

TEST_CASE("A command that cannot be executed ends with the reason") {
    Supervisor supervisor(impatient());
    const auto reason = [&](const Command& c) {
        static_cast<void>(supervisor.start(c));
        const CommandEnd end = next_end(supervisor);
        CHECK(end.kind == CommandEnd::Kind::not_started);
        CHECK_FALSE(end.success());
        return describe(end);
    };
    CHECK(reason(command({"/does/not/exist"})) ==
          "cannot execute '/does/not/exist': No such file or directory");
    CHECK(reason(command({"no-such-program"})) ==
          "cannot execute 'no-such-program': No such file or directory");
    CHECK(reason(command({"/etc/passwd"})) == "cannot execute '/etc/passwd': Permission denied");
    CHECK(reason(command({""})) == "cannot execute '': No such file or directory");
    Command elsewhere = shell("true");
    elsewhere.cwd = "/no/such/place";
    CHECK(reason(elsewhere) == "cannot enter the directory '/no/such/place': No such file or directory");
    CHECK(supervisor.settle(std::chrono::seconds(5)) == 0);
}

TEST_CASE("An exit status beyond 128 tells of the signal that a shell saw") {
    const auto text = [](int status) {
        return describe({CommandId{1}, CommandEnd::Kind::exited, status, {}});
    };
    CHECK(text(128) == "exit status 128");
    CHECK(text(129) == "exit status 129 (128+1: SIGHUP)");
    CHECK(text(137) == "exit status 137 (128+9: killed; out of memory?)");
    CHECK(text(139) == "exit status 139 (128+11: SIGSEGV)");
    CHECK(text(143) == "exit status 143 (128+15: SIGTERM)");
    CHECK(text(127) == "exit status 127");
    CHECK(text(192) == "exit status 192");
    CHECK(text(255) == "exit status 255");
}

TEST_CASE("A script that is there and cannot be executed says what it lacks") {
    TempDir dir;
    Supervisor supervisor(impatient());
    const auto reason = [&](const std::string& text, const std::string& path = {}) {
        write_file(dir / "script", text);
        ::chmod((dir / "script").c_str(), 0700);
        Command c = command({path.empty() ? dir / "script" : path});
        c.env = {"PATH=" + dir.path()};
        static_cast<void>(supervisor.start(c));
        const std::string all = describe(next_end(supervisor));
        return all.substr(all.find("script'") + 7);
    };
    CHECK(reason("#!/bin/no-such-shell -e\necho x\n") ==
          ": its interpreter '/bin/no-such-shell' is not there: No such file or directory");
    CHECK(reason("#!  /bin/no-such-shell\techo x") ==
          ": its interpreter '/bin/no-such-shell' is not there: No such file or directory");
    CHECK(reason("#!/bin/sh\r\necho x\r\n") ==
          ": its interpreter '/bin/sh\\r' is not there, as the file has Windows line ends: No such file or "
          "directory");
    CHECK(reason("#!/bin/sh\r\n", "script").find("'/bin/sh\\r' is not there") != std::string::npos);
    CHECK(reason("echo x\n") ==
          ": it neither begins with '#!' nor is a program for this machine: Exec format error");
    CHECK(reason("").find(": it neither") == 0);
    CHECK(supervisor.settle(std::chrono::seconds(5)) == 0);
}

TEST_CASE("Of too many bytes the text that has them is named, and the limit") {
    Supervisor supervisor(impatient());
    const auto reason = [&](const Command& c) {
        static_cast<void>(supervisor.start(c));
        return describe(next_end(supervisor));
    };
    CHECK(
        reason(shell("# " + std::string(200'000, 'x'))) ==
        "cannot execute '/bin/sh': argument 2 has 200002 bytes, 131071 are allowed: Argument list too long");
    CHECK(reason(shell("#" + std::string(kMaxWordBytes - 1, 'x'))) == "exit status 0");
    CHECK(reason(shell("#" + std::string(kMaxWordBytes, 'x'))).find("has 131072 bytes") != std::string::npos);
    Command many = shell("exit 0");
    many.env.push_back("LONG=" + std::string(150'000, 'x'));
    CHECK(reason(many) ==
          "cannot execute '/bin/sh': the environment variable LONG has 150005 bytes, 131071 are "
          "allowed: Argument list too long");
    many = shell("exit 0");
    for (int i = 0; i < 100; ++i) many.argv.emplace_back(100'000, 'x');
    const std::string total = reason(many);
    CHECK(total.find("its arguments and environment take 100009") != std::string::npos);
    CHECK(total.find(" are allowed; the largest is argument 3 with 100000 bytes: Argument list too long") !=
          std::string::npos);
    CHECK(supervisor.settle(std::chrono::seconds(5)) == 0);
}

TEST_CASE("What is judged to fit is executed, and what is refused was judged not to fit") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_STACK, &before) == 0);
    for (const rlim_t stack : {rlim_t{256} << 10, rlim_t{1} << 20, rlim_t{8} << 20, rlim_t{64} << 20}) {
        if (before.rlim_max != RLIM_INFINITY && stack > before.rlim_max) continue;
        CAPTURE(stack);
        const rlimit narrow{stack, before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_STACK, &narrow) == 0);
        const std::size_t space = exec_space();
        CHECK(space < std::clamp<rlim_t>(stack / 4, 128u << 10, 6u << 20));
        Command c = shell("exit 0");
        const auto size = [&] {
            std::size_t sum = 0;
            for (const auto* list : {&c.argv, &c.env})
                for (const std::string& text : *list) sum += text.size() + 1 + sizeof(char*);
            return sum;
        };
        while (size() + 100'000 < space) c.argv.emplace_back(60'000, 'x');
        c.argv.emplace_back(space - size() - 1 - sizeof(char*), 'y');
        CHECK(size() == space);
        CHECK(what_is_too_long(c, space).empty());
        Supervisor supervisor(impatient());
        static_cast<void>(supervisor.start(c));
        CHECK(describe(next_end(supervisor)) == "exit status 0");
        c.argv.back() += 'y';
        CHECK_FALSE(what_is_too_long(c, space).empty());
        c.argv.emplace_back(10'000, 'z');
        static_cast<void>(supervisor.start(c));
        CHECK(next_end(supervisor).value == E2BIG);
        CHECK(supervisor.settle(std::chrono::seconds(5)) == 0);
        REQUIRE(::setrlimit(RLIMIT_STACK, &before) == 0);
    }
}

TEST_CASE("A program is looked up in the PATH of the command, not in ours") {
    Supervisor supervisor(impatient());
    Command c = command({"true"});
    c.env = {"PATH=/no/such/place:/bin:/usr/bin"};
    static_cast<void>(supervisor.start(c));
    CHECK(next_end(supervisor).success());
    c.env = {"PATH=/no/such/place"};
    static_cast<void>(supervisor.start(c));
    CHECK(next_end(supervisor).kind == CommandEnd::Kind::not_started);
}

TEST_CASE("Standard output and error arrive in order, standard input is empty") {
    Supervisor supervisor(impatient());
    auto sink = std::make_shared<StringSink>();
    static_cast<void>(supervisor.start(shell("echo one; echo two >&2; cat; echo three", sink)));
    CHECK(next_end(supervisor).success());
    CHECK(sink->text == "one\ntwo\nthree\n");
}

TEST_CASE("The working directory and the environment are those of the command") {
    Supervisor supervisor(impatient());
    auto sink = std::make_shared<StringSink>();
    Command c = shell("pwd; echo \"$GREETING\"; echo \"[$HOME]\"", sink);
    c.cwd = "/usr";
    c.env.push_back("GREETING=hello world");
    static_cast<void>(supervisor.start(c));
    CHECK(next_end(supervisor).success());
    CHECK(sink->text == "/usr\nhello world\n[]\n");
}

TEST_CASE("A command runs in a session and group of its own with the signals that we were given") {
    sigset_t given;
    sigset_t before;
    ::sigemptyset(&given);
    ::sigaddset(&given, SIGUSR1);
    ::sigprocmask(SIG_SETMASK, &given, &before);
    ::signal(SIGPIPE, SIG_IGN);
    // Whoever runs the tests in the background, or with nohup, ignores these.
    const auto hangup = ::signal(SIGHUP, SIG_DFL);
    const auto interrupt = ::signal(SIGINT, SIG_DFL);
    const auto quit = ::signal(SIGQUIT, SIG_DFL);
    {
        Supervisor supervisor(impatient());
        auto sink = std::make_shared<StringSink>();
        // Of itself, not of the shell: dash blocks all signals while it starts a program.
        static_cast<void>(supervisor.start(
            shell("set -- $(cat /proc/$$/stat); [ \"$5 $6 $7\" = \"$$ $$ 0\" ] && echo leader; exec grep "
                  "-E 'Sig(Blk|Ign)' /proc/self/status",
                  sink)));
        CHECK(next_end(supervisor).success());
        CHECK(sink->text == "leader\nSigBlk:\t0000000000000200\nSigIgn:\t0000000000000000\n");
    }
    ::signal(SIGHUP, hangup);
    ::signal(SIGINT, interrupt);
    ::signal(SIGQUIT, quit);
    ::signal(SIGPIPE, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("A command that ignores SIGTERM is killed after the grace") {
    Supervisor supervisor(impatient());
    const std::string mark = unique_mark("term");
    auto sink = std::make_shared<StringSink>();
    const CommandId id = supervisor.start(command({HOSTILE_CHILD, "ignore-term", mark}, sink));
    await_output(supervisor, *sink, "ready");
    supervisor.stop(id);
    CHECK(describe(next_end(supervisor)) == "killed by signal 9 (SIGKILL)");
    CHECK(processes_with(mark).empty());
}

TEST_CASE("A command may use its grace to end in good order") {
    Supervisor supervisor({std::chrono::hours(1), std::chrono::hours(1)});
    auto sink = std::make_shared<StringSink>();
    const CommandId id = supervisor.start(command({HOSTILE_CHILD, "exit-0-on-term", "x"}, sink));
    await_output(supervisor, *sink, "ready");
    supervisor.stop(id);
    CHECK(next_end(supervisor).success());
}

TEST_CASE("A grandchild that ignores SIGTERM does not outlive a command that obeys it") {
    Supervisor supervisor({std::chrono::hours(1), std::chrono::hours(1)});
    const std::string mark = unique_mark("grandchild");
    auto sink = std::make_shared<StringSink>();
    const CommandId id = supervisor.start(command({HOSTILE_CHILD, "child-ignores-term", mark}, sink));
    await_output(supervisor, *sink, "ready");
    supervisor.stop(id);
    CHECK(describe(next_end(supervisor)) == "killed by signal 15 (SIGTERM)");
    CHECK(supervisor.settle(std::chrono::seconds(10)) == 0);
    CHECK(processes_with(mark).empty());
}

TEST_CASE("kill() does not wait for the grace") {
    Supervisor supervisor({std::chrono::hours(1), std::chrono::hours(1)});
    auto sink = std::make_shared<StringSink>();
    const CommandId id = supervisor.start(command({HOSTILE_CHILD, "ignore-term", "x"}, sink));
    await_output(supervisor, *sink, "ready");
    supervisor.stop(id);
    supervisor.kill(id);
    CHECK(describe(next_end(supervisor)) == "killed by signal 9 (SIGKILL)");
}

TEST_CASE("Nothing that a command leaves behind survives it") {
    for (const char* mode : {"leave-group", "setsid", "daemon", "nameless-daemon", "family", "hold-output"}) {
        INFO(mode);
        Supervisor supervisor(impatient());
        const std::string mark = unique_mark(mode);
        static_cast<void>(supervisor.start(command({HOSTILE_CHILD, mode, mark})));
        CHECK(next_end(supervisor).success());
        CHECK(supervisor.settle(std::chrono::seconds(10)) == 0);
        CHECK(processes_with(mark).empty());
    }
}

TEST_CASE("What a running command has sent into the background is left alone until that command ends") {
    Supervisor supervisor(impatient());
    const std::string mark = unique_mark("daemon");
    auto sink = std::make_shared<StringSink>();
    const CommandId keeper = supervisor.start(command({HOSTILE_CHILD, "daemon-then-wait", mark}, sink));
    await_output(supervisor, *sink, "ready");
    static_cast<void>(supervisor.start(shell("exit 0")));
    CHECK(next_end(supervisor).success());
    // The daemon's parents are gone sooner or later; then it is our child, and still not swept.
    while (processes_with(mark).size() != 2) {
        static_cast<void>(supervisor.wait(std::chrono::milliseconds(5)));
    }
    static_cast<void>(supervisor.start(shell("exit 0")));
    CHECK(next_end(supervisor).success());
    CHECK(processes_with(mark).size() == 2);
    supervisor.stop(keeper);
    CHECK(next_end(supervisor).id == keeper);
    CHECK(supervisor.settle(std::chrono::seconds(10)) == 0);
    CHECK(processes_with(mark).empty());
}

TEST_CASE("A command is over when its process has ended, even if a grandchild holds its output") {
    Supervisor supervisor(impatient());
    auto sink = std::make_shared<StringSink>();
    static_cast<void>(supervisor.start(shell("(sleep 1000 &) ; echo done", sink)));
    CHECK(next_end(supervisor).success());
    CHECK(sink->text == "done\n");
}

TEST_CASE("A command that has closed its output still runs until it ends") {
    Supervisor supervisor(impatient());
    auto sink = std::make_shared<StringSink>();
    const CommandId id = supervisor.start(command({HOSTILE_CHILD, "close-output", "x"}, sink));
    await_output(supervisor, *sink, "last words\n");
    CHECK(supervisor.wait(std::chrono::milliseconds(50)).ended.empty());
    supervisor.stop(id);
    CHECK(next_end(supervisor).id == id);
}

TEST_CASE("A command that stops itself and that nobody continues is ended") {
    Supervisor supervisor(impatient());
    static_cast<void>(supervisor.start(command({HOSTILE_CHILD, "stop-self", "x"})));
    const CommandEnd end = next_end(supervisor);
    CHECK_FALSE(end.success());
    CHECK(describe(end) == "stopped by signal 19 (SIGSTOP) and not continued");
}

TEST_CASE("A command that is continued in time goes on as if nothing had been") {
    Supervisor supervisor({std::chrono::hours(1), std::chrono::hours(1)});
    auto sink = std::make_shared<StringSink>();
    static_cast<void>(
        supervisor.start(shell("(sleep 0.05; kill -CONT $$) & kill -STOP $$; wait; echo on", sink)));
    CHECK(next_end(supervisor).success());
    CHECK(sink->text == "on\n");
}

TEST_CASE("A command that stops itself again and again is killed after the grace") {
    Supervisor supervisor(impatient());
    static_cast<void>(supervisor.start(command({HOSTILE_CHILD, "stop-again-and-again", "x"})));
    const CommandEnd end = next_end(supervisor);
    CHECK(end.kind == CommandEnd::Kind::signalled);
    CHECK(end.value == SIGKILL);
    CHECK(end.hung);
}

TEST_CASE("A flood of output costs no memory and is read to its end") {
    class Counter : public OutputSink {
    public:
        void write(std::string_view bytes) noexcept override { count += bytes.size(); }
        std::uint64_t count = 0;
    };
    Supervisor supervisor(impatient());
    auto sink = std::make_shared<Counter>();
    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    static_cast<void>(supervisor.start(command({HOSTILE_CHILD, "flood", "268435456"}, sink)));
    CHECK(next_end(supervisor).success());
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    CHECK(sink->count == 268435456);
    CHECK(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
}

TEST_CASE("A command that never stops writing can be stopped, and others run beside it") {
    class Heard : public OutputSink {
    public:
        void write(std::string_view) noexcept override { anything = true; }
        bool anything = false;
    };
    Supervisor supervisor(impatient());
    auto sink = std::make_shared<Heard>();
    const CommandId loud = supervisor.start(command({HOSTILE_CHILD, "flood-for-ever", "x"}, sink));
    while (!sink->anything) static_cast<void>(supervisor.wait(std::chrono::milliseconds(20)));
    const CommandId quiet = supervisor.start(shell("exit 7"));
    CHECK(next_end(supervisor).id == quiet);
    supervisor.stop(loud);
    const CommandEnd end = next_end(supervisor);
    CHECK(end.id == loud);
    CHECK(describe(end) == "killed by signal 9 (SIGKILL)");
}

TEST_CASE("Children that the process had before are none of our business") {
    const pid_t older = ::fork();
    if (older == 0) {
        while (true) ::pause();
    }
    {
        Supervisor supervisor(impatient());
        static_cast<void>(supervisor.start(shell("exit 0")));
        CHECK(next_end(supervisor).success());
        CHECK(supervisor.settle(std::chrono::seconds(10)) == 0);
    }
    CHECK(::waitpid(older, nullptr, WNOHANG) == 0);
    ::kill(older, SIGKILL);
    CHECK(::waitpid(older, nullptr, 0) == older);
}

TEST_CASE("A supervisor that goes leaves nothing running") {
    const std::string mark = unique_mark("gone");
    {
        Supervisor supervisor(impatient());
        static_cast<void>(supervisor.start(command({HOSTILE_CHILD, "ignore-term", mark})));
        static_cast<void>(supervisor.start(command({HOSTILE_CHILD, "daemon-then-wait", mark})));
        static_cast<void>(supervisor.wait(std::chrono::milliseconds(20)));
    }
    CHECK(processes_with(mark).empty());
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
}

TEST_CASE("The command dies with a supervisor that is killed") {
    const std::string mark = unique_mark("orphan");
    const pid_t runner = ::fork();
    if (runner == 0) {
        Supervisor supervisor(impatient());
        static_cast<void>(supervisor.start(command({HOSTILE_CHILD, "ignore-term", mark})));
        while (true) static_cast<void>(supervisor.wait(std::nullopt));
    }
    const std::string program = HOSTILE_CHILD;
    while (processes_with(mark).empty()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ::kill(runner, SIGKILL);
    ::waitpid(runner, nullptr, 0);
    // The kernel delivers that signal after the runner has gone; a minute is for ever.
    for (int i = 0; i < 30'000 && !processes_with(mark).empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(processes_with(mark).empty());
}

TEST_CASE("What a killed supervisor's commands had started is found and ended, store by store") {
    const std::string mark = unique_mark("leftover");
    int all_there[2];
    REQUIRE(::pipe2(all_there, O_CLOEXEC) == 0);
    const pid_t runner = ::fork();
    if (runner == 0) {
        Supervisor supervisor(impatient());
        for (const char* store : {"/tmp/one.db", "/tmp/two.db"}) {
            Command c = command({HOSTILE_CHILD, "daemon-then-wait", mark});
            c.env.push_back(std::string("TURBOCI_STORE=") + store);
            auto sink = std::make_shared<StringSink>();
            c.output = sink;
            static_cast<void>(supervisor.start(c));
            await_output(supervisor, *sink, "ready");
        }
        ::close(all_there[1]);
        while (true) static_cast<void>(supervisor.wait(std::nullopt));
    }
    ::close(all_there[1]);
    char nothing = 0;
    CHECK(::read(all_there[0], &nothing, 1) == 0);  // until the runner closes its end
    ::close(all_there[0]);
    CHECK(processes_with(mark).size() == 4);
    CHECK(kill_leftovers("/tmp/one.db") == 0);
    ::kill(runner, SIGKILL);
    ::waitpid(runner, nullptr, 0);
    while (processes_with(mark).size() > 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(kill_leftovers("/tmp/one.db") == 1);
    while (processes_with(mark).size() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(processes_with(mark).size() == 1);
    CHECK(kill_leftovers("/tmp/two.db") == 1);
    for (int i = 0; i < 30'000 && !processes_with(mark).empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(processes_with(mark).empty());
}

TEST_CASE("The mark of a command survives its way through the environment") {
    const SupervisorMark mark{"host:name/pid:[4026531999]", 17, 4711, 3};
    const auto read = parse_supervisor_mark(to_string(mark));
    REQUIRE(read);
    CHECK(to_string(*read) == "host:name/pid:[4026531999]:17:4711:3");
    CHECK(read->host == mark.host);
    for (const char* bad : {"", "h", "h:1", "h:1:2", ":1:2:3", "h:1:2:x", "h:1:2:", "h:1::3"}) {
        INFO(bad);
        CHECK_FALSE(parse_supervisor_mark(bad));
    }
}

TEST_CASE("Signals and notifications make wait() return") {
    Supervisor supervisor(impatient());
    ::kill(::getpid(), SIGTERM);
    CHECK(supervisor.wait(std::nullopt).signals == std::vector<int>{SIGTERM});
    ::kill(::getpid(), SIGWINCH);
    CHECK(supervisor.wait(std::nullopt).resized);
    std::thread other([&] { supervisor.notify(); });
    CHECK(supervisor.wait(std::nullopt).notified);
    other.join();
    CHECK_FALSE(supervisor.wait(std::chrono::milliseconds(1)).notified);
}
