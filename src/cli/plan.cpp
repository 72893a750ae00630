// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/plan_output.hpp"
#include "cli/report.hpp"
#include "cli/write_output.hpp"
#include "engine/validate.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"
#include "turboci/plan_file.hpp"

namespace turboci::cli {

namespace {

// ------------------------------------------------------------------------------------ plan create

struct CreateOptions {
    std::optional<std::string> id;
    std::vector<std::string> labels;
    std::vector<std::string> files;
    WriteFlags write;
};

int create_plan(Context& context, const CreateOptions& options) {
    auto whole_request = std::make_unique<CreatePlan>();
    CreatePlan& request = *whole_request;
    for (const auto& label : options.labels) request.labels.push_back(parse_label(label));
    request.id = options.id ? *options.id : context.options().plan.value_or("");
    if (options.id && context.options().plan && *options.id != *context.options().plan) {
        throw Error(ErrorCode::usage,
                    "two names for one plan: " + *options.id + " and " + *context.options().plan,
                    "leave --plan out");
    }
    if (const auto why = plan_id_problem(request.id); why && !request.id.empty()) {
        throw Error(ErrorCode::invalid_argument, "plan id '" + printable(request.id) + "' " + *why);
    }
    if (options.id && options.id->empty()) throw Error(ErrorCode::invalid_argument, "the plan id is empty");
    const auto warnings = read_sound_plan_files(options.files, request.nodes);
    context.set_new_plan(request.id);
    context.finish_write(request.nodes, options.write);
    // Before the store is opened: bad input must not even leave an empty store behind.
    Problems problems;
    validate(request.nodes, problems);
    problems.raise_if_any(request.nodes.files);
    WriteResult result = context.service(Context::Open::create).create_plan(request);
    result.warnings.insert(result.warnings.begin(), warnings.begin(), warnings.end());
    context.out().mark_committed();
    if (context.format() == Format::table || context.format() == Format::name) {
        for (const auto& warning : result.warnings) context.warn(warning);
        context.out().write(result.plan.id + '\n');
    } else {
        print_write_result(context, result);
    }
    leave_to_kernel(std::move(whole_request));
    return 0;
}

Action define_create(Parser& parser) {
    auto options = std::make_shared<CreateOptions>();
    parser.argument("ID", options->id, "the plan's id; default: a new one that sorts by time");
    parser.option("--label", "K=V", options->labels,
                  "a label for people and scripts to find it by; repeatable");
    parser.option("-f,--file", "FILE", options->files,
                  "write this plan file too, in one transaction; repeatable");
    options->write.declare(parser);
    return [options](Context& context) { return create_plan(context, *options); };
}

// ------------------------------------------------------------------------------------ plan list

int list_plans(Context& context, const std::vector<std::string>& labels) {
    auto plans = context.service(Context::Open::read).list_plans();
    for (const auto& text : labels) {
        const std::pair<std::string, std::string> label = parse_label(text);
        std::erase_if(
            plans, [&](const WorkPlan& plan) { return !has_label(plan.labels, label.first, label.second); });
    }
    if (context.format() == Format::table) {
        context.out().write(
            plan_table(plans).render(context.out().width(), context.color(), Context::utf8()));
        return 0;
    }
    std::string json;
    for (const auto& plan : plans) {
        if (context.format() == Format::name) {
            context.out().write(plan.id + '\n');
        } else if (context.format() == Format::jsonl) {
            json.clear();
            append_json(json, plan);
            context.out().write(json + '\n');
        } else {
            json += json.empty() ? "[" : ",";
            append_json(json, plan);
        }
    }
    if (context.format() == Format::json || context.format() == Format::yaml) {
        context.print_json(json.empty() ? "[]" : json + "]");
    }
    return 0;
}

Action define_list(Parser& parser) {
    auto labels = std::make_shared<std::vector<std::string>>();
    parser.option("--label", "K=V", *labels, "plans with this label; repeatable, all must be there");
    return [labels](Context& context) { return list_plans(context, *labels); };
}

// ------------------------------------------------------------------------------------ plan show

struct SummaryOptions {
    std::optional<std::string> id;
    std::optional<ReportFormat> report;  ///< none: a table
};

int show_plan(Context& context, const SummaryOptions& options) {
    if (options.id) context.set_plan(*options.id);
    if (options.report) {
        const ReportSource source(context.service(Context::Open::read), context.plan());
        context.out().write(source.report(*options.report));
        return 0;
    }
    const std::size_t limit = context.options().verbose ? SIZE_MAX / 2 : kListed;
    const PlanSummary summary = context.service(Context::Open::read).summarize(context.plan(), limit);
    if (context.format() == Format::table) {
        context.out().write(
            summary_text(summary, limit, context.out().width(), context.color(), Context::utf8()));
    } else if (context.format() == Format::name) {
        context.out().write(summary.plan.id + '\n');
    } else {
        std::string json;
        append_json(json, summary);
        context.print_json(json);
    }
    return 0;
}

Action define_plan_show(Parser& parser) {
    auto options = std::make_shared<SummaryOptions>();
    parser.argument("ID", options->id, "the plan, chosen as by --plan");
    parser.option(
        "--format", "FORMAT",
        [options](const std::string& value) {
            options->report = parse_report_format(value);
            if (!options->report && value != "table")
                throw Error(ErrorCode::usage, "--format: unknown value '" + printable(value) + "'",
                            "use table, " + std::string(kReportFormats));
        },
        "table (default), markdown (a job summary), junit (a report for CI systems), html (a page for "
        "browsers) "
        "or trace (a timeline for Perfetto)");
    return [options](Context& context) { return show_plan(context, *options); };
}

// ------------------------------------------------------------------------------------ plan tick

Action define_tick(Parser& parser) {
    auto id = std::make_shared<std::optional<std::string>>();
    auto flags = std::make_shared<WriteFlags>();
    auto lost_after = std::make_shared<std::optional<Duration>>();
    parser.argument("ID", *id, "the plan, chosen as by --plan");
    declare_lost_after(parser, *lost_after);
    flags->declare(parser);
    return [id, flags, lost_after](Context& context) {
        if (*id) context.set_plan(**id);
        if (*lost_after) context.set_lost_after(**lost_after);
        WriteNodes request = context.begin_write(*flags);
        request.tick = true;
        const WriteResult result = context.service(Context::Open::write).write_nodes(request);
        context.out().mark_committed();
        print_write_result(context, result);
        return 0;
    };
}

// ------------------------------------------------------------------------------------ plan cancel

int cancel_plan(Context& context, const std::optional<std::string>& id, const WriteFlags& flags) {
    if (id) context.set_plan(*id);
    WriteNodes request = context.begin_write(flags);
    request.cancel.emplace();
    const WriteResult result = context.service(Context::Open::write).write_nodes(request);
    context.out().mark_committed();
    print_write_result(context, result);
    return 0;
}

Action define_cancel_plan(Parser& parser) {
    auto id = std::make_shared<std::optional<std::string>>();
    auto flags = std::make_shared<WriteFlags>();
    parser.argument("ID", *id, "the plan to cancel");
    flags->declare(parser);
    return [id, flags](Context& context) { return cancel_plan(context, *id, *flags); };
}

constexpr Command kPlanCommands[] = {
    {"plan create", "Create a plan, and the store if there is none", "[ID] [--label K=V]... [-f FILE]...",
     "turboci plan create\n"
     "turboci plan create nightly --label branch=main -f plan.yaml\n"
     "export TURBOCI_PLAN=$(turboci plan create -f plan.yaml)",
     kAllFormats, define_create, "Prints the plan's id and nothing else."},
    {"plan list", "List the plans of the store", "[--label K=V]...",
     "turboci plan list\n"
     "turboci plan list --label branch=main -o name\n"
     "turboci plan list -o json | jq -r '.[] | select(.from == null).id'",
     kAllFormats, define_list, "A plan that was made from another one names it (FROM, `from` in JSON)."},
    {"plan show", "Show how far a plan is: counts, what is ready, what runs, what failed",
     "[ID] [--format FORMAT]",
     "turboci plan show\n"
     "turboci plan show nightly -v\n"
     "turboci plan show --format markdown >> \"$GITHUB_STEP_SUMMARY\"\n"
     "turboci plan show -o json | jq .totals",
     kNoJsonl, define_plan_show},
    {"plan cancel", "Cancel what is left of a plan, and let it clean up", "[ID] [--reason TEXT]",
     "turboci plan cancel --reason 'a newer push'", kAllFormats, define_cancel_plan,
     "Every stage that is not FINAL is cancelled, but those that clean up: stages that have dependencies, "
     "all of them "
     "with 'when: always', 'failure' or 'unsuccessful', and stages that depend on such stages alone. They "
     "become "
     "ready as what they wait for has ended. A check that no stage answers is skipped. The plan remembers "
     "it: a "
     "stage that is written later is cancelled, too, unless it cleans up."},
    {"plan tick", "End attempts that ran out of time, fell silent, or lost their runner",
     "[ID] [--lost-after D]",
     "turboci plan tick\n"
     "while sleep 60; do turboci plan tick -q; done",
     kNoJsonl, define_tick, "Every write does this first, so this is for plans that nobody writes to."},
};

}  // namespace

std::span<const Command> plan_commands() { return kPlanCommands; }

}  // namespace turboci::cli
