// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>

#include "cli/explain.hpp"
#include "cli/input.hpp"
#include "cli/node_output.hpp"
#include "cli/select.hpp"
#include "cli/write_output.hpp"

namespace turboci::cli {

namespace {

// ------------------------------------------------------------------------------------ nodes write

struct WriteOptions {
    std::vector<std::string> files;
    WriteFlags write;
    std::optional<std::int64_t> if_version;
    bool dry_run = false;
};

int write_nodes(Context& context, const WriteOptions& options) {
    std::vector<std::string> files = options.files;
    if (files.empty()) {
        if (::isatty(STDIN_FILENO) == 1) {
            throw Error(ErrorCode::usage, "nothing to write", "name plan files, or - for standard input");
        }
        files.emplace_back("-");
    }
    auto whole_request = std::make_unique<WriteNodes>();
    WriteNodes& request = *whole_request;
    const auto warnings = read_sound_plan_files(files, request);
    context.finish_write(request, options.write);
    if (options.if_version) request.if_version = options.if_version;
    request.dry_run = options.dry_run;
    WriteResult result = context.service(Context::Open::write).write_nodes(request);
    result.warnings.insert(result.warnings.begin(), warnings.begin(), warnings.end());
    if (!options.dry_run) context.out().mark_committed();
    print_write_result(context, result, options.dry_run);
    leave_to_kernel(std::move(whole_request));
    return 0;
}

Action define_write(Parser& parser) {
    auto options = std::make_shared<WriteOptions>();
    parser.arguments("FILE", options->files, 0, "plan files; - (or nothing, in a pipe) is standard input");
    options->write.declare(parser);
    parser.option("--if-version", "N", options->if_version, 0, INT64_MAX,
                  "refuse unless the plan is at this version");
    parser.flag("--dry-run", options->dry_run, "do it all, show it, then roll back");
    return [options](Context& context) { return write_nodes(context, *options); };
}

// ------------------------------------------------------------------------------------ nodes query

int query_nodes(Context& context, const Selection& selection) {
    const auto printer = make_node_printer(context);
    QueryNodes request = selection.request(context);
    request.parts = printer->parts();
    context.service(Context::Open::read).query(request, *printer);
    printer->finish();
    return 0;
}

Action define_query(Parser& parser) {
    auto selection = std::make_shared<Selection>();
    selection->declare_refs(parser,
                            "nodes to select: check:ID, stage:ID, or an ID that only one of them has");
    selection->declare_filters(parser);
    selection->declare_walk(parser);
    return [selection](Context& context) { return query_nodes(context, *selection); };
}

// ------------------------------------------------------------------------------------ nodes explain

Action define_explain(Parser& parser) {
    auto ref = std::make_shared<std::string>();
    parser.argument("REF", *ref, "the node: check:ID, stage:ID, or an ID that only one of them has");
    return [ref](Context& context) {
        const Explanation found =
            context.service(Context::Open::read).explain(context.plan(), parse_ref(*ref));
        print_explanation(context, found);
        return 0;
    };
}

constexpr Command kNodeCommands[] = {
    {"nodes write", "Write plan files, all of them in one transaction",
     "[FILE|-]... [--dry-run] [--reason TEXT]",
     "turboci nodes write plan.yaml\n"
     "turboci nodes write checks.yaml stages.json --reason 'nightly build'\n"
     "generate-plan | turboci nodes write -\n"
     "turboci nodes write plan.yaml --dry-run -v",
     kNoJsonl, define_write,
     "Writing a file again changes nothing unless it says something new. Nothing is written if anything is "
     "wrong."},
    {"nodes query", "Select nodes, follow their edges, print them",
     "[REF]... [FILTER]... [--deps[=N]] [--dependents[=N]]",
     "turboci nodes query --outcome failed\n"
     "turboci nodes query check:release --deps --state PLANNED --state WAITING\n"
     "turboci nodes query --type stage --ready -o name\n"
     "turboci nodes query -o json | jq '.checks[].id'",
     kAllFormats, define_query,
     "Filters AND together; a filter given twice ORs. What the selection reaches by --deps and --dependents "
     "is added to "
     "it. An empty selection is an empty result."},
    {"nodes explain", "Tell why a node is where it is, down to the root causes", "REF",
     "turboci nodes explain check:release\n"
     "turboci nodes explain stage:deploy -o json | jq .root_causes",
     kDocuments, define_explain},
};

}  // namespace

std::span<const Command> node_commands() { return kNodeCommands; }

}  // namespace turboci::cli
