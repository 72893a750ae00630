// SPDX-License-Identifier: Apache-2.0
// Words for shell completion.
#include "cli/app.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

struct CompleteOptions {
    std::string what;
    std::optional<std::string> prefix;
};

/// One id a line. An id that cannot be shown as it is cannot be completed either.
class IdPrinter final : public NodeSink {
public:
    IdPrinter(Output& out, std::string prefix, bool with_type)
        : out_(out), prefix_(std::move(prefix)), with_type_(with_type) {}
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override { print((with_type_ ? "check:" : "") + check.id); }
    void stage(const Stage& stage) override { print((with_type_ ? "stage:" : "") + stage.id); }
    void print(const std::string& word) {
        if (word.compare(0, prefix_.size(), prefix_) == 0 && visible(word) == word) out_.write(word + '\n');
    }

private:
    Output& out_;
    std::string prefix_;
    bool with_type_;
};

void complete(Context& context, const CompleteOptions& options) {
    IdPrinter printer(context.out(), options.prefix.value_or(""), options.what == "nodes");
    QueryNodes request;
    request.plan = context.plan();
    if (options.what == "plans") {
        for (const auto& plan : context.service(Context::Open::read).list_plans()) printer.print(plan.id);
        return;
    }
    if (options.what == "stages") request.types = {NodeType::stage};
    if (options.what == "checks") request.types = {NodeType::check};
    request.parts = kBareNodes;
    context.service(Context::Open::read).query(request, printer);
}

Action define_candidates(Parser& parser) {
    auto options = std::make_shared<CompleteOptions>();
    parser.argument("WHAT", options->what, "plans, nodes, checks or stages");
    parser.argument("PREFIX", options->prefix, "only those that begin so");
    return [options](Context& context) {
        try {
            complete(context, *options);
        } catch (const Error&) {
            return 1;  // a shell that completes has no place for messages
        }
        return 0;
    };
}

constexpr Command kCompletionCommands[] = {
    {"__complete", "Print ids for shell completion", "plans|nodes|checks|stages [PREFIX]",
     "turboci __complete nodes check:re", Formats{Format::table}, define_candidates, "", true},
};

}  // namespace

std::span<const Command> completion_commands() { return kCompletionCommands; }

}  // namespace turboci::cli
