// SPDX-License-Identifier: Apache-2.0
// Runs commands in turn, A B C A B C ..., so that what disturbs the machine disturbs all of them, and prints
// what each run took as JSON. The time is that from posix_spawn to the end of the process; memory is the
// kernel's peak resident set, which is why this program is small: a child's peak is never below its parent's.
//
// Standard input: {"rounds", "warmup", "sync": directory, "commands": [{"name", "argv", "prepare": argv
// before each run, not timed, "expect": exit code, "rounds": at most so many, "reports": the last line of its
// output is an object whose "us" is the time}]}. "{round}" in an argument becomes the number of the round,
// from 0.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::json;
using Argv = std::vector<std::string>;

struct Command {
    std::string name;
    Argv argv;
    Argv prepare;
    int expect = 0;
    int rounds = 0;
    bool reports = false;
    Json runs = Json::array();
};

struct Ended {
    int status = 0;
    double microseconds = 0;
    double cpu_microseconds = 0;
    long peak_kilobytes = 0;
    std::string output;
};

Argv with_round(Argv argv, int round) {
    static const std::string kMark = "{round}";
    for (std::string& argument : argv)
        for (std::size_t at; (at = argument.find(kMark)) != std::string::npos;)
            argument.replace(at, kMark.size(), std::to_string(round));
    return argv;
}

double microseconds(const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
}

std::string read_all(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    return text;
}

Ended run(const Argv& argv, bool capture) {
    int ends[2] = {-1, -1};
    if (capture && ::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (capture)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    else
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "stderr.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    std::vector<char*> pointers;
    for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);

    Ended ended;
    pid_t pid = 0;
    const auto begin = std::chrono::steady_clock::now();
    if (const int error = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
        error != 0)
        throw std::runtime_error("cannot start " + argv[0] + ": " + std::strerror(error));
    if (capture) {
        ::close(ends[1]);
        ended.output = read_all(ends[0]);
        ::close(ends[0]);
    }
    rusage usage{};
    while (::wait4(pid, &ended.status, 0, &usage) < 0 && errno == EINTR) continue;
    ended.microseconds =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
    ended.cpu_microseconds = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    ended.peak_kilobytes = usage.ru_maxrss;
    posix_spawn_file_actions_destroy(&actions);
    return ended;
}

Json last_line(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return Json::parse(text.substr(text.rfind('\n') + 1));
}

void refuse_unless(const Ended& ended, int expected, const std::string& what) {
    if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == expected) return;
    const int fd = ::open("stderr.txt", O_RDONLY | O_CLOEXEC);
    const std::string told = fd < 0 ? "" : read_all(fd);
    throw std::runtime_error(
        what +
        (WIFEXITED(ended.status) ? " exited " + std::to_string(WEXITSTATUS(ended.status)) : " was killed") +
        ": " + told.substr(0, 2000));
}

void take_turn(Command& command, int round, bool counts, int sync_fd) {
    if (!command.prepare.empty()) {
        refuse_unless(run(with_round(command.prepare, round), false), 0, "preparing " + command.name);
        // Else the command's own fsync would pay for the pages that were just copied.
        ::syncfs(sync_fd);
    }
    const Ended ended = run(with_round(command.argv, round), command.reports);
    refuse_unless(ended, command.expect, command.name);
    Json numbers = {
        {"us", ended.microseconds}, {"cpu_us", ended.cpu_microseconds}, {"peak_kb", ended.peak_kilobytes}};
    if (command.reports) numbers.update(last_line(ended.output));
    if (counts) command.runs.push_back(std::move(numbers));
}

}  // namespace

int main() {
    try {
        const Json request = Json::parse(std::cin);
        const int rounds = request.at("rounds");
        const int warmup = request.value("warmup", 1);
        const int sync_fd =
            ::open(request.at("sync").get<std::string>().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        std::vector<Command> commands;
        for (const Json& c : request.at("commands"))
            commands.push_back({c.at("name"), c.at("argv").get<Argv>(), c.value("prepare", Argv()),
                                c.value("expect", 0), c.value("rounds", rounds), c.value("reports", false)});
        ::syncfs(sync_fd);
        for (int round = 0; round < warmup + rounds; ++round)
            for (Command& command : commands)
                if (round < warmup + command.rounds) take_turn(command, round, round >= warmup, sync_fd);
        Json answer = Json::object();
        for (Command& command : commands) answer[command.name] = std::move(command.runs);
        std::cout << answer << '\n';
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
