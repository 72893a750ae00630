// SPDX-License-Identifier: Apache-2.0
#include "os/exec_failure.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/exec_space.hpp"
#include "os/unique_fd.hpp"

namespace turboci {

namespace {

/// The beginning of the file; empty if it cannot be read.
std::string head_of(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    std::array<char, 256> head{};  // as much as the kernel looks at
    const ssize_t n = fd ? ::read(fd.get(), head.data(), head.size()) : -1;
    return {head.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

/// What stands behind "#!" in the first line, up to a blank; with the carriage return that is part of it.
std::string interpreter_of(std::string_view head) {
    if (!head.starts_with("#!")) return {};
    std::string_view line =
        head.substr(2, head.find('\n') == std::string_view::npos ? head.npos : head.find('\n') - 2);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    return std::string(line.substr(0, line.find_first_of(" \t")));
}

std::string missing_interpreter(const std::vector<std::string>& candidates) {
    for (const std::string& path : candidates) {
        if (::access(path.c_str(), F_OK) != 0) continue;
        const std::string head = head_of(path);
        std::string interpreter = interpreter_of(head);
        if (head.starts_with("\177ELF")) return ": the loader that it asks for is not there (another libc?)";
        if (interpreter.empty()) return {};
        if (interpreter.back() != '\r')
            return fmt::format(": its interpreter '{}' is not there", interpreter);
        interpreter.pop_back();
        return fmt::format(": its interpreter '{}\\r' is not there, as the file has Windows line ends",
                           interpreter);
    }
    return {};
}

}  // namespace

std::string why_not_executed(const Command& command, const std::vector<std::string>& candidates, int error) {
    switch (error) {
        case ENOENT:
            return missing_interpreter(candidates);
        case E2BIG:
            if (const auto what = what_is_too_long(command, exec_space()); !what.empty()) return ": " + what;
            return {};
        case ENOEXEC:
            return ": it neither begins with '#!' nor is a program for this machine";
        default:
            return {};
    }
}

}  // namespace turboci
