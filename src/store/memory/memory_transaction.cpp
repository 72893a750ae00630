// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_transaction.hpp"

#include <algorithm>
#include <utility>

#include "store/node_filter.hpp"
#include "turboci/error.hpp"

namespace turboci::memory {

namespace {

void fill_target(const NodeRow& node, EdgeRecord& edge) {
    edge.target = {node.type, node.id};
    edge.target_state = node.state;
    edge.target_outcome = node.outcome;
    edge.target_skip_cause = node.skip_cause;
    const int wanted = state_number(node.type, edge.edge.on_state);
    if (state_number(node.type, node.state) < wanted) return;
    for (const StateEntry& entry : node.history) {
        const int number = state_number(node.type, entry.state);
        if (entry.state != State::final) edge.target_furthest = std::max(edge.target_furthest, number);
        if (number >= wanted && !edge.reached_at) edge.reached_at = entry.at;
    }
}

void add_predicates(const Data& data, bool targets, NodeRecord& record) {
    record.groups = data.groups(record.row.key);
    for (const PredicateRole role : {PredicateRole::dependencies, PredicateRole::continuation})
        for (const EdgeRow& row : data.edges_of(record.row.key, role)) {
            EdgeRecord& edge = record.edges.emplace_back();
            edge.edge = row;
            if (targets) fill_target(data.node(row.target), edge);
        }
}

void add_attempts(const Data& data, bool progress, NodeRecord& record) {
    for (AttemptRow& row : data.attempts(record.row.key)) {
        AttemptRow& attempt = record.attempts.emplace_back(std::move(row));
        if (progress) attempt.attempt.progress = data.progress(record.row.key, attempt.attempt.idx);
    }
}

NodeRecord make_record(const Data& data, const NodeRow& row, const NodeParts& parts) {
    NodeRecord record;
    record.row = row;
    if (parts.body) record.body = data.body(row.key);
    if (parts.targets && record.body.created_by != NodeKey::none)
        record.created_by = CreatedBy{data.node(record.body.created_by).id, record.body.created_by_attempt};
    if (parts.predicates) add_predicates(data, parts.targets, record);
    if (row.type == NodeType::stage && parts.assignments)
        for (const AssignmentRow& assignment : data.assignments_of(row.key))
            record.assignments.push_back(
                {assignment, parts.targets ? data.node(assignment.check).id : std::string()});
    if (row.type == NodeType::stage && parts.attempts) add_attempts(data, parts.progress, record);
    if (row.type == NodeType::check && parts.results) record.results = data.results(row.key);
    return record;
}

}  // namespace

MemoryTransaction::MemoryTransaction(std::shared_ptr<const Data> data, const Clock& clock,
                                     StoreStatistics& statistics,
                                     std::function<void(std::shared_ptr<const Data>)> on_commit,
                                     std::function<void()> on_end)
    : seen_(std::move(data)),
      clock_(clock),
      statistics_(statistics),
      on_commit_(std::move(on_commit)),
      on_end_(std::move(on_end)) {
    statistics_ = {};
}

MemoryTransaction::~MemoryTransaction() { finish(); }

void MemoryTransaction::finish() noexcept {
    if (!open_) return;
    open_ = false;
    on_end_();
}

Data& MemoryTransaction::changing() {
    if (!open_) throw Error(ErrorCode::internal, "the transaction is over");
    if (!own_) own_ = std::make_shared<Data>(*seen_);
    return *own_;
}

void MemoryTransaction::commit() {
    if (!open_) throw Error(ErrorCode::internal, "the transaction is over");
    if (own_) on_commit_(own_);
    finish();
}

PlanKey MemoryTransaction::apply(const ChangeSet& changes) {
    Data& data = changing();
    ++statistics_.trips;
    return data.apply(changes);
}

std::optional<PlanRow> MemoryTransaction::find_plan(std::string_view id) {
    ++statistics_.trips;
    return data().find_plan(id);
}

std::vector<PlanRow> MemoryTransaction::plans() {
    ++statistics_.trips;
    return data().plans();
}

void MemoryTransaction::scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) {
    ++statistics_.trips;
    const NodeFilter filter(what);
    std::size_t left = what.limit;
    for (const NodeKey key : what.keys != nullptr ? *what.keys : data().nodes_of(plan)) {
        const NodeRow* const row = data().find_node(key);
        if (row == nullptr) throw Error(ErrorCode::internal, "there is no node of that key");
        if (row->plan != plan || !filter.matches(*row)) continue;
        if (left-- == 0) return;
        NodeRecord record = make_record(data(), *row, what.parts);
        if (!take({&record, 1})) return;
    }
}

void MemoryTransaction::read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                                 const std::function<bool(const LogEntry&)>& visit) {
    ++statistics_.trips;
    data().read_log(plan, node, since, visit);
}

}  // namespace turboci::memory
