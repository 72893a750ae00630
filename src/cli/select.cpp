// SPDX-License-Identifier: Apache-2.0
#include "cli/select.hpp"

#include <algorithm>
#include <cctype>

#include "cli/input.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

std::string changed_case(std::string text, int (*change)(int)) {
    for (char& c : text) c = static_cast<char>(change(static_cast<unsigned char>(c)));
    return text;
}

[[noreturn]] void unknown(const std::string& option, const std::string& value, const std::string& choices) {
    throw Error(ErrorCode::usage, option + ": unknown value '" + printable(value) + "'", "use " + choices);
}

std::int32_t steps(const std::string& option, const std::string& value) {
    if (value.empty()) return -1;
    return static_cast<std::int32_t>(parse_number(option, value, 0, INT32_MAX));
}

class NoSink final : public NodeSink {
public:
    void plan(const WorkPlan&) override {}
    void check(const Check&) override {}
    void stage(const Stage&) override {}
};

}  // namespace

void require_node(Context& context, const NodeRef& ref) {
    QueryNodes request;
    request.plan = context.plan();
    request.refs = {{ref.type, ref.id}};
    request.parts = kBareNodes;
    NoSink nobody;
    context.endpoint(Context::Open::write).query(request, nobody);
}

void Selection::declare_refs(Parser& parser, const std::string& help) {
    parser.arguments("REF", refs, 0, help);
}

void Selection::declare_filters(Parser& parser) {
    parser.option(
        "--type", "TYPE",
        [this](const std::string& value) {
            const auto type = parse_node_type(value);
            if (!type) unknown("--type", value, "check or stage");
            query.types.push_back(*type);
        },
        "check or stage");
    parser.option("--kind", "KIND", query.kinds, "checks of this kind");
    parser.option(
        "--state", "STATE",
        [this](const std::string& value) {
            const auto state = parse_state(changed_case(value, std::toupper));
            if (!state)
                unknown("--state", value, "PLANNING, PLANNED, WAITING, ATTEMPTING, AWAITING_GROUP or FINAL");
            query.states.push_back(*state);
        },
        "nodes in this state");
    parser.option(
        "--outcome", "OUTCOME",
        [this](const std::string& value) {
            const auto outcome = parse_outcome(changed_case(value, std::tolower));
            if (!outcome) unknown("--outcome", value, "passed, failed, skipped or cancelled");
            query.outcomes.push_back(*outcome);
        },
        "FINAL nodes that ended so");
    parser.option("--match", "GLOB", query.match, "nodes whose id matches a shell pattern");
    parser.flag("--ready", query.ready, "stages that can be claimed, checks that wait for an answer");
    parser.flag("--blocked", query.blocked, "nodes that wait for their dependencies");
}

void Selection::declare_walk(Parser& parser) {
    parser.optional_value(
        "--deps", "N", [this](const std::string& value) { query.deps = steps("--deps", value); },
        "add what the selection needs, N steps or all the way");
    parser.optional_value(
        "--dependents", "N",
        [this](const std::string& value) { query.dependents = steps("--dependents", value); },
        "add what needs the selection, likewise");
    parser.option(
        "--edges", "WHICH",
        [this](const std::string& value) {
            if (value != "all" && value != "satisfied") unknown("--edges", value, "all or satisfied");
            query.edges = value == "all" ? EdgeFilter::all : EdgeFilter::satisfied;
        },
        "edges to follow: all (default) or satisfied");
}

QueryNodes Selection::request(const Context& context) const {
    QueryNodes request = query;
    request.plan = context.plan();
    request.refs = ref_arguments(refs);
    return request;
}

}  // namespace turboci::cli
