// SPDX-License-Identifier: Apache-2.0
#include "os/exec_space.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>

namespace turboci {

namespace {

constexpr rlim_t kLeastSpace = rlim_t{128} << 10;
constexpr rlim_t kMostSpace = rlim_t{6} << 20;
/// The path of the program, the line of its interpreter, and the variable that marks what we started.
constexpr std::size_t kReserve = 4096 + 1024;

std::string name_of_argument(std::size_t i) { return fmt::format("argument {}", i); }
std::string name_of_variable(const std::string& text) {
    return "the environment variable " + text.substr(0, text.find('='));
}

}  // namespace

std::size_t exec_space() noexcept {
    rlimit stack{};
    rlim_t space = kMostSpace;
    if (::getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY)
        space = std::clamp(stack.rlim_cur / 4, kLeastSpace, kMostSpace);
    return static_cast<std::size_t>(space) - kReserve;
}

std::string what_is_too_long(const Command& command, std::size_t space) {
    std::size_t total = 0, largest = 0;
    std::string name;
    const auto take = [&](const std::string& text, const auto& name_it) {
        total += text.size() + 1 + sizeof(char*);
        if (text.size() <= largest) return;
        largest = text.size();
        name = name_it();
    };
    for (std::size_t i = 0; i < command.argv.size(); ++i)
        take(command.argv[i], [&] { return name_of_argument(i); });
    for (const std::string& variable : command.env)
        take(variable, [&] { return name_of_variable(variable); });
    if (largest > kMaxWordBytes)
        return fmt::format("{} has {} bytes, {} are allowed", name, largest, kMaxWordBytes);
    if (total <= space) return {};
    return fmt::format(
        "its arguments and environment take {} bytes, {} are allowed; the largest is {} with {} bytes", total,
        space, name, largest);
}

}  // namespace turboci
