// SPDX-License-Identifier: Apache-2.0
#include "runner/dry_run.hpp"

#include <utility>
#include <variant>

#include "runner/selection.hpp"
#include "runner/stage_command.hpp"

namespace turboci {

namespace {

DryStep step_of(const Stage& stage, const StageCommands& commands, Timestamp now) {
    DryStep step;
    step.stage = stage.id;
    const auto& not_before = stage.attempts.back().not_before;
    if (not_before && *not_before > now) step.not_before = not_before;
    auto parsed = parse_stage_command(stage.args);
    if (auto* command = std::get_if<StageCommand>(&parsed)) {
        step.argv = std::move(command->argv);
        step.problem = commands.excess(stage.id, stage.args);
    } else {
        step.problem = std::get<std::string>(parsed);
    }
    return step;
}

}  // namespace

std::vector<DryStep> dry_run(Service& service, const RunOptions& options) {
    const WorkPlan plan = service.get_plan(options.plan);
    ClaimFilter filter;
    filter.with_command = true;
    if (!options.runners.empty()) filter.runners = options.runners;
    if (!options.refs.empty()) {
        filter.only = select_nodes(service, plan.id, options.refs)->stages;
        // An empty list would stand for all stages.
        if (filter.only.empty()) return {};
    }
    const Timestamp now = system_clock().read().wall;
    const StageCommands commands(options.store, plan.id, options.environment, options.exec_space);
    std::vector<DryStep> steps;
    for (const ClaimedAttempt& claimed : service.rehearse(plan.id, filter))
        steps.push_back(step_of(claimed.stage, commands, now));
    return steps;
}

}  // namespace turboci
