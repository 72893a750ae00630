// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/node_output.hpp"
#include "cli/plan_output.hpp"
#include "cli/polling.hpp"
#include "cli/verdict.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kTickInterval{1};

struct WaitOptions {
    std::vector<std::string> refs;
    bool any = false;
    std::optional<Duration> timeout;
};

QueryNodes awaited(const Context& context, const WaitOptions& options) {
    QueryNodes request;
    request.plan = context.plan();
    request.refs = ref_arguments(options.refs);
    request.parts = StatusSink::parts();
    return request;
}

bool is_over(Context& context, const WaitOptions& options, const WorkPlan& plan) {
    if (options.refs.empty()) {
        const PlanTotals sum = totals(plan);
        const std::int64_t final_nodes = sum.final_checks + sum.final_stages;
        return options.any && sum.checks + sum.stages > 0 ? final_nodes > 0
                                                          : final_nodes == sum.checks + sum.stages;
    }
    StatusSink found;
    context.endpoint(Context::Open::write).query(awaited(context, options), found);
    const auto is_final = [](const NodeStatus& status) { return status.is_final(); };
    return options.any ? std::any_of(found.nodes().begin(), found.nodes().end(), is_final)
                       : std::all_of(found.nodes().begin(), found.nodes().end(), is_final);
}

/// Dead attempts are ended by whoever writes next; where nobody does, by those who wait. Best effort.
void tick(Context& context) {
    try {
        WriteNodes request = context.begin_write({});
        request.reason = "expired while waited for";
        static_cast<void>(context.endpoint(Context::Open::write).tick(request));
    } catch (const Error&) {
        return;  // the store is busy or read-only: waiting goes on
    }
}

/// False if the time is over.
bool wait_until_over(Context& context, const WaitOptions& options) {
    const auto start = Steady::now();
    auto next_tick = start;
    milliseconds step = kFirstPause;
    std::int64_t seen = -1;
    while (true) {
        const WorkPlan plan = context.endpoint(Context::Open::write).get_plan(context.plan());
        if (plan.version != seen) {
            if (is_over(context, options, plan)) return true;
            seen = plan.version;
            step = kFirstPause;
        }
        const auto now = Steady::now();
        if (options.timeout && now - start >= *options.timeout) return false;
        if (now >= next_tick) {
            tick(context);
            next_tick = now + kTickInterval;
            continue;
        }
        milliseconds pause = std::min(step, kLongestPause);
        if (options.timeout)
            pause = std::min(pause, std::chrono::ceil<milliseconds>(*options.timeout - (now - start)));
        std::this_thread::sleep_for(pause);
        step *= 2;
    }
}

[[noreturn]] void time_is_over(Context& context, const WaitOptions& options) {
    StatusSink found;
    context.endpoint(Context::Open::write).query(awaited(context, options), found);
    std::vector<NodeRef> open;
    for (const auto& status : found.nodes()) {
        if (!status.is_final()) open.push_back(status.ref);
    }
    throw Error(
        ErrorCode::pending,
        "timed out after " + format_duration(*options.timeout) + ", not FINAL: " + join_refs(open, kListed),
        "wait longer, or ask `turboci nodes explain` what they wait for");
}

int wait(Context& context, const WaitOptions& options) {
    // The plan is fixed now, so that one that is created meanwhile cannot make it ambiguous.
    context.set_plan(context.endpoint(Context::Open::write).get_plan(context.plan()).id);
    if (!wait_until_over(context, options)) time_is_over(context, options);
    StatusSink found;
    context.endpoint(Context::Open::write).query(awaited(context, options), found);
    bool failed = false;
    std::size_t listed = 0;
    for (const auto& status : found.nodes()) {
        // A failed stage speaks through its checks, if it has any and was not asked about.
        if (!status.is_bad() || (options.refs.empty() && status.answers)) continue;
        failed = true;
        if (listed++ < kListed || context.options().verbose) context.note(status_text(status));
    }
    if (context.format() == Format::table && options.refs.empty()) {
        for (const NodeType type : {NodeType::check, NodeType::stage}) {
            const std::string counts = counts_text(found.plan(), type);
            if (!counts.empty()) context.print_confirmation(counts + '\n');
        }
    } else if (context.format() != Format::table || !context.options().quiet) {
        const auto printer = make_node_printer(context);
        QueryNodes request = awaited(context, options);
        request.parts = printer->parts();
        context.endpoint(Context::Open::write).query(request, *printer);
        printer->finish();
    }
    return failed ? 1 : 0;
}

Action define_wait(Parser& parser) {
    auto options = std::make_shared<WaitOptions>();
    parser.arguments("REF", options->refs, 0, "the nodes to wait for; default: all of the plan");
    parser.flag("--any", options->any, "until one of them is FINAL, not all");
    parser.option("--timeout", "D", options->timeout, "give up after this time, with exit status 8");
    return [options](Context& context) { return wait(context, *options); };
}

constexpr Command kWaitCommands[] = {
    {"wait", "Wait until nodes are FINAL", "[REF]... [--any] [--timeout D]",
     "turboci wait --timeout 30m\n"
     "turboci wait check:build && ./publish\n"
     "turboci wait stage:linux stage:mac --any -o name",
     kAllFormats, define_wait,
     "Exit status 1 if one of them failed or was cancelled, 8 if the time was not enough, else 0; a skipped "
     "node has not "
     "failed. A stage that failed counts only if it was named or answers no check. Attempts that run out of "
     "time are "
     "ended meanwhile."},
};

}  // namespace

std::span<const Command> wait_commands() { return kWaitCommands; }

}  // namespace turboci::cli
