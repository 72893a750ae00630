// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "cli/node_output.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

class Tree {
public:
    Tree(const Explanation& found, bool color, bool utf8) : color_(color), utf8_(utf8) {
        for (const auto& node : found.because) nodes_.emplace(node.ref, &node);
        nodes_.emplace(found.node.ref, &found.node);
    }

    void root(const ExplainedNode& node) {
        text_ += node_text(node.ref, node.state, node.outcome);
        if (node.concluded_reason) text_ += "  " + std::string(to_string(*node.concluded_reason));
        text_ += '\n';
        shown_.insert(node.ref);
        body(node, 2);
    }
    [[nodiscard]] std::string take() { return std::move(text_); }
    [[nodiscard]] std::string node_text(const NodeRef& ref, State state,
                                        std::optional<Outcome> outcome) const {
        return printable(to_string(ref)) + "  " +
               styled(state_text(state, outcome), style_of(ref.type, state, outcome), color_);
    }
    [[nodiscard]] const ExplainedNode* find(const NodeRef& ref) const {
        const auto it = nodes_.find(ref);
        return it == nodes_.end() ? nullptr : it->second;
    }

private:
    void line(std::size_t indent, const std::string& text) {
        // Chains are deeper than terminals are wide.
        constexpr std::size_t kMaxIndent = 40;
        text_ += std::string(std::min(indent, kMaxIndent), ' ') + text + '\n';
    }

    [[nodiscard]] std::string mark(Resolution resolution) const {
        switch (resolution) {
            case Resolution::satisfied:
                return styled(utf8_ ? "✓" : "true ", Style::green, color_);
            case Resolution::unsatisfied:
                return styled(utf8_ ? "✗" : "false", Style::red, color_);
            case Resolution::unresolved:
                break;
        }
        return styled(utf8_ ? "?" : "?    ", Style::yellow, color_);
    }

    static std::string group_text(const Predicate& group) {
        const std::size_t members = group.edges.size() + group.groups.size();
        switch (group.kind) {
            case GroupKind::all:
                return "all of";
            case GroupKind::any:
                return "any of";
            case GroupKind::at_least:
                break;
        }
        return "at least " + std::to_string(group.threshold) + " of " + std::to_string(members);
    }

    void body(const ExplainedNode& node, std::size_t indent) {
        for (const auto& note : node.notes) line(indent, printable(note));
        if (!node.dependencies.empty()) {
            line(indent,
                 mark(node.dependencies.resolution) + " needs " + group_text(node.dependencies) + ":");
            members(node.dependencies, indent + 2);
        }
        if (!node.continuation_group.empty()) {
            line(indent, mark(node.continuation_group.resolution) + " continues with " +
                             group_text(node.continuation_group) + ":");
            members(node.continuation_group, indent + 2);
        }
    }

    void members(const Predicate& group, std::size_t indent) {
        for (const auto& edge : group.edges) member(edge, indent);
        for (const auto& inner : group.groups) {
            line(indent, mark(inner.resolution) + " " + group_text(inner) + ":");
            members(inner, indent + 2);
        }
    }

    void member(const Edge& edge, std::size_t indent) {
        std::string text =
            mark(edge.resolution) + " " + node_text(edge.target, edge.target_state, edge.target_outcome);
        if (edge.on_state != State::final) {
            text += "  (must reach " + std::string(to_string(edge.on_state)) + ")";
        } else if (edge.when != When::success) {
            text += "  (when " + std::string(to_string(edge.when)) + ")";
        }
        const ExplainedNode* node = edge.resolution == Resolution::satisfied ? nullptr : find(edge.target);
        const bool has_more = node != nullptr && (!node->notes.empty() || !node->dependencies.empty() ||
                                                  !node->continuation_group.empty());
        const bool again = has_more && !shown_.insert(edge.target).second;
        line(indent, text + (again ? "  (see above)" : ""));
        if (has_more && !again) body(*node, indent + 4);
    }

    std::map<NodeRef, const ExplainedNode*> nodes_;
    std::set<NodeRef> shown_;
    std::string text_;
    bool color_;
    bool utf8_;
};

}  // namespace

void print_explanation(Context& context, const Explanation& found) {
    if (context.format() != Format::table) {
        std::string json;
        append_json(json, found);
        context.print_json(json);
        return;
    }
    Tree tree(found, context.color(), locale_is_utf8());
    tree.root(found.node);
    std::string text = tree.take();
    if (!found.root_causes.empty()) {
        text += "\nroot causes:\n";
        for (const auto& ref : found.root_causes) {
            const ExplainedNode* node = tree.find(ref);
            text += "  " + (node != nullptr ? tree.node_text(ref, node->state, node->outcome)
                                            : printable(to_string(ref)));
            if (node != nullptr && !node->notes.empty()) text += "  " + printable(node->notes.front());
            text += '\n';
        }
    }
    if (found.truncated)
        text += "\n(cut: more than " + std::to_string(kMaxExplained) + " nodes are involved)\n";
    context.out().write(text);
}

}  // namespace turboci::cli
