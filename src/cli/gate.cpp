// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/node_output.hpp"
#include "cli/select.hpp"
#include "cli/verdict.hpp"
#include "format/json_output.hpp"
#include "format/report_text.hpp"
#include "turboci/verdict.hpp"

namespace turboci::cli {

namespace {

constexpr int kNo = 1;  // the answer is no

struct GateOptions {
    Selection selection;
    bool allow_skipped = false;
};

/// What the gate says of the checks that a query finds.
class GateSink final : public NodeSink {
public:
    explicit GateSink(bool allow_skipped) : allow_skipped_(allow_skipped) {}
    void plan(const WorkPlan& plan) override { plan_ = plan; }
    void check(const Check& check) override {
        switch (gate_answer(check, allow_skipped_)) {
            case GateAnswer::yes:
                ++yes_;
                break;
            case GateAnswer::no:
                refused_.push_back(
                    {{NodeType::check, check.id}, check.state, check.outcome, short_reason(check)});
                break;
            case GateAnswer::aside:
                ++aside_;
                break;
        }
    }
    void stage(const Stage&) override {}

    [[nodiscard]] const WorkPlan& plan() const noexcept { return plan_; }
    [[nodiscard]] const std::vector<NodeStatus>& refused() const noexcept { return refused_; }
    [[nodiscard]] std::int64_t judged() const { return yes_ + static_cast<std::int64_t>(refused_.size()); }
    [[nodiscard]] std::int64_t aside() const noexcept { return aside_; }
    [[nodiscard]] bool passed() const { return gate_opens(yes_, static_cast<std::int64_t>(refused_.size())); }

private:
    bool allow_skipped_;
    WorkPlan plan_;
    std::vector<NodeStatus> refused_;
    std::int64_t yes_ = 0, aside_ = 0;
};

/// One reference a line. Stages, which a query may have printed too, are not judged.
void add_checks_of_input(std::vector<RefText>& refs) {
    const FileText input = read_file("-");
    std::string_view rest = input.view();
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with("stage:")) continue;
        refs.push_back({NodeType::check, id_argument(NodeType::check, std::string(line))});
    }
}

GateSink judged_checks(Context& context, const GateOptions& options) {
    QueryNodes request = options.selection.filters(context);
    // Without a filter on it, the type; with another one nothing is left to judge.
    if (request.types.empty()) request.types = {NodeType::check};
    for (const auto& text : options.selection.refs) {
        if (text == "-") {
            add_checks_of_input(request.refs);
        } else {
            request.refs.push_back({NodeType::check, id_argument(NodeType::check, text)});
        }
    }
    request.parts = StatusSink::parts();
    GateSink found(options.allow_skipped);
    // No name in the input is not the same as no names: that would be every check of the plan.
    if (request.refs.empty() && !options.selection.refs.empty()) {
        found.plan(context.service(Context::Open::read).get_plan(context.plan()));
        return found;
    }
    context.service(Context::Open::read).query(request, found);
    return found;
}

std::string reasons_json(const GateSink& found) {
    std::string json = "{\"plan\":";
    append_json(json, found.plan());
    json += ",\"passed\":";
    json += found.passed() ? "true" : "false";
    json += ",\"checks\":" + std::to_string(found.judged()) +
            ",\"not_required\":" + std::to_string(found.aside()) + ",\"reasons\":[";
    for (const NodeStatus& status : found.refused()) {
        if (json.back() != '[') json += ',';
        json += "{\"node\":" + json_string(to_string(status.ref)) +
                ",\"state\":" + json_string(to_string(status.state)) + ",\"outcome\":" +
                (status.outcome ? json_string(to_string(*status.outcome)) : std::string("null")) +
                ",\"message\":" + json_string(status.why) + "}";
    }
    return json + "]}";
}

void tell_refusal(Context& context, const GateSink& found) {
    const auto& refused = found.refused();
    for (std::size_t i = 0; i < refused.size() && (i < kListed || context.options().verbose); ++i) {
        context.note(status_text(refused[i]));
    }
    if (refused.size() > kListed && !context.options().verbose) {
        context.note("and " + std::to_string(refused.size() - kListed) + " more (-v shows all)");
    }
    std::string why = std::to_string(refused.size()) + " of " + amount_of(found.judged(), "check");
    if (found.judged() == 0)
        why = found.aside() == 0 ? "there is no check to judge" : "there is no required check to judge";
    print_to_stderr("turboci: gate: not passed: " + why);
}

int gate(Context& context, const GateOptions& options) {
    const GateSink found = judged_checks(context, options);
    context.service(Context::Open::read).flush();
    if (context.format() == Format::name) {
        for (const NodeStatus& status : found.refused()) context.out().write(to_string(status.ref) + '\n');
    } else if (context.format() != Format::table) {
        context.print_json(reasons_json(found));
    } else if (found.passed()) {
        context.print_confirmation("passed: " + amount_of(found.judged(), "check") + '\n');
    }
    if (found.passed()) return 0;
    tell_refusal(context, found);
    return kNo;
}

Action define_gate(Parser& parser) {
    auto options = std::make_shared<GateOptions>();
    options->selection.declare_refs(
        parser, "the checks to judge, - for those on standard input; default: all of the plan");
    options->selection.declare_filters(parser);
    parser.flag("--allow-skipped", options->allow_skipped, "take what was skipped as not needed for passed");
    return [options](Context& context) { return gate(context, *options); };
}

constexpr Command kGateCommands[] = {
    {"gate", "Succeed only if checks are FINAL and passed", "[REF|-]... [FILTER]... [--allow-skipped]",
     "turboci gate\n"
     "turboci gate check:build check:unit-tests && git push origin HEAD:main\n"
     "turboci gate --kind test --match 'linux-*'\n"
     "turboci nodes query check:release --deps -o name | turboci gate -\n"
     "turboci gate --allow-skipped -o json | jq .reasons",
     kNoJsonl, define_gate,
     "Exit status 0 if all judged checks that are required passed and there is at least one, else 1 with the "
     "reasons on stderr. A check that was skipped because of a failure never passes. It does not wait: see "
     "`turboci wait`."},
};

}  // namespace

std::span<const Command> gate_commands() { return kGateCommands; }

}  // namespace turboci::cli
