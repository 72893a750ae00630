// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/verdict.hpp"
#include "format/json_output.hpp"

namespace turboci::cli {

namespace {

constexpr int kNo = 1;  // the answer is no

struct GateOptions {
    std::vector<std::string> refs;
    bool allow_skipped = false;
};

StatusSink judged_checks(Context& context, const GateOptions& options) {
    QueryNodes request;
    request.plan = context.plan();
    request.types = {NodeType::check};
    for (const auto& text : options.refs) {
        request.refs.push_back({NodeType::check, id_argument(NodeType::check, text)});
    }
    request.parts = StatusSink::parts();
    StatusSink found;
    context.endpoint(Context::Open::read).query(request, found);
    return found;
}

std::string reasons_json(const StatusSink& found, const std::vector<const NodeStatus*>& bad) {
    std::string json = "{\"plan\":";
    append_json(json, found.plan());
    json += ",\"passed\":";
    json += bad.empty() && !found.nodes().empty() ? "true" : "false";
    json += ",\"checks\":" + std::to_string(found.nodes().size()) + ",\"reasons\":[";
    for (const NodeStatus* status : bad) {
        if (status != bad.front()) json += ',';
        json += "{\"node\":" + json_string(to_string(status->ref)) +
                ",\"state\":" + json_string(to_string(status->state)) + ",\"outcome\":" +
                (status->outcome ? json_string(to_string(*status->outcome)) : std::string("null")) +
                ",\"message\":" + json_string(status->why) + "}";
    }
    return json + "]}";
}

int gate(Context& context, const GateOptions& options) {
    const StatusSink found = judged_checks(context, options);
    std::vector<const NodeStatus*> bad;
    for (const auto& status : found.nodes()) {
        const bool skipped = options.allow_skipped && status.outcome == Outcome::skipped;
        if (status.outcome != Outcome::passed && !skipped) bad.push_back(&status);
    }
    const bool passed = bad.empty() && !found.nodes().empty();
    const std::string all =
        std::to_string(found.nodes().size()) + (found.nodes().size() == 1 ? " check" : " checks");
    if (context.format() == Format::name) {
        for (const NodeStatus* status : bad) context.out().write(to_string(status->ref) + '\n');
    } else if (context.format() != Format::table) {
        context.print_json(reasons_json(found, bad));
    } else if (passed) {
        context.print_confirmation("passed: " + all + '\n');
    }
    if (passed) return 0;
    for (std::size_t i = 0; i < bad.size() && (i < kListed || context.options().verbose); ++i) {
        context.note(status_text(*bad[i]));
    }
    if (bad.size() > kListed && !context.options().verbose) {
        context.note("and " + std::to_string(bad.size() - kListed) + " more (-v shows all)");
    }
    print_to_stderr(found.nodes().empty()
                        ? "turboci: gate: not passed: there is no check to judge"
                        : "turboci: gate: not passed: " + std::to_string(bad.size()) + " of " + all);
    return kNo;
}

Action define_gate(Parser& parser) {
    auto options = std::make_shared<GateOptions>();
    parser.arguments("REF", options->refs, 0, "the checks to judge; default: all of the plan");
    parser.flag("--allow-skipped", options->allow_skipped, "take skipped for passed");
    return [options](Context& context) { return gate(context, *options); };
}

constexpr Command kGateCommands[] = {
    {"gate", "Succeed only if checks are FINAL and passed", "[REF]... [--allow-skipped]",
     "turboci gate\n"
     "turboci gate check:build check:unit-tests && git push origin HEAD:main\n"
     "turboci gate --allow-skipped -o json | jq .reasons",
     kNoJsonl, define_gate,
     "Exit status 0 if all judged checks passed and there is at least one, else 1 with the reasons on "
     "stderr. It does "
     "not wait: see `turboci wait`."},
};

}  // namespace

std::span<const Command> gate_commands() { return kGateCommands; }

}  // namespace turboci::cli
