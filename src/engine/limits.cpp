// SPDX-License-Identifier: Apache-2.0
// The plan's limits: what there is of something that stages share.
#include <fmt/core.h>

#include <algorithm>

#include "domain/quotes.hpp"
#include "engine/apply.hpp"

namespace turboci::engine {

bool sets_body(const StageWrite& write) {
    return write.args || write.retry || write.timeout || write.heartbeat || write.silence || write.runner ||
           write.uses;
}

namespace {

/// Refuses limits below what a stage that is not FINAL uses.
void check_lowered(Session& session, const std::vector<Limit>& lowered) {
    for (const Node* node : session.nodes.foresee_open_nodes()) {
        if (node->row.type != NodeType::stage) continue;
        for (const Use& use : session.nodes.body(*node).uses) {
            const auto limit = std::ranges::find(lowered, use.limit, &Limit::name);
            if (limit == lowered.end() || use.count <= limit->count) continue;
            session.problems.add(ErrorCode::invalid_argument, session.request.limits_at,
                                 fmt::format("the limit {} cannot be {}: {} uses {}", in_quotes(limit->name),
                                             limit->count, name_of(*node), use.count));
            return;
        }
    }
}

}  // namespace

void apply_limits(Session& session) {
    std::vector<Limit> lowered;
    for (const Limit& limit : session.request.limits) {
        const auto known = std::ranges::find(session.limits, limit.name, &Limit::name);
        if (known == session.limits.end()) {
            session.limits.push_back(limit);
            continue;
        }
        if (limit.count < known->count) lowered.push_back(limit);
        known->count = limit.count;
    }
    std::ranges::sort(session.limits, {}, &Limit::name);
    if (!lowered.empty()) check_lowered(session, lowered);
}

}  // namespace turboci::engine
