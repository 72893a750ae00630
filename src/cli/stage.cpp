// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/select.hpp"
#include "cli/write_output.hpp"

namespace turboci::cli {

namespace {

struct CancelOptions {
    std::string stage;
    WriteFlags write;
};

int cancel(Context& context, const CancelOptions& options) {
    WriteNodes request = context.begin_write(options.write);
    StageWrite stage;
    stage.id = id_argument(NodeType::stage, options.stage);
    stage.cancel = true;
    request.stages.push_back(stage);
    require_node(context, {NodeType::stage, stage.id});
    const WriteResult result = context.service(Context::Open::write).write_nodes(request);
    context.out().mark_committed();
    print_write_result(context, result);
    return 0;
}

Action define_cancel(Parser& parser) {
    auto options = std::make_shared<CancelOptions>();
    parser.argument("STAGE", options->stage, "the stage to cancel");
    options->write.declare(parser);
    return [options](Context& context) { return cancel(context, *options); };
}

constexpr Command kStageCommands[] = {
    {"stage cancel", "End a stage that is no longer wanted, and its live attempt", "STAGE [--reason TEXT]",
     "turboci stage cancel deploy\n"
     "turboci stage cancel deploy --reason 'superseded by build 312'",
     kAllFormats, define_cancel,
     "Its outcome is 'cancelled': the checks that it was to answer fail unless somebody else answered them."},
};

}  // namespace

std::span<const Command> stage_commands() { return kStageCommands; }

}  // namespace turboci::cli
