// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <set>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/node_output.hpp"
#include "cli/plan_output.hpp"
#include "cli/verdict.hpp"
#include "format/terminal.hpp"
#include "service/judge.hpp"

namespace turboci::cli {

namespace {

using Steady = std::chrono::steady_clock;

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

/// Is one of the nodes FINAL?
bool one_is_final(Context& context, const WaitOptions& options, const WorkPlan& plan) {
    const PlanTotals sum = totals(plan);
    if (sum.final_checks + sum.final_stages == 0) return sum.checks + sum.stages == 0;
    if (options.refs.empty()) return true;
    QueryNodes request = awaited(context, options);
    request.parts = kBareNodes;
    StatusSink found;
    context.service(Context::Open::write).query(request, found);
    return std::ranges::any_of(found.nodes(), [](const auto& n) { return n.state == State::final; });
}

/// Dead attempts are ended by whoever writes next; where nobody does, by those who wait. Best effort.
void tick(Context& context) {
    try {
        WriteNodes request = context.begin_write({});
        request.reason = "expired while waited for";
        request.tick = true;
        context.service(Context::Open::write).write_nodes(request);
    } catch (const Error&) {
        return;  // the store is busy or read-only: waiting goes on
    }
}

/// False if the time is over, counted from `start`.
bool wait_until_over(Context& context, const WaitOptions& options, Steady::time_point start) {
    auto next_tick = Steady::now();
    OpenNodes open(awaited(context, options));
    std::int64_t seen = -1;
    WorkPlan plan = context.fixed_plan(Context::Open::write);
    while (true) {
        if (plan.version != seen) {
            Service& service = context.service(Context::Open::write);
            if (options.any ? one_is_final(context, options, plan) : open.are_gone(service, plan))
                return true;
            seen = plan.version;
        }
        const auto now = Steady::now();
        if (options.timeout && now - start >= *options.timeout) return false;
        Duration pause = Duration::zero();
        if (now >= next_tick) {
            tick(context);
            next_tick = now + kTickInterval;
        } else {
            pause = std::chrono::ceil<Duration>(next_tick - now);
            if (options.timeout)
                pause = std::min(pause, std::chrono::ceil<Duration>(*options.timeout - (now - start)));
        }
        plan = context.wait_for_change(Context::Open::write, seen, pause);
    }
}

[[noreturn]] void time_is_over(Context& context, const WaitOptions& options) {
    const std::vector<NodeRef> open =
        open_nodes(context.service(Context::Open::write), awaited(context, options));
    throw Error(
        ErrorCode::pending,
        "timed out after " + format_duration(*options.timeout) + ", not FINAL: " + join_refs(open, kListed),
        "wait longer, or ask `turboci nodes explain` what they wait for");
}

/// What was waited for, judged. Not pending, unless one node was enough.
Judgement wait_for_judgement(Context& context, const WaitOptions& options, StatusSink& found) {
    const auto start = Steady::now();
    while (true) {
        if (!wait_until_over(context, options, start)) time_is_over(context, options);
        found = StatusSink();
        Judgement judgement = judge(context.service(Context::Open::write), awaited(context, options), &found);
        // Somebody may have added nodes meanwhile.
        if (options.any || judgement.open.empty()) return judgement;
    }
}

int wait(Context& context, const WaitOptions& options) {
    // The plan is fixed now, so that one that is created meanwhile cannot make it ambiguous.
    static_cast<void>(context.fixed_plan(Context::Open::write));
    StatusSink found;
    const Judgement judgement = wait_for_judgement(context, options, found);
    context.service(Context::Open::write).flush();
    const std::set<NodeRef> bad(judgement.bad.begin(), judgement.bad.end());
    std::size_t listed = 0;
    for (const auto& status : found.nodes()) {
        if (bad.contains(status.ref) && (listed++ < kListed || context.options().verbose))
            context.note(status_text(status));
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
        context.service(Context::Open::write).query(request, *printer);
        printer->finish();
    }
    return judgement.verdict == Verdict::failed ? 1 : 0;
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
     "Exit status by the verdict: 1 if something required failed, was cancelled, or was skipped because of "
     "such a failure, else 0; 8 if the time was not enough. What is not required is not waited for. Attempts "
     "that run out of time are ended meanwhile."},
};

}  // namespace

std::span<const Command> wait_commands() { return kWaitCommands; }

}  // namespace turboci::cli
