// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/select.hpp"
#include "cli/write_output.hpp"

namespace turboci::cli {

namespace {

struct EndOptions {
    std::vector<std::string> stages;
    WriteFlags write;
};

/// Ends all the stages in one write: `how` says that they are cancelled, or skipped.
int end_stages(Context& context, const EndOptions& options, bool StageWrite::*how) {
    WriteNodes request = context.begin_write(options.write);
    std::set<std::string> known;
    for (const std::string& name : options.stages) {
        StageWrite stage;
        stage.id = id_argument(NodeType::stage, name);
        if (!known.insert(stage.id).second) continue;
        stage.*how = true;
        require_node(context, {NodeType::stage, stage.id});
        request.stages.push_back(stage);
    }
    const WriteResult result = context.service(Context::Open::write).write_nodes(request);
    context.out().mark_committed();
    print_write_result(context, result);
    return 0;
}

template <bool StageWrite::*how>
Action define_end(Parser& parser) {
    auto options = std::make_shared<EndOptions>();
    parser.arguments("STAGE", options->stages, 1, "the stages, all of them in one write");
    options->write.declare(parser);
    return [options](Context& context) { return end_stages(context, *options, how); };
}

constexpr Command kStageCommands[] = {
    {"stage cancel", "End a stage that is no longer wanted, and its live attempt", "STAGE... [--reason TEXT]",
     "turboci stage cancel deploy\n"
     "turboci stage cancel deploy --reason 'superseded by build 312'",
     kAllFormats, define_end<&StageWrite::cancel>,
     "Its outcome is 'cancelled': the checks that it was to answer fail unless somebody else answered them."},
    {"stage skip", "End a stage that is not needed", "STAGE... [--reason TEXT]",
     "turboci stage skip docs --reason 'no docs changed'", kAllFormats, define_end<&StageWrite::skip>,
     "Its outcome is 'skipped', and its cause 'not_needed': a check whose stages were all skipped so is "
     "skipped too. "
     "A stage that runs cannot be skipped."},
};

}  // namespace

std::span<const Command> stage_commands() { return kStageCommands; }

}  // namespace turboci::cli
