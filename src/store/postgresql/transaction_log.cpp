// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/transaction.hpp"
#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

constexpr std::int64_t kEntries = 2000;  ///< in a trip

// The page first: joined before it is cut off, the whole record would be sorted for each page.
#define TURBOCI_ENTRIES(which)                                                                               \
    "SELECT c.version, w.time, w.actor, w.reason, w.op_id, c.by_whom, c.changes, n.type, n.id, c.seq FROM (" \
    "SELECT * FROM turboci.changes WHERE " which                                                             \
    " AND (version, seq) > ($2, $3) ORDER BY version, seq LIMIT $4) AS c"                                    \
    " JOIN turboci.writes AS w ON w.plan_key = $1 AND w.version = c.version"                                 \
    " LEFT JOIN turboci.nodes AS n ON n.node_key = c.node_key ORDER BY c.version, c.seq"
constexpr const char* kPlanLog = TURBOCI_ENTRIES("plan_key = $1");
constexpr const char* kNodeLog = TURBOCI_ENTRIES("node_key = $5 AND node_key > 0");
#undef TURBOCI_ENTRIES
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
