// SPDX-License-Identifier: Apache-2.0
#include "cli/write_output.hpp"

#include <map>
#include <set>

#include "cli/node_output.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

constexpr std::size_t kShortList = 20;

std::string names(const WriteResult& result) {
    std::string text;
    std::set<NodeRef> seen;
    const auto add = [&](const NodeRef& ref) {
        if (seen.insert(ref).second) text += to_string(ref) + '\n';
    };
    for (const auto& ref : result.created) add(ref);
    for (const auto& ref : result.changed) add(ref);
    for (const auto& advance : result.advanced) add(advance.node);
    return text;
}

class Lines {
public:
    explicit Lines(const Context& context)
        : limit_(context.options().verbose ? SIZE_MAX : kShortList), color_(context.color()) {}

    void refs(const char* what, const std::vector<NodeRef>& list, Style style) {
        for (std::size_t i = 0; i < list.size() && i < limit_; ++i) {
            text_ += styled(what, style, color_) + printable(to_string(list[i])) + '\n';
        }
        more(list.size());
    }
    void advances(const std::vector<Advance>& list) {
        for (std::size_t i = 0; i < list.size() && i < limit_; ++i) {
            text_ += styled("  advanced  ", Style::cyan, color_) + printable(to_string(list[i].node)) + "  " +
                     std::string(to_string(list[i].from)) + " -> " + std::string(to_string(list[i].to)) +
                     '\n';
        }
        more(list.size());
    }
    /// What would be other afterwards, a line a node: new ones, those that change, and where they would come
    /// to.
    void difference(const WriteResult& result) {
        struct Node {
            bool is_new = false;
            std::string from, to;
        };
        std::vector<NodeRef> order;
        std::map<NodeRef, Node> nodes;
        const auto node = [&](const NodeRef& ref) -> Node& {
            const auto [at, is_first] = nodes.try_emplace(ref);
            if (is_first) order.push_back(ref);
            return at->second;
        };
        for (const NodeRef& ref : result.created) node(ref).is_new = true;
        for (const NodeRef& ref : result.changed) node(ref);
        for (const Advance& advance : result.advanced) {
            Node& moved = node(advance.node);
            if (moved.from.empty()) moved.from = to_string(advance.from);
            moved.to = state_text(advance.to, advance.outcome);
        }
        for (std::size_t i = 0; i < order.size() && i < limit_; ++i) {
            const Node& changed = nodes[order[i]];
            const std::string name = printable(to_string(order[i]));
            text_ += changed.is_new ? styled("+ " + name, Style::green, color_)
                                    : styled("~ " + name, Style::yellow, color_);
            if (!changed.to.empty()) text_ += "  " + changed.from + " -> " + changed.to;
            text_ += '\n';
        }
        more(order.size());
    }
    void ends(const std::vector<std::string>& list) {
        for (std::size_t i = 0; i < list.size() && i < limit_; ++i)
            text_ += styled("  ended     ", Style::cyan, color_) + printable(list[i]) + '\n';
        more(list.size());
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void more(std::size_t size) {
        if (size > limit_) text_ += "  and " + std::to_string(size - limit_) + " more (-v shows all)\n";
    }

    std::size_t limit_;
    bool color_;
    std::string text_;
};

/// The attempts that the orchestrator ended, one line each. Those of stages that the writer changed are the
/// writer's own.
std::vector<std::string> foreign_ends(const WriteResult& result) {
    std::set<std::string_view> own;
    for (const NodeRef& ref : result.changed)
        if (ref.type == NodeType::stage) own.insert(ref.id);
    std::vector<std::string> lines;
    for (const AttemptEnd& end : result.ended) {
        if (own.contains(end.stage)) continue;
        std::string line = "stage:" + end.stage + "  attempt " + std::to_string(end.idx);
        if (end.failure) line += ": " + *end.failure;
        if (end.next_in)
            line += ", again " +
                    (*end.next_in > Duration::zero() ? "in " + format_duration(*end.next_in) : "at once");
        lines.push_back(std::move(line));
    }
    return lines;
}

std::string headline(const WriteResult& result, std::size_t ended, bool dry_run) {
    const std::string version = " (version " + std::to_string(result.plan.version) + ")\n";
    if (result.replayed) return "done before" + version;
    std::string text;
    const auto count = [&](const char* what, std::size_t n) {
        if (n == 0) return;
        if (!text.empty()) text += ", ";
        text += what + std::to_string(n);
    };
    count("created ", result.created.size());
    count("changed ", result.changed.size());
    count("advanced ", result.advanced.size());
    if (result.relabelled) text += text.empty() ? "changed the labels" : ", changed the labels";
    if (ended > 0) {
        if (!text.empty()) text += ", ";
        text += "ended " + std::to_string(ended) + (ended == 1 ? " attempt" : " attempts");
    }
    // What is left are attempts that were given back, or told to stop.
    if (text.empty()) text = result.moved ? "moved attempts" : "nothing changed";
    return (dry_run ? "dry run, nothing is written: " : "") + text + version;
}

}  // namespace

void print_write_result(Context& context, const WriteResult& result, bool dry_run) {
    for (const auto& warning : result.warnings) context.warn(warning);
    if (context.format() == Format::name) {
        context.out().write(names(result));
    } else if (context.format() != Format::table) {
        std::string json;
        append_json(json, result);
        context.print_json(json);
    } else {
        Lines lines(context);
        const std::vector<std::string> ends = foreign_ends(result);
        if (dry_run) {
            lines.difference(result);
            lines.ends(ends);
        } else {
            lines.refs("  created   ", result.created, Style::green);
            lines.refs("  changed   ", result.changed, Style::yellow);
            lines.ends(ends);
            lines.advances(result.advanced);
        }
        context.print_confirmation(headline(result, ends.size(), dry_run) + lines.text());
    }
}

}  // namespace turboci::cli
