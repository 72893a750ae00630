// SPDX-License-Identifier: Apache-2.0
#include "engine/validate.hpp"
#include "cli/app.hpp"
#include "cli/input.hpp"
#include "endpoint/review.hpp"
#include "format/terminal.hpp"
#include "turboci/plan_file.hpp"

namespace turboci::cli {

namespace {

std::string counted(std::size_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

int validate_files(Context& context, const std::vector<std::string>& files) {
    WriteNodes request;
    Problems problems;
    // What a broken file lacks would only be missed again by what refers to it.
    if (!read_plan_files(files, request, problems)) problems.raise_if_any(request.files);
    validate(request, problems);
    const PlanReview found = review(request, problems);
    problems.raise_if_any(request.files);
    try_rules(request);
    auto warnings = problems.warnings(request.files);
    warnings.insert(warnings.end(), found.warnings.begin(), found.warnings.end());
    for (const auto& warning : warnings) context.warn(warning);
    if (context.format() == Format::table) {
        context.print_confirmation("ok: " + counted(request.checks.size(), "check") + ", " +
                                   counted(request.stages.size(), "stage") + "\n");
        return 0;
    }
    std::string json = "{\"checks\":" + std::to_string(request.checks.size()) +
                       ",\"stages\":" + std::to_string(request.stages.size()) + ",\"warnings\":[";
    for (const auto& warning : warnings) {
        if (json.back() != '[') json += ',';
        append_json_string(json, warning);
    }
    context.print_json(json + "]}");
    return 0;
}

Action define_validate(Parser& parser) {
    auto files = std::make_shared<std::vector<std::string>>();
    parser.arguments("FILE", *files, 1, "plan files; - is standard input");
    return [files](Context& context) { return validate_files(context, *files); };
}

constexpr Command kValidateCommands[] = {
    {"validate", "Check plan files without a store, and report all problems at once", "FILE...",
     "turboci validate plan.yaml\n"
     "turboci validate checks.yaml stages.json\n"
     "generate-plan | turboci validate -",
     kDocuments, define_validate,
     "The files are taken together as one whole plan: every target must be defined in one of them. Plans "
     "that can "
     "never finish are warned of."},
};

}  // namespace

std::span<const Command> validate_commands() { return kValidateCommands; }

}  // namespace turboci::cli
