// SPDX-License-Identifier: Apache-2.0
// What tests with real processes need: commands that run programs, and a look at what is left of them.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "os/command_runner.hpp"
#include "os/supervisor.hpp"

namespace turboci::test {

class StringSink : public OutputSink {
public:
    void write(std::string_view bytes) noexcept override { text += bytes; }
    std::string text;
};

/// Grace periods short enough for tests; nothing here depends on how long anything takes.
inline SupervisorOptions impatient() {
    return {std::chrono::milliseconds(150), std::chrono::milliseconds(150)};
}

inline Command command(std::vector<std::string> argv, std::shared_ptr<OutputSink> output = nullptr) {
    return {std::move(argv), {"PATH=/usr/local/bin:/usr/bin:/bin"}, {}, std::move(output)};
}

inline Command shell(const std::string& script, std::shared_ptr<OutputSink> output = nullptr) {
    return command({"/bin/sh", "-c", script}, std::move(output));
}

/// A text that no other process has on its command line.
inline std::string unique_mark(const char* what) {
    static int count = 0;
    return std::string("mark-") + what + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

/// Living processes with `mark` on their command line.
inline std::vector<int> processes_with(const std::string& mark) {
    std::vector<int> found;
    DIR* proc = ::opendir("/proc");
    while (const dirent* entry = ::readdir(proc)) {
        const std::string name = &entry->d_name[0];
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream file("/proc/" + name + "/cmdline", std::ios::binary);
        // The process may be gone by now: getline() makes of that what an iterator would throw.
        std::string line;
        std::getline(file, line, '\1');
        if (line.find(mark) != std::string::npos) found.push_back(std::stoi(name));
    }
    ::closedir(proc);
    return found;
}

/// Waits for the first command that ends.
inline CommandEnd next_end(CommandRunner& runner) {
    while (true) {
        RunnerEvents events = runner.wait(std::nullopt);
        if (!events.ended.empty()) return events.ended.front();
    }
}

/// Waits until the sink has got `text`.
inline void await_output(CommandRunner& runner, const StringSink& sink, const std::string& text) {
    while (sink.text.find(text) == std::string::npos) {
        static_cast<void>(runner.wait(std::chrono::milliseconds(20)));
    }
}

}  // namespace turboci::test
