// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/log_output.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

struct LogOptions {
    std::optional<std::string> ref;
    std::optional<std::int64_t> since;
};

ReadLog log_request(const Context& context, const LogOptions& options) {
    ReadLog request;
    request.plan = context.plan();
    if (options.ref) request.ref = parse_ref(*options.ref);
    request.since = options.since.value_or(0);
    return request;
}

void print_table(Context& context, const ReadLog& request) {
    Table table({"VERSION", "TIME", "BY", "NODE", "CHANGES", "ACTOR", "REASON"}, {6, 5, 4, 2, 1});
    context.service(Context::Open::read).read_log(request, [&](const LogEntry& entry) {
        table.add({{std::to_string(entry.version)},
                   {format_timestamp(entry.time).substr(0, 19) + "Z"},
                   {std::string(to_string(entry.by))},
                   {entry.node ? to_string(*entry.node) : "plan"},
                   {changes_text(entry)},
                   {entry.actor},
                   {entry.reason}});
    });
    if (!table.empty())
        context.out().write(table.render(context.out().width(), context.color(), Context::utf8()));
}

int print_log(Context& context, const LogOptions& options) {
    const ReadLog request = log_request(context, options);
    const Format format = context.format();
    if (format == Format::table) {
        print_table(context, request);
        return 0;
    }
    if (format == Format::yaml || (format == Format::json && context.out().is_terminal())) {
        std::string all = "[";
        context.service(Context::Open::read).read_log(request, [&](const LogEntry& entry) {
            if (all.size() > 1) all += ',';
            append_json(all, entry);
        });
        context.print_json(all + "]");
        return 0;
    }
    std::string json;
    // As it is read: logs are long.
    bool first = true;
    if (format == Format::json) context.out().write("[");
    context.service(Context::Open::read).read_log(request, [&](const LogEntry& entry) {
        json = format == Format::jsonl || first ? "" : ",\n";
        append_json(json, entry);
        if (format == Format::jsonl) json += '\n';
        context.out().write(json);
        first = false;
    });
    if (format == Format::json) context.out().write("]\n");
    return 0;
}

Action define_log(Parser& parser) {
    auto options = std::make_shared<LogOptions>();
    parser.argument("REF", options->ref, "only changes of this node");
    parser.option("--since", "VERSION", options->since, 0, INT64_MAX, "only changes after this plan version");
    return [options](Context& context) { return print_log(context, *options); };
}

constexpr Command kLogCommands[] = {
    {"log", "Show the recorded changes: when, who, why, and what followed", "[REF] [--since VERSION]",
     "turboci log\n"
     "turboci log check:release\n"
     "turboci log --since 12 -o jsonl | jq -r 'select(.by == \"writer\").reason'",
     Formats{Format::table, Format::json, Format::jsonl, Format::yaml}, define_log},
};

}  // namespace

std::span<const Command> log_commands() { return kLogCommands; }

}  // namespace turboci::cli
