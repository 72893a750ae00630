// SPDX-License-Identifier: Apache-2.0
// What differs between two plans.
#include <algorithm>
#include <map>

#include "cli/app.hpp"
#include "cli/node_output.hpp"
#include "format/json_output.hpp"
#include "format/json_value.hpp"
#include "format/node_collector.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

/// A node as two plans can be compared by: its definition, and what it came to.
struct ComparedNode {
    OrderedJson definition;
    std::string came_to;  ///< "FINAL passed"
};
using ComparedNodes = std::map<NodeRef, ComparedNode>;

// What happens to a node, and how far its dependencies are.
constexpr std::string_view kHappened[] = {
    "state",   "outcome",    "skip_cause", "concluded_reason", "concluded_message", "results",     "attempts",
    "version", "created_at", "updated_at", "state_history",    "created_by",        "carried_from"};
constexpr std::string_view kResolved[] = {"resolved", "satisfied", "resolved_at", "resolution"};

void drop_resolution(OrderedJson& value) {
    if (value.is_object())
        for (const auto key : kResolved) value.erase(std::string(key));
    if (value.is_structured())
        for (auto& member : value) drop_resolution(member);
}

template <class Node>
ComparedNode compared(const Node& node) {
    std::string text;
    append_json(text, node);
    ComparedNode result{OrderedJson::parse(text), state_text(node.state, node.outcome)};
    for (const auto key : kHappened) result.definition.erase(std::string(key));
    for (const char* predicate : {"dependencies", "continuation_group"})
        if (result.definition.contains(predicate)) drop_resolution(result.definition[predicate]);
    return result;
}

ComparedNodes nodes_of(Context& context, const std::string& plan, std::string& id) {
    QueryNodes request;
    request.plan = plan;
    NodeCollector found;
    context.service(Context::Open::read).query(request, found);
    id = found.plan().id;
    ComparedNodes nodes;
    for (const Check& c : found.checks()) nodes.emplace(NodeRef{NodeType::check, c.id}, compared(c));
    for (const Stage& s : found.stages()) nodes.emplace(NodeRef{NodeType::stage, s.id}, compared(s));
    return nodes;
}

/// The names of the fields that differ, in the order of the output.
std::vector<std::string> differing(const OrderedJson& a, const OrderedJson& b) {
    std::vector<std::string> fields;
    for (const auto& [key, value] : a.items())
        if (!b.contains(key) || b[key] != value) fields.push_back(key);
    return fields;
}

/// Collects the differences in each format.
class Differences {
public:
    Differences(Context& context, std::string from, std::string to)
        : context_(context), from_(std::move(from)), to_(std::move(to)) {}

    void only_in(const NodeRef& ref, bool to) {
        (to ? added_ : removed_) += json_item(to ? added_ : removed_, ref);
        line(to ? '+' : '-', ref, to ? Style::green : Style::red, "");
    }
    void changed(const NodeRef& ref, const ComparedNode& a, const ComparedNode& b) {
        const auto fields = differing(a.definition, b.definition);
        if (fields.empty() && a.came_to == b.came_to) return;
        std::string names, list;
        for (const auto& field : fields) {
            names += (names.empty() ? "" : ", ") + field;
            list += (list.empty() ? "" : ",") + json_string(field);
        }
        const std::string ends =
            "{\"from\":" + json_string(a.came_to) + ",\"to\":" + json_string(b.came_to) + "}";
        changed_ += (changed_.empty() ? "{\"node\":" : ",{\"node\":") + json_string(to_string(ref)) +
                    ",\"fields\":[" + list + "],\"state\":" + (a.came_to == b.came_to ? "null" : ends) + "}";
        if (a.came_to != b.came_to) names += (names.empty() ? "" : "; ") + a.came_to + " -> " + b.came_to;
        line('~', ref, Style::yellow, names);
    }
    void print() {
        if (context_.format() == Format::table || context_.format() == Format::name)
            return context_.out().write(lines_);
        context_.print_json("{\"from\":" + json_string(from_) + ",\"to\":" + json_string(to_) +
                            ",\"added\":[" + added_ + "],\"removed\":[" + removed_ + "],\"changed\":[" +
                            changed_ + "]}");
    }

private:
    static std::string json_item(const std::string& list, const NodeRef& ref) {
        return (list.empty() ? "" : ",") + json_string(to_string(ref));
    }
    void line(char sign, const NodeRef& ref, Style style, const std::string& what) {
        if (context_.format() == Format::name) {
            lines_ += to_string(ref) + '\n';
            return;
        }
        const std::string text = std::string(1, sign) + " " + printable(to_string(ref));
        lines_ += styled(text, style, context_.color()) + (what.empty() ? "" : "  " + printable(what)) + '\n';
    }

    Context& context_;
    std::string from_, to_, lines_, added_, removed_, changed_;
};

int diff(Context& context, const std::string& from, const std::string& to) {
    std::string from_id, to_id;
    const ComparedNodes before = nodes_of(context, from, from_id);
    const ComparedNodes after = nodes_of(context, to, to_id);
    Differences differences(context, from_id, to_id);
    for (const auto& [ref, node] : before)
        if (!after.contains(ref)) differences.only_in(ref, false);
    for (const auto& [ref, node] : after) {
        const auto old = before.find(ref);
        if (old == before.end())
            differences.only_in(ref, true);
        else
            differences.changed(ref, old->second, node);
    }
    differences.print();
    return 0;
}

Action define_diff(Parser& parser) {
    auto from = std::make_shared<std::string>();
    auto to = std::make_shared<std::string>();
    parser.argument("A", *from, "the plan that is compared, chosen as by --plan");
    parser.argument("B", *to, "the plan that it is compared with");
    return [from, to](Context& context) { return diff(context, *from, *to); };
}

constexpr Command kDiffCommands[] = {
    {"plan diff", "Show what differs between two plans", "A B",
     "turboci plan diff nightly-1 nightly-2\n"
     "turboci plan diff branch=main @latest -o json | jq .changed",
     kNoJsonl, define_diff,
     "+ is a node that only B has, - one that only A has, ~ one that differs: in which fields of its "
     "definition, "
     "and in its state and outcome."},
};

}  // namespace

std::span<const Command> diff_commands() { return kDiffCommands; }

}  // namespace turboci::cli
