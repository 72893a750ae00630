// SPDX-License-Identifier: Apache-2.0
// What it costs to complete a stage, in one process: completions STORE PLAN PREFIX COUNT completes the stages
// PREFIX0, PREFIX1, ... one write at a time and prints the mean time of one as JSON.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <turboci/turboci.hpp>

namespace {

double cpu_microseconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

turboci::WriteNodes completion(const std::string& plan, std::string stage) {
    turboci::WriteNodes write;
    write.plan = plan;
    write.actor = "bench";
    turboci::StageWrite s;
    s.id = std::move(stage);
    s.attempt.emplace().state = turboci::AttemptState::complete;
    write.stages.push_back(s);
    return write;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: completions STORE PLAN PREFIX COUNT\n";
        return 2;
    }
    const std::string plan = argv[2];
    const std::string prefix = argv[3];
    const int count = std::atoi(argv[4]);
    try {
        const auto store = turboci::open_store(argv[1]);
        const auto service = turboci::make_local_service(*store);
        const double cpu_before = cpu_microseconds();
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < count; ++i)
            static_cast<void>(service->write_nodes(completion(plan, prefix + std::to_string(i))));
        const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
        std::printf("{\"us\": %.3f, \"cpu_us\": %.3f}\n", elapsed.count() / count,
                    (cpu_microseconds() - cpu_before) / count);
    } catch (const turboci::Error& error) {
        std::cerr << error.what() << '\n';
        return turboci::error_info(error.code()).exit_code;
    }
}
