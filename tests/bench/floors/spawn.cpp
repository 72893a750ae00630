// SPDX-License-Identifier: Apache-2.0
// Runs a command TOTAL times, WORKERS at once, with nothing between a start and the next but posix_spawn and
// wait: spawn WORKERS TOTAL COMMAND [ARG...]. "{}" in an argument becomes the number of the run, from 0.
// Prints the time of all as JSON.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "processes.hpp"

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("usage: spawn WORKERS TOTAL COMMAND [ARG...]\n", stderr);
        return 2;
    }
    const int workers = std::atoi(argv[1]);
    const int total = std::atoi(argv[2]);
    floors::Starter starter(argv + 3);
    const auto begin = std::chrono::steady_clock::now();
    int started = 0;
    int failed = 0;
    for (int ended = 0; ended < total; ++ended) {
        for (; started < total && started - ended < workers; ++started)
            if (!starter.start(started)) return 1;
        if (!floors::Starter::wait_for_one()) ++failed;
    }
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
    std::printf("{\"us\": %.1f, \"failed\": %d}\n", elapsed.count(), failed);
    return failed == 0 ? 0 : 1;
}
