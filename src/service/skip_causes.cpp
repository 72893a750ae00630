// SPDX-License-Identifier: Apache-2.0
#include "service/skip_causes.hpp"
#include "service/lookups.hpp"

#include <unordered_map>

namespace turboci::service {

void decide_skip_causes(Transaction& transaction, PlanKey plan) {
    constexpr int kAnyState = 40;
    std::vector<NodeKey> upstream;  // nodes that break what needs them, to be followed
    std::unordered_map<std::int64_t, SkipCause> skipped;
    NodeScan ended;
    ended.outcomes = {Outcome::failed, Outcome::skipped, Outcome::cancelled};
    ended.parts = kBareNodes;
    transaction.scan(plan, ended, [&](std::span<const NodeRecord> records) {
        for (const NodeRecord& record : records) {
            if (record.row.outcome == Outcome::skipped)
                skipped[static_cast<std::int64_t>(record.row.key)] = SkipCause::not_needed;
            else
                upstream.push_back(record.row.key);
        }
        return true;
    });
    const auto follow = [&](NodeKey key) {
        const auto found = skipped.find(static_cast<std::int64_t>(key));
        if (found == skipped.end() || found->second == SkipCause::upstream) return;
        found->second = SkipCause::upstream;
        upstream.push_back(key);
    };
    while (!upstream.empty()) {
        const NodeKey key = upstream.back();
        upstream.pop_back();
        for (const EdgeRow& edge : service::edges_to(transaction, key, 0, kAnyState)) {
            const bool wants_success = wants_no_failure(edge.on_state, edge.when);
            if (edge.role == PredicateRole::dependencies && wants_success) follow(edge.owner);
        }
        if (!skipped.contains(static_cast<std::int64_t>(key))) continue;
        for (const AssignmentRow& a : service::assignments_of(transaction, key))
            if (a.goal == State::final) follow(a.check);
    }
    std::vector<NodeRow> rows;
    for (const auto& [key, cause] : skipped) {
        rows.push_back(service::node(transaction, NodeKey{key}));
        rows.back().skip_cause = cause;
    }
    ChangeSet changes;
    changes.plan = plan;
    changes.nodes = Rows(rows);
    transaction.apply(changes);
}

}  // namespace turboci::service
