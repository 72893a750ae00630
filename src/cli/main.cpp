// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <csignal>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.hpp"
#include "cli/sibling.hpp"
#include "os/memory.hpp"
#include "turboci/error.hpp"

namespace {

/// Out of memory where nothing can be thrown any more, in a library or while telling of an error. No memory
/// is taken here.
[[noreturn]] void give_up() noexcept {
    constexpr std::string_view kText = "turboci: error: out of memory; try again when there is more\n";
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, kText.data(), kText.size());
    ::_exit(turboci::error_info(turboci::ErrorCode::store).exit_code);
}

}  // namespace

int main(int argc, char** argv) {
    std::set_terminate(give_up);
    turboci::keep_freed_memory();
    turboci::cli::open_standard_descriptors();
    // A closed pipe and a full disk quota are errors to report, not reasons to die.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return turboci::cli::run_command_line(arguments, [&] { turboci::cli::become_sibling(arguments, argv); });
}
