// SPDX-License-Identifier: Apache-2.0
// Runs a command TOTAL times, WORKERS at once, with nothing between a start and the next but posix_spawn and
// wait: spawn WORKERS TOTAL COMMAND [ARG...]. "{}" in an argument becomes the number of the run, from 0.
// Prints the time of all as JSON.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

bool start(char** command, int number, posix_spawn_file_actions_t* actions) {
    std::vector<std::string> arguments;
    for (; *command != nullptr; ++command) {
        arguments.emplace_back(*command);
        const std::size_t mark = arguments.back().find("{}");
        if (mark != std::string::npos) arguments.back().replace(mark, 2, std::to_string(number));
    }
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    pid_t pid = 0;
    return ::posix_spawnp(&pid, pointers[0], actions, nullptr, pointers.data(), environ) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("usage: spawn WORKERS TOTAL COMMAND [ARG...]\n", stderr);
        return 2;
    }
    const int workers = std::atoi(argv[1]);
    const int total = std::atoi(argv[2]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const auto begin = std::chrono::steady_clock::now();
    int started = 0;
    int failed = 0;
    for (int ended = 0; ended < total; ++ended) {
        for (; started < total && started - ended < workers; ++started)
            if (!start(argv + 3, started, &actions)) return 1;
        int status = 0;
        if (::wait(&status) < 0) return 1;
        if (status != 0) ++failed;
    }
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
    std::printf("{\"us\": %.1f, \"failed\": %d}\n", elapsed.count(), failed);
    return failed == 0 ? 0 : 1;
}
