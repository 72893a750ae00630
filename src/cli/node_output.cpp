// SPDX-License-Identifier: Apache-2.0
#include "cli/node_output.hpp"

#include <type_traits>

#include "format/json_output.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

constexpr std::size_t kNamed = 3;

void collect_unresolved(const Predicate& predicate, std::vector<NodeRef>& refs) {
    for (const auto& edge : predicate.edges) {
        if (edge.resolution == Resolution::unresolved) refs.push_back(edge.target);
    }
    for (const auto& group : predicate.groups) {
        if (group.resolution == Resolution::unresolved) collect_unresolved(group, refs);
    }
}

std::string waits_for(const Predicate& predicate) {
    std::vector<NodeRef> refs;
    collect_unresolved(predicate, refs);
    return refs.empty() ? std::string{} : "waits for " + join_refs(refs, kNamed);
}

/// {"plan":…,"checks":[…],"stages":[…]} with a node a line.
class JsonStream final : public NodePrinter {
public:
    explicit JsonStream(Output& out) : out_(out) {}
    void plan(const WorkPlan& plan) override {
        std::string& out = out_.buffer();
        out += "{\"plan\":";
        append_json(out, plan);
        out += ",\n\"checks\":[";
        out_.settle();
        separator_ = "\n";
    }
    void check(const Check& check) override { node(check); }
    void stage(const Stage& stage) override {
        begin_stages();
        node(stage);
    }
    void finish() override {
        begin_stages();
        out_.write("]}\n");
    }

private:
    static constexpr std::string_view kBetween = ",\n";

    template <typename Node>
    void node(const Node& value) {
        std::string& out = out_.buffer();
        out += separator_;
        append_json(out, value);
        out_.settle();
        separator_ = kBetween;
    }
    void begin_stages() {
        if (in_stages_) return;
        out_.write("],\n\"stages\":[");
        separator_ = "\n";
        in_stages_ = true;
    }

    Output& out_;
    std::string_view separator_;
    bool in_stages_ = false;
};

/// The whole document, for formats that cannot be written piece by piece.
class JsonDocument final : public NodePrinter {
public:
    explicit JsonDocument(Context& context) : context_(context) {}
    void plan(const WorkPlan& plan) override { sink_.plan(plan); }
    void check(const Check& check) override { sink_.check(check); }
    void stage(const Stage& stage) override { sink_.stage(stage); }
    void finish() override { context_.print_json(sink_.take()); }

private:
    Context& context_;
    JsonSink sink_;
};

class JsonLines final : public NodePrinter {
public:
    explicit JsonLines(Output& out) : out_(out) {}
    [[nodiscard]] NodeParts parts() const override {
        NodeParts parts;
        parts.counts = false;
        return parts;
    }
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override {
        line(out_.buffer(), check);
        out_.settle();
    }
    void stage(const Stage& stage) override {
        line(out_.buffer(), stage);
        out_.settle();
    }
    void finish() override {}

private:
    template <typename Node>
    static void line(std::string& out, const Node& node) {
        out += std::is_same_v<Node, Check> ? R"({"type":"check")" : R"({"type":"stage")";
        const std::size_t brace = out.size();
        append_json(out, node);
        out[brace] = ',';  // the node goes on from the head
        out += '\n';
    }

    Output& out_;
};

class Names final : public NodePrinter {
public:
    explicit Names(Output& out) : out_(out) {}
    [[nodiscard]] NodeParts parts() const override { return kBareNodes; }
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override { out_.write("check:" + check.id + '\n'); }
    void stage(const Stage& stage) override { out_.write("stage:" + stage.id + '\n'); }
    void finish() override {}

private:
    Output& out_;
};

class NodeTable final : public NodePrinter {
public:
    explicit NodeTable(Context& context)
        : context_(context), table_({"NODE", "KIND", "STATE", "WHY"}, {3, 1, 2}) {}
    [[nodiscard]] NodeParts parts() const override { return parts_for_reasons(); }
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override {
        add({NodeType::check, check.id}, check.kind, check.state, check.outcome, short_reason(check));
    }
    void stage(const Stage& stage) override {
        add({NodeType::stage, stage.id}, "", stage.state, stage.outcome, short_reason(stage));
    }
    void finish() override {
        if (!table_.empty())
            context_.out().write(table_.render(context_.out().width(), context_.color(), Context::utf8()));
    }

private:
    void add(const NodeRef& ref, const std::string& kind, State state, std::optional<Outcome> outcome,
             const std::string& why) {
        table_.add({{to_string(ref)},
                    {kind},
                    {state_text(state, outcome), style_of(ref.type, state, outcome)},
                    {why}});
    }

    Context& context_;
    Table table_;
};

}  // namespace

std::unique_ptr<NodePrinter> make_node_printer(Context& context) {
    switch (context.format()) {
        case Format::json:
            if (context.out().is_terminal()) return std::make_unique<JsonDocument>(context);
            return std::make_unique<JsonStream>(context.out());
        case Format::yaml:
            return std::make_unique<JsonDocument>(context);
        case Format::jsonl:
            return std::make_unique<JsonLines>(context.out());
        case Format::name:
            return std::make_unique<Names>(context.out());
        case Format::table:
            break;
    }
    return std::make_unique<NodeTable>(context);
}

NodeParts parts_for_reasons() {
    NodeParts parts;
    parts.body = parts.assignments = parts.progress = parts.counts = false;
    return parts;
}

std::string state_text(State state, std::optional<Outcome> outcome) {
    std::string text(to_string(state));
    if (outcome) text += " " + std::string(to_string(*outcome));
    return text;
}

std::string join_refs(const std::vector<NodeRef>& refs, std::size_t limit) {
    std::string text;
    for (std::size_t i = 0; i < refs.size() && i < limit; ++i)
        text += (i > 0 ? ", " : "") + to_string(refs[i]);
    if (refs.size() > limit) text += " and " + std::to_string(refs.size() - limit) + " more";
    return text;
}

std::string short_reason(const Check& check) {
    if (check.state == State::final) {
        for (const auto& result : check.results) {
            if (result.failure && check.outcome != Outcome::passed) return *result.failure;
        }
        return {};
    }
    if (check.state == State::waiting)
        return check.results.empty() ? "waits for an answer" : "answered, still open";
    return waits_for(check.dependencies);
}

std::string short_reason(const Stage& stage) {
    if (stage.state == State::planned) return waits_for(stage.dependencies);
    if (stage.state == State::awaiting_group) return waits_for(stage.continuation_group);
    if (stage.state == State::final && stage.outcome == Outcome::passed) return {};
    if (stage.attempts.empty()) {
        return stage.concluded_reason ? std::string(to_string(*stage.concluded_reason)) : std::string{};
    }
    const Attempt& last = stage.attempts.back();
    std::string text = "attempt " + std::to_string(last.idx) + " " + std::string(to_string(last.state));
    if (last.failure) return text + ": " + *last.failure;
    if (!is_ended(last.state) && !last.process_uid.empty()) text += " by " + last.process_uid;
    return text;
}

}  // namespace turboci::cli
