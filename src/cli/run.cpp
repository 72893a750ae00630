// SPDX-License-Identifier: Apache-2.0
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/report.hpp"
#include "cli/running.hpp"
#include "format/terminal.hpp"
#include "os/process.hpp"
#include "os/supervisor.hpp"
#include "runner/dry_run.hpp"
#include "runner/executor.hpp"
#include "runner/progress_view.hpp"

namespace turboci::cli {

namespace {

constexpr std::int64_t kMostFailures = 1'000'000;

struct Options {
    std::vector<std::string> refs;
    RunningOptions running;
    std::optional<Duration> timeout;
    std::optional<Duration> cleanup_timeout;
    std::optional<std::int64_t> most_failures;
    std::optional<std::string> on_interrupt;
    ReportFiles reports;
    bool fail_fast = false;
    bool dry_run = false;
};

RunOptions run_options(Context& context, const Options& options) {
    RunOptions run = run_options(context, options.running);
    run.plan = context.plan();
    run.refs = ref_arguments(options.refs);
    if (options.fail_fast && options.most_failures)
        usage("--fail-fast is -k 1: they exclude each other", "give one of them");
    run.fail_fast = options.fail_fast ? 1 : static_cast<std::size_t>(options.most_failures.value_or(0));
    run.timeout = options.timeout;
    run.cleanup_timeout = options.cleanup_timeout.value_or(run.cleanup_timeout);
    const std::string on_interrupt = options.on_interrupt.value_or("leave");
    if (on_interrupt != "leave" && on_interrupt != "cancel")
        usage("--on-interrupt: '" + printable(on_interrupt) + "' is neither leave nor cancel",
              "write --on-interrupt cancel");
    run.cancel_on_signal = on_interrupt == "cancel";
    return run;
}

TerminalSize terminal_size() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
    return {size.ws_col, size.ws_row};
}

/// Standard output is for data, so all that a run tells goes to stderr.
std::unique_ptr<RunListener> make_view(const Context& context) {
    const ViewOptions view = view_options(context);
    const char* term = std::getenv("TERM");
    const bool terminal = ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
    const auto out = [](std::string_view text) { write_to_stderr(text); };
    if (!terminal || view.quiet || view.dialect != CiDialect::none) return make_line_view(out, view);
    return make_live_view(out, view, terminal_size);
}

void append_strings(std::string& out, const std::vector<std::string>& list) {
    out += '[';
    for (const auto& text : list) {
        if (out.back() != '[') out += ',';
        append_json_string(out, text);
    }
    out += ']';
}

std::string report_json(const RunReport& report) {
    const RunSummary& sum = report.summary;
    std::string out = "{\"exit_code\":" + std::to_string(report.exit_code) +
                      ",\"verdict\":" + json_string(to_string(sum.verdict));
    const auto number = [&out](const char* name, std::int64_t value) {
        out += ",\"" + std::string(name) + "\":" + std::to_string(value);
    };
    number("passed", sum.passed);
    number("failed", sum.failed);
    number("skipped", sum.skipped);
    number("cancelled", sum.cancelled);
    number("retried", sum.retried);
    number("failed_checks", sum.failed_checks);
    number("unfinished", sum.unfinished);
    out += ",\"elapsed\":" + json_string(format_duration(sum.elapsed)) + ",\"slowest\":[";
    for (const auto& timed : sum.slowest) {
        if (out.back() != '[') out += ',';
        out += "{\"stage\":" + json_string(timed.stage) +
               ",\"duration\":" + json_string(format_duration(timed.duration)) + "}";
    }
    out += "],\"critical_path\":";
    append_strings(out, sum.critical_path);
    out += ",\"critical_length\":" + json_string(format_duration(sum.critical_length)) +
           ",\"critical_waiting\":" + json_string(format_duration(sum.critical_waiting)) + ",\"waits_for\":";
    append_strings(out, sum.waits_for);
    out += ",\"nothing_to_run\":" +
           (sum.nothing_to_run.empty() ? std::string("null") : json_string(sum.nothing_to_run));
    return out + "}";
}

int show_dry_run(Context& context, const RunOptions& run) {
    const auto steps = dry_run(context.service(Context::Open::read), run);
    if (context.format() == Format::name) {
        for (const auto& step : steps) context.out().write("stage:" + step.stage + '\n');
        return 0;
    }
    if (context.format() == Format::table) {
        Table table({"STAGE", "COMMAND"}, {1});
        for (const auto& step : steps) {
            std::string command;
            for (const auto& word : step.argv) command += (command.empty() ? "" : " ") + word;
            if (step.not_before)
                command.insert(0, "waits until " + format_timestamp(*step.not_before) + " (backoff): ");
            const bool bad = !step.problem.empty();
            table.add({{step.stage}, {bad ? step.problem : command, bad ? Style::red : Style::plain}});
        }
        if (!table.empty())
            context.out().write(table.render(context.out().width(), context.color(), Context::utf8()));
        return 0;
    }
    std::string json = "[";
    for (const auto& step : steps) {
        if (json.back() != '[') json += ',';
        json += "{\"stage\":" + json_string(step.stage) + ",\"command\":";
        append_strings(json, step.argv);
        json += ",\"problem\":" + (step.problem.empty() ? std::string("null") : json_string(step.problem)) +
                ",\"not_before\":" +
                (step.not_before ? json_string(format_timestamp(*step.not_before)) : std::string("null")) +
                "}";
    }
    context.print_json(json + "]");
    return 0;
}

/// Within an attempt the environment names the plan that the attempt belongs to. A run that says nothing else
/// would take up the work of the run around it; more likely its plan was forgotten.
void refuse_unnamed_plan_within_attempt(Context& context) {
    if (context.options().plan || !context.inside()) return;
    const std::string outer =
        context.plan().empty() ? "the same plan" : "plan '" + printable(context.plan()) + "'";
    usage("this is within stage:" + printable(context.inside()->stage_id) + " of " + outer +
              ", which is being run",
          "name the plan to run with --plan; nodes that are written join the run that goes on");
}

/// The reports are written whatever the end is. What kept a run from its end is worse news than what keeps a
/// report from being written.
RunReport run_and_report(Context& context, const ReportFiles& files, const std::string& plan,
                         const std::function<RunReport()>& run) {
    const auto write = [&](bool keep_quiet) {
        if (files.empty()) return;
        try {
            files.write(context, {context.service(Context::Open::write), plan});
        } catch (const Error& error) {
            if (!keep_quiet) throw;
            context.warn(std::string("not every report was written: ") + error.what());
        }
    };
    RunReport report;
    try {
        report = run();
    } catch (...) {
        write(true);
        throw;
    }
    context.out().mark_committed();
    write(report.exit_code != 0);
    return report;
}

int run_plan(Context& context, const Options& options) {
    if (context.format() == Format::name && !options.dry_run) {
        throw Error(ErrorCode::usage, "a run has no names to print", "add -n, or use -o json");
    }
    if (options.dry_run && !options.reports.empty())
        usage("-n runs nothing that --report could tell of", "leave one of them out");
    if (options.reports.use_standard_output() && context.format() != Format::table)
        usage("--report and -o would both write to standard output", "name a file for the report");
    if (options.running.lost_after) context.set_lost_after(*options.running.lost_after);
    Service& service = context.service(options.dry_run ? Context::Open::read : Context::Open::write);
    RunOptions run = run_options(context, options);
    if (options.dry_run) return show_dry_run(context, run);
    refuse_unnamed_plan_within_attempt(context);
    const auto view = make_view(context);
    Supervisor supervisor;
    fit_jobs(context, run);
    if (!options.reports.empty()) run.plan = context.fixed_plan(Context::Open::write).id;
    const RunReport report = run_and_report(context, options.reports, run.plan, [&] {
        return Executor(service, supervisor, system_clock(), *view, run).run();
    });
    context.close_store();
    if (context.format() != Format::table) context.print_json(report_json(report));
    return report.exit_code;
}

Action define_run(Parser& parser) {
    auto options = std::make_shared<Options>();
    parser.arguments("REF", options->refs, 0, "run what these nodes need; default: the whole plan");
    options->running.declare(parser);
    parser.flag("--fail-fast", options->fail_fast,
                "after the first failure cancel what is left, and clean up");
    parser.option("-k,--max-failures", "N", options->most_failures, 1, kMostFailures,
                  "likewise after the Nth failure");
    parser.option("--timeout", "D", options->timeout, "likewise after this time");
    parser.option("--cleanup-timeout", "D", options->cleanup_timeout,
                  "how long the cleaning up may take then (default: 5m)");
    parser.option("--on-interrupt", "WHAT", options->on_interrupt,
                  "what a signal does: leave (default) the work to a later run, or cancel it");
    parser.flag("-n,--dry-run", options->dry_run, "say what would run, and in what order; run nothing");
    parser.option(
        "--report", "FORMAT=FILE", [options](const std::string& text) { options->reports.add(text); },
        "at the end, whatever it is, write a report: markdown, junit, html or trace; markdown=auto is the "
        "job summary of GitHub Actions; repeatable");
    return [options](Context& context) { return run_plan(context, *options); };
}

constexpr Command kRunCommands[] = {
    {"run", "Execute ready stages until nothing can move",
     "[REF]... [-j N] [--runner KIND]... [--fail-fast] [--report FORMAT=FILE]... [-n]",
     "turboci run\n"
     "turboci run -j8 --timeout 1h\n"
     "turboci run check:unit-tests --fail-fast\n"
     "turboci run --report html=report.html --report junit=report.xml",
     kNoJsonl, define_run,
     "Exit status by the verdict of the named nodes, else of the plan: 0 if it is passed, 1 if it is failed, "
     "8 if "
     "something waits for others. A later run carries on where the store says. What happens is told on "
     "stderr."},
};

}  // namespace

std::span<const Command> run_commands() { return kRunCommands; }

}  // namespace turboci::cli
