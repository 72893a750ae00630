// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/polling.hpp"
#include "cli/running.hpp"
#include "cli/select.hpp"
#include "cli/write_output.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"
#include "os/process.hpp"
#include "os/settings.hpp"
#include "os/supervisor.hpp"
#include "runner/executor.hpp"

namespace turboci::cli {

namespace {

using Steady = std::chrono::steady_clock;

/// "HOST:PPID": the script that runs this command.
std::string caller_uid() {
    char host[256] = "localhost";
    if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    return std::string(host) + ":" + std::to_string(::getppid());
}

// ------------------------------------------------------------------------------------ attempt claim

struct ClaimOptions {
    std::optional<std::string> stage;
    std::optional<std::string> process;
    std::vector<std::string> runners;
    std::vector<std::string> match;
    std::optional<Duration> wait;
    WriteFlags write;
};

WriteResult claim_within(Context& context, const WriteNodes& request, Duration patience) {
    const auto deadline = Steady::now() + patience;
    while (true) {
        std::int64_t version = 0;
        try {
            return context.service(Context::Open::write).claim(request);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::pending && patience > Duration::zero() &&
                Steady::now() >= deadline)
                throw Error(error.code(), error.what(), "it was waited for; try again later");
            if (error.code() != ErrorCode::pending || Steady::now() >= deadline) throw;
            const WorkPlan plan = context.service(Context::Open::write).get_plan(request.plan);
            const PlanTotals sum = totals(plan);
            if (sum.final_stages == sum.stages) throw;  // nothing can become ready
            version = plan.version;
        }
        // Backoffs and expiries come without a write of others, so the claim itself is tried again and again.
        const auto left = std::chrono::ceil<Duration>(deadline - Steady::now());
        static_cast<void>(context.service(Context::Open::write)
                              .watch(context.plan(), version, std::min<Duration>(left, kLongestPause)));
    }
}

/// The claim with all of its stage, as it is now.
ClaimedAttempt whole_stage(Context& context, const std::string& plan, ClaimedAttempt claimed) {
    class Sink final : public NodeSink {
    public:
        explicit Sink(Stage& stage) : stage_(stage) {}
        void plan(const WorkPlan&) override {}
        void check(const Check&) override {}
        void stage(const Stage& stage) override { stage_ = stage; }

    private:
        Stage& stage_;
    };
    QueryNodes request;
    request.plan = plan;
    request.refs = {{NodeType::stage, claimed.stage.id}};
    Sink sink(claimed.stage);
    context.service(Context::Open::write).query(request, sink);
    return claimed;
}

int claim(Context& context, const ClaimOptions& options) {
    WriteNodes request = context.begin_write(options.write);
    Claim& claim = request.claim.emplace();
    if (options.stage) claim.stages.push_back(id_argument(NodeType::stage, *options.stage));
    claim.filter.match = options.match;
    if (!options.runners.empty()) claim.filter.runners = options.runners;
    if (options.wait) request.plan = context.fixed_plan(Context::Open::write).id;
    claim.process_uid = options.process.value_or(caller_uid());
    const WriteResult result = claim_within(context, request, options.wait.value_or(Duration{0}));
    context.out().mark_committed();
    for (const auto& warning : result.warnings) context.warn(warning);
    const ClaimedAttempt& got = result.claimed.front();
    const std::string ref = to_string(NodeRef{NodeType::stage, got.stage.id});
    if (context.format() == Format::name) {
        context.out().write(ref + '\n');
    } else if (context.format() == Format::table) {
        // The id as it is: scripts take it from here. One that begins as a command to a CI runner does gets
        // its type before it, with which every command takes it too.
        const bool is_command = printable(got.stage.id).front() != visible(got.stage.id).front();
        context.out().write((is_command ? ref : got.stage.id) + '\n');
        context.note("claimed " + ref + ", attempt " + std::to_string(got.idx) + ", as " + claim.process_uid);
    } else {
        std::string json;
        append_json(json, whole_stage(context, result.plan.id, got), result.plan);
        context.print_json(json);
    }
    return 0;
}

Action define_claim(Parser& parser) {
    auto options = std::make_shared<ClaimOptions>();
    parser.argument("STAGE", options->stage,
                    "the stage to claim; default: the one that is ready for longest");
    parser.option("--process", "UID", options->process,
                  "who will do the work (default: HOST:PID of the caller)");
    parser.option("--match", "GLOB", options->match,
                  "only stages whose id matches a shell pattern; repeatable");
    parser.option("--runner", "KIND", options->runners,
                  "also stages that need such a runner; '' are those that need none, '*' all (default: '')");
    parser.option("--wait", "D", options->wait, "wait so long for something to become ready");
    options->write.declare(parser);
    return [options](Context& context) { return claim(context, *options); };
}

// ---------------------------------------------------------------- heartbeat, progress, complete, fail

struct UpdateOptions {
    std::string stage;
    std::optional<std::int64_t> attempt;
    std::optional<std::string> process;
    std::optional<std::string> details;
    std::string message;
    bool no_retry = false;
    WriteFlags write;

