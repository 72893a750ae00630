// SPDX-License-Identifier: Apache-2.0
// The least that starting commands and waiting for them takes: posix_spawn and wait.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace floors {

/// A command, its output thrown away. "{}" in an argument becomes the number of the run.
class Starter {
public:
    explicit Starter(char** command) : command_(command) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_addopen(&actions_, 1, "/dev/null", O_WRONLY, 0);
    }
    bool start(int number) {
        std::vector<std::string> arguments;
        for (char** word = command_; *word != nullptr; ++word) {
            arguments.emplace_back(*word);
            const std::size_t mark = arguments.back().find("{}");
            if (mark != std::string::npos) arguments.back().replace(mark, 2, std::to_string(number));
        }
        std::vector<char*> pointers;
        for (std::string& argument : arguments) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        pid_t pid = 0;
        return ::posix_spawnp(&pid, pointers[0], &actions_, nullptr, pointers.data(), environ) == 0;
    }
    /// Waits for any of them. False: it failed.
    static bool wait_for_one() {
        int status = 0;
        return ::wait(&status) >= 0 && status == 0;
    }

private:
    char** command_;
    posix_spawn_file_actions_t actions_{};
};

}  // namespace floors
