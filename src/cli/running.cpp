// SPDX-License-Identifier: Apache-2.0
#include "cli/running.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cli/input.hpp"
#include "os/process.hpp"
#include "os/processors.hpp"

namespace turboci::cli {

namespace {

constexpr std::int64_t kMostJobs = 1024;

}  // namespace

void RunningOptions::declare(Parser& parser) {
    parser.option("-j,--jobs", "N", jobs, 1, kMostJobs, "so many stages at once (default: the processors)");
    parser.option(
        "--runner", "KIND", runners,
        "execute stages that need such a runner; '' are those that need none, '*' all (default: '')");
    declare_lost_after(parser, lost_after);
    parser.option("--actor", "NAME", actor, "who runs it, for the log (default: $TURBOCI_ACTOR, else $USER)");
}

RunOptions run_options(Context& context, const RunningOptions& options) {
    RunOptions run;
    run.store = context.store_for_stages();
    run.store_path =
        context.is_remote() ? std::filesystem::absolute(context.store_path()).string() : run.store;
    run.ship_logs = context.is_remote();
    WriteFlags flags;
    flags.actor = options.actor;
    run.actor = context.begin_write(flags).actor;
    run.jobs = options.jobs ? static_cast<int>(*options.jobs) : usable_processors();
    run.runners = options.runners;
    run.lost_after = options.lost_after.value_or(run.lost_after);
    run.wait = context.wait();
    for (char** variable = environ; *variable != nullptr; ++variable) run.environment.emplace_back(*variable);
    return run;
}

void fit_jobs(const Context& context, RunOptions& run) {
    constexpr std::size_t kOurOwn = 40;
    const std::size_t limit = descriptor_limit();
    const auto most = static_cast<int>(limit > kOurOwn + 2 ? (limit - kOurOwn) / 2 : 1);
    if (run.jobs <= most) return;
    run.jobs = most;
    context.note("the limit of open files (ulimit -n) allows " + std::to_string(most) + " stages at once");
}

ViewOptions view_options(const Context& context) {
    ViewOptions view;
    view.quiet = context.options().quiet;
    view.dialect = ci_dialect([](const char* name) -> const char* { return std::getenv(name); });
    view.color = wants_color(context.options().color, STDERR_FILENO);
    view.utf8 = Context::utf8();
    return view;
}

}  // namespace turboci::cli