    void declare(Parser& parser) {
        parser.option("--attempt", "N", attempt, 1, INT32_MAX, "refuse unless it is this attempt's turn");
        parser.option("--process", "UID", process, "refuse if another process holds the attempt");
        write.declare(parser);
    }
};

/// Fills what the four verbs have in common; `fill` does the rest.
int update(Context& context, const UpdateOptions& options, const std::function<void(AttemptWrite&)>& fill) {
    WriteNodes request = context.begin_write(options.write);
    StageWrite stage;
    stage.id = id_argument(NodeType::stage, options.stage);
    AttemptWrite& attempt = stage.attempt.emplace();
    if (options.attempt) {
        attempt.idx = static_cast<std::int32_t>(*options.attempt);
    } else if (request.inside && request.inside->stage_id == stage.id) {
        attempt.idx = request.inside->idx;
    }
    require_node(context, {NodeType::stage, stage.id});
    attempt.process_uid = options.process;
    fill(attempt);
    request.stages.push_back(stage);
    const WriteResult result = context.service(Context::Open::write).write_nodes(request);
    context.out().mark_committed();
    print_write_result(context, result);
    return 0;
}

Action define_heartbeat(Parser& parser) {
    auto options = std::make_shared<UpdateOptions>();
    parser.argument("STAGE", options->stage, "the stage that is being worked on");
    options->declare(parser);
    return [options](Context& context) {
        return update(context, *options, [](AttemptWrite& attempt) { attempt.heartbeat = true; });
    };
}

Action define_progress(Parser& parser) {
    auto options = std::make_shared<UpdateOptions>();
    parser.argument("STAGE", options->stage, "the stage that is being worked on");
    parser.argument("MESSAGE", options->message, "one line of news");
    parser.option("--details", "JSON", options->details, "an object to keep with the message, or @FILE");
    options->declare(parser);
    return [options](Context& context) {
        const JsonText details =
            options->details ? json_argument("--details", *options->details) : JsonText{};
        return update(context, *options, [&](AttemptWrite& attempt) {
            attempt.progress.emplace_back(options->message, details);
        });
    };
}

Action define_complete(Parser& parser) {
    auto options = std::make_shared<UpdateOptions>();
    parser.argument("STAGE", options->stage, "the stage whose work has ended");
    parser.option("--details", "JSON", options->details,
                  "an object merged into the attempt's details, or @FILE");
    options->declare(parser);
    return [options](Context& context) {
        std::optional<JsonText> details;
        if (options->details) details = json_argument("--details", *options->details);
        return update(context, *options, [&](AttemptWrite& attempt) {
            attempt.state = AttemptState::complete;
            attempt.details = details;
        });
    };
}

Action define_fail(Parser& parser) {
    auto options = std::make_shared<UpdateOptions>();
    options->message = "failed";
    parser.argument("STAGE", options->stage, "the stage whose work could not be done");
    parser.option("--message", "TEXT", options->message, "why (default: failed)");
    parser.flag("--no-retry", options->no_retry, "do not try again, whatever the stage's retry policy says");
    parser.option("--details", "JSON", options->details,
                  "an object merged into the attempt's details, or @FILE");
    options->declare(parser);
    return [options](Context& context) {
        std::optional<JsonText> details;
        if (options->details) details = json_argument("--details", *options->details);
        return update(context, *options, [&](AttemptWrite& attempt) {
            attempt.state = AttemptState::incomplete;
            attempt.failure = options->message;
            attempt.no_retry = options->no_retry;
            attempt.details = details;
        });
    };
}

Action define_release(Parser& parser) {
    auto options = std::make_shared<UpdateOptions>();
    parser.argument("STAGE", options->stage, "the stage that is given back");
    options->declare(parser);
    return [options](Context& context) {
        return update(context, *options,
                      [](AttemptWrite& attempt) { attempt.state = AttemptState::pending; });
    };
}

// ------------------------------------------------------------------------------------ attempt exec

struct ExecOptions {
    std::string stage;
    std::optional<Duration> lost_after;
    std::optional<std::string> actor;
};

int execute(Context& context, const ExecOptions& options) {
    const std::string token = environment_variable("TURBOCI_TOKEN");
    if (token.empty())
        usage("TURBOCI_TOKEN is not set: the token that `attempt claim -o json` prints",
              "claim the stage first, and hand its token over");
    RunningOptions running;
    running.jobs = 1;
    running.actor = options.actor;
    running.lost_after = options.lost_after;
    if (options.lost_after) context.set_lost_after(*options.lost_after);
    Service& service = context.service(Context::Open::write);
    const RunOptions run = run_options(context, running);
    const auto view =
        make_line_view([](std::string_view text) { write_to_stderr(text); }, view_options(context));
    Supervisor supervisor;
    const int status = Executor(service, supervisor, system_clock(), *view, run)
                           .run_attempt(id_argument(NodeType::stage, options.stage), token);
    context.close_store();
    return status;
}

Action define_exec(Parser& parser) {
    auto options = std::make_shared<ExecOptions>();
    parser.argument("STAGE", options->stage, "the stage that was claimed");
    declare_lost_after(parser, options->lost_after);
    parser.option("--actor", "NAME", options->actor,
                  "who runs it, for the log (default: $TURBOCI_ACTOR, else $USER)");
    return [options](Context& context) { return execute(context, *options); };
}

constexpr Command kAttemptCommands[] = {
    {"attempt claim", "Take a ready stage to work on, and print its id",
     "[STAGE] [--match GLOB] [--process UID] [--wait D]",
     "turboci attempt claim\n"
     "turboci attempt claim build --process \"$BUILD_TAG\"\n"
     "while stage=$(turboci attempt claim --wait 10m); do ./work \"$stage\"; done\n"
     "turboci attempt claim -o json | jq .stage.args",
     kAllFormats, define_claim,
     "Exit status 8 if nothing is ready. No stage is ever given to two claimants; claiming again as the same "
     "process "
     "changes nothing."},
    {"attempt heartbeat", "Say that the work on a stage goes on", "STAGE",
     "turboci attempt heartbeat build\n"
     "while sleep 20; do turboci attempt heartbeat build -q || break; done &",
     kAllFormats, define_heartbeat},
    {"attempt progress", "Add a line of news to the attempt at a stage", "STAGE MESSAGE [--details JSON]",
     "turboci attempt progress build 'compiling 120 of 400'\n"
     "turboci attempt progress build linking --details '{\"objects\": 400}'",
     kAllFormats, define_progress, "News are a heartbeat too."},
    {"attempt complete", "Say that the work on a stage ran to its end", "STAGE [--details JSON]",
     "turboci attempt complete build\n"
     "turboci attempt complete build --details @timings.json",
     kAllFormats, define_complete,
     "That says nothing of the answer: report that to the check, with `turboci check report`."},
    {"attempt fail", "Say that the work on a stage could not be done", "STAGE --message TEXT [--no-retry]",
     "turboci attempt fail build --message 'no space left on agent 7'\n"
     "turboci attempt fail build --message 'no such branch' --no-retry",
     kAllFormats, define_fail, "The stage's retry policy decides whether another attempt follows."},
    {"attempt release", "Give back an attempt that is SCHEDULED and was not begun", "STAGE",
     "turboci attempt release build", kAllFormats, define_release,
     "It is PENDING again, for anybody to claim. Nothing has ended, so no retry is used up."},
    {"attempt exec", "Run an attempt that was claimed, and speak for it until its end", "STAGE",
     "turboci attempt exec build\n"
     "ssh worker-7 TURBOCI_TOKEN=\"$token\" turboci attempt exec build",
     Formats{Format::table}, define_exec,
     "For launchers: it may run on another machine than the claim. $TURBOCI_TOKEN is the token of the claim. "
     "Exit "
     "status 0 if the command succeeded, 1 if it did not, 128+n when signal n stopped it."},
};

}  // namespace

std::span<const Command> attempt_commands() { return kAttemptCommands; }

}  // namespace turboci::cli
