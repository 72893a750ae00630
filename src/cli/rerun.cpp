// SPDX-License-Identifier: Apache-2.0
// A new plan from one that is there.
#include "cli/app.hpp"
#include "cli/input.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

struct RerunOptions {
    std::vector<std::string> again;
    std::vector<std::string> files;
    std::optional<std::string> id;
    bool fork = false;
    std::optional<std::int64_t> if_version;
    WriteFlags write;
};

/// "plan p2: 40 nodes carried over, 3 nodes begin anew; 1 node of the old plan ended"
std::string headline(const RerunResult& result) {
    if (result.replayed) return "made before";
    if (result.nothing_to_do) return "nothing to do: plan " + result.plan.id + " has passed";
    const auto count = [](std::size_t n, const char* what) {
        return std::to_string(n) + (n == 1 ? " node " : " nodes ") + what;
    };
    std::string text = "plan " + result.plan.id + ": " + count(result.carried.size(), "carried over") + ", " +
                       count(result.begun.size(), result.begun.size() == 1 ? "begins anew" : "begin anew");
    if (!result.ended.empty()) text += "; " + count(result.ended.size(), "of the old plan ended");
    return text;
}

int rerun_plan(Context& context, const RerunOptions& options) {
    auto whole_request = std::make_unique<RerunPlan>();
    RerunPlan& request = *whole_request;
    if (options.id) {
        if (const auto why = plan_id_problem(*options.id))
            throw Error(ErrorCode::invalid_argument, "plan id '" + printable(*options.id) + "' " + *why);
        request.id = *options.id;
    }
    request.again = ref_arguments(options.again);
    request.fork = options.fork;
    request.redefines = !options.files.empty();
    const auto warnings = read_sound_plan_files(options.files, request.definitions);
    context.finish_write(request.definitions, options.write);
    if (options.if_version) request.definitions.if_version = options.if_version;
    request.plan = request.definitions.plan;
    RerunResult result = context.service(Context::Open::write).rerun_plan(request);
    if (!result.nothing_to_do) context.out().mark_committed();
    result.warnings.insert(result.warnings.begin(), warnings.begin(), warnings.end());
    for (const auto& warning : result.warnings) context.warn(warning);
    if (context.format() == Format::table || context.format() == Format::name) {
        context.note(headline(result));
        context.out().write(result.plan.id + '\n');
    } else {
        std::string json;
        append_json(json, result);
        context.print_json(json);
    }
    leave_to_kernel(std::move(whole_request));
    return 0;
}

Action define_rerun(Parser& parser) {
    auto options = std::make_shared<RerunOptions>();
    parser.arguments("REF", options->again, 0,
                     "begins anew although it passed, with all that hangs on it; a check with its stages");
    parser.option("-f,--file", "FILE", options->files,
                  "the definitions of the new plan, in place of those of the old one; repeatable");
    parser.option("--id", "ID", options->id, "the new plan's id; default: a new one that sorts by time");
    parser.flag("--fork", options->fork, "also if the plan was started again already");
    parser.option("--if-version", "N", options->if_version, 0, INT64_MAX,
                  "refuse unless the old plan is at this version");
    options->write.declare(parser);
    return [options](Context& context) { return rerun_plan(context, *options); };
}

constexpr Command kRerunCommands[] = {
    {"plan rerun", "Start a plan again: a new one that carries over what passed",
     "[REF]... [-f FILE]... [--id ID] [--fork]",
     "turboci plan rerun && turboci run\n"
     "turboci plan rerun check:integration\n"
     "turboci plan rerun -f plan.yaml --reason 'the test is mended'",
     kAllFormats, define_rerun,
     "Prints the id of the new plan, which is the default plan from then on. A stage is carried over if it "
     "passed, neither it nor a check that it answers is defined otherwise now, and all that it depends on is "
     "carried over, too; a check if it passed and the stages that answer it are carried over. All others "
     "begin anew. What is open in the old plan ends. While one of its attempts runs it is refused. Without "
     "anything to do it prints the id of the old plan. A failure that is not required begins anew only by "
     "name."},
};

}  // namespace

std::span<const Command> rerun_commands() { return kRerunCommands; }

}  // namespace turboci::cli
