// SPDX-License-Identifier: Apache-2.0
// Whole plans out of a store and into another.
#include <fmt/core.h>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "format/json_output.hpp"

namespace turboci::cli {

namespace {

/// An export holds the whole history of a plan: more than a plan file may.
constexpr std::size_t kMaxExportBytes = std::size_t{2} << 30;

int export_plan(Context& context) {
    context.service(Context::Open::read).export_plan(context.plan(), [&](std::string_view line) {
        context.out().write(line);
        context.out().write("\n");
    });
    return 0;
}

int import_plan(Context& context, const std::string& file) {
    const FileText text = read_file(file, kMaxExportBytes, "\"turboci_export\"");
    const WorkPlan plan = context.service(Context::Open::create).import_plan(text.view(), file);
    context.out().mark_committed();
    if (context.format() == Format::table) {
        context.print_confirmation(fmt::format("imported plan {} at version {}\n", plan.id, plan.version));
    } else if (context.format() == Format::name) {
        context.out().write(plan.id + "\n");
    } else {
        std::string json = "{\"plan\":";
        append_json(json, plan);
        context.print_json(json + "}");
    }
    return 0;
}

Action define_export(Parser&) { return export_plan; }

Action define_import(Parser& parser) {
    auto file = std::make_shared<std::string>();
    parser.argument("FILE", *file, "what 'plan export' printed; - for standard input");
    return [file](Context& context) { return import_plan(context, *file); };
}

constexpr Command kTransferCommands[] = {
    {"plan export", "Print a whole plan, its log included, as lines of JSON", "",
     "turboci plan export > plan.jsonl\n"
     "turboci plan export --plan nightly | gzip > nightly.jsonl.gz",
     Formats{Format::table, Format::jsonl}, define_export,
     "Lossless: importing it and exporting again gives the same bytes."},
    {"plan import", "Create the plan that 'plan export' printed", "FILE",
     "turboci plan import plan.jsonl\n"
     "turboci plan export | turboci --store copy.db plan import -",
     kNoJsonl, define_import,
     "The store is created if there is none. Every node must be one that the rules allow; nothing is kept "
     "otherwise."},
};

}  // namespace

std::span<const Command> transfer_commands() { return kTransferCommands; }

}  // namespace turboci::cli
