// SPDX-License-Identifier: Apache-2.0
#include "cli/select.hpp"

#include "cli/input.hpp"

namespace turboci::cli {

namespace {

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
    context.service(Context::Open::write).query(request, nobody);
}

void Selection::declare_refs(Parser& parser, const std::string& help) {
    parser.arguments("REF", refs, 0, help);
}

void Selection::declare_filters(Parser& parser) {
    parser.choice(
        "--type", "TYPE", {"check", "stage"},
        [this](const std::string& value) { query.types.push_back(parse_node_type(value).value()); },
        "check or stage");
    parser.option("--kind", "KIND", query.kinds, "checks of this kind");
    parser.choice(
        "--state", "STATE", {"PLANNING", "PLANNED", "WAITING", "ATTEMPTING", "AWAITING_GROUP", "FINAL"},
        [this](const std::string& value) { query.states.push_back(parse_state(value).value()); },
        "nodes in this state", true);
    parser.choice(
        "--outcome", "OUTCOME", {"passed", "failed", "skipped", "cancelled"},
        [this](const std::string& value) { query.outcomes.push_back(parse_outcome(value).value()); },
        "FINAL nodes that ended so", true);
    parser.option("--match", "GLOB", query.match, "nodes whose id matches a shell pattern");
    parser.flag("--ready", query.ready, "stages that can be claimed, checks that wait for an answer");
    parser.flag("--blocked", query.blocked, "nodes that wait for their dependencies");
    parser.choice(
        "--waiting-for", "WHOM", {"person"}, [this](const std::string&) { waiting_for_person = true; },
        "person: WAITING checks that no unfinished stage is assigned to");
}

void Selection::declare_walk(Parser& parser) {
    parser.optional_value(
        "--deps", "N", [this](const std::string& value) { query.deps = steps("--deps", value); },
        "add what the selection needs, N steps or all the way");
    parser.optional_value(
        "--dependents", "N",
        [this](const std::string& value) { query.dependents = steps("--dependents", value); },
        "add what needs the selection, likewise");
    parser.choice(
        "--edges", "WHICH", {"all", "satisfied"},
        [this](const std::string& value) {
            query.edges = value == "all" ? EdgeFilter::all : EdgeFilter::satisfied;
        },
        "edges to follow: all (default) or satisfied");
}

QueryNodes Selection::filters(const Context& context) const {
    QueryNodes request = query;
    request.plan = context.plan();
    if (!waiting_for_person) return request;
    if (!query.types.empty() && query.types != std::vector{NodeType::check})
        usage("--waiting-for person selects checks", "leave --type stage out");
    // What is ready of checks are those that nobody works for.
    request.ready = true;
    request.types = {NodeType::check};
    return request;
}

QueryNodes Selection::request(const Context& context) const {
    QueryNodes request = filters(context);
    request.refs = ref_arguments(refs);
    return request;
}

}  // namespace turboci::cli
