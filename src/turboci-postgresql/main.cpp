// SPDX-License-Identifier: Apache-2.0
// turboci-postgresql: the command line with the store in PostgreSQL. turboci becomes it where a store is
// postgresql://...
#include <csignal>
#include <string>
#include <vector>

#include "cli/app.hpp"
#include "os/memory.hpp"
#include "store/openers.hpp"

int main(int argc, char** argv) {
    turboci::keep_freed_memory();
    turboci::cli::open_standard_descriptors();
    // A closed pipe and a full disk quota are errors to report, not reasons to die.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    turboci::use_postgresql_stores();
    return turboci::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
