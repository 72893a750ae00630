// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/transaction.hpp"
#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

constexpr std::int64_t kEntries = 2000;  ///< in a trip

#define TURBOCI_ENTRY                                                                                 \
    "SELECT c.version, w.time, w.actor, w.reason, w.op_id, c.by_whom, c.changes, n.type, n.id, c.seq" \
    " FROM turboci.changes AS c JOIN turboci.writes AS w ON w.plan_key = c.plan_key AND w.version = " \
    "c.version"                                                                                       \
    " LEFT JOIN turboci.nodes AS n ON n.node_key = c.node_key"
constexpr const char* kPlanLog = TURBOCI_ENTRY
    " WHERE c.plan_key = $1 AND (c.version, c.seq) > ($2, $3) ORDER BY c.version, c.seq LIMIT $4";
constexpr const char* kNodeLog = TURBOCI_ENTRY
    " WHERE c.plan_key = $1 AND c.node_key = $5 AND c.node_key > 0 AND (c.version, c.seq) > ($2, $3)"
    " ORDER BY c.version, c.seq LIMIT $4";
#undef TURBOCI_ENTRY
constexpr std::int64_t kLastSeq = 2'147'483'647;

void read_entry(const Row& row, LogEntry& entry) {
    entry.version = row.integer(0);
    entry.time = row.time(1);
    entry.actor = row.text(2);
    entry.reason = row.text(3);
    entry.op_id = row.text(4);
    entry.by = row.enumeration(5, Mover::writer, Mover::orchestrator);
    entry.changes.text = row.object(6);
    entry.node.reset();
    if (!row.is_null(7))
        entry.node = NodeRef{row.enumeration(7, NodeType::check, NodeType::stage), row.string(8)};
}

}  // namespace

void PostgresqlTransaction::read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                                     const std::function<bool(const LogEntry&)>& visit) {
    if (!queued_) begin(wait_.at_most);
    std::int64_t version = since, seq = kLastSeq;
    for (;;) {
        Parameters parameters(plan, version, seq, kEntries);
        if (node) parameters.add(*node);
        connection_.send(node ? kNodeLog : kPlanLog, parameters, true);
        const auto found = trip();
        LogEntry entry;
        for (int i = 0; i < found.at(0).rows(); ++i) {
            const Row row = found[0].row(i);
            read_entry(row, entry);
            seq = row.integer(9);
            version = entry.version;
            if (!visit(entry)) return;
        }
        if (found[0].rows() < kEntries) return;
    }
}

}  // namespace turboci::postgresql
