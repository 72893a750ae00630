// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/record_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "store/sqlite/attempt_columns.hpp"
#include "store/sqlite/edge_scan.hpp"
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/node_columns.hpp"
#include "store/sqlite/node_table.hpp"
#include "store/sqlite/predicate_columns.hpp"

namespace turboci::sqlite {

namespace {

const Sql kNodeRow("SELECT " TURBOCI_NODE_COLUMNS " FROM nodes WHERE node_key = ?1");
const Sql kNodesFrom("SELECT " TURBOCI_NODE_COLUMNS " FROM nodes WHERE node_key >= ?1 ORDER BY node_key");
const Sql kFewColumnsFrom("SELECT " TURBOCI_FEW_NODE_COLUMNS
                          " FROM nodes WHERE node_key >= ?1 ORDER BY node_key");

/// One table in the two ways in which it is read: the rows of one node, or those of all nodes from one on, in
/// order. The first column is the node's key.
struct Source {
    Sql by_key;
    Sql onward;  ///< who reads stops where the range ends: SQLite would compare each row with it
};
#define TURBOCI_SOURCE(columns, table, key, order)                                           \
    Source {                                                                                 \
        Sql("SELECT " columns " FROM " table " WHERE " key " = ?1 ORDER BY " key order),     \
            Sql("SELECT " columns " FROM " table " WHERE " key " >= ?1 ORDER BY " key order) \
    }
const Source kBodySource = TURBOCI_SOURCE("node_key, " TURBOCI_BODY_COLUMNS, "node_bodies", "node_key", "");
const Source kGroupSource =
    TURBOCI_SOURCE(TURBOCI_GROUP_COLUMNS, "predicate_groups", "owner_key", ", role, group_no");
const Source kEdgeSource = TURBOCI_SOURCE(TURBOCI_EDGE_COLUMNS, "edges", "owner_key", ", role, position");
const Source kAssignmentSource =
    TURBOCI_SOURCE("stage_key, check_key, goal, position", "assignments", "stage_key", ", position");
const Source kAttemptSource = TURBOCI_SOURCE(TURBOCI_ATTEMPT_COLUMNS, "attempts", "stage_key", ", idx");
const Source kProgressSource =
    TURBOCI_SOURCE("stage_key, idx, message, timestamp, details", "progress", "stage_key", ", idx, seq");
const Source kResultSource = TURBOCI_SOURCE(TURBOCI_RESULT_COLUMNS, "results", "check_key", ", id");
#undef TURBOCI_SOURCE

/// The rows of one table, asked for node by node in the order of keys.
class Feed {
public:
    /// Gives nothing if not `wanted`. Looks each node up; or, given a range that can be scanned, goes through
    /// the table once.
    Feed(Database& db, const Source& source, bool wanted, const NodeRange* range = nullptr)
        : db_(db), source_(source), wanted_(wanted) {
        if (!wanted || range == nullptr || !range->scan) return;
        cursor_.emplace(db, source.onward, range->first);
        next();
    }

    template <class Visit>
    void rows_of(std::int64_t key, const Visit& visit) {
        if (!wanted_) return;
        if (!cursor_) {
            Query row(db_, source_.by_key, key);
            while (row.step()) visit(row);
            return;
        }
        while (at_ < key) next();
        while (at_ == key) {
            visit(*cursor_);
            next();
        }
    }

private:
    static constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
    void next() { at_ = cursor_->step() ? cursor_->integer(0) : kEnd; }

    Database& db_;
    const Source& source_;
    bool wanted_;
    std::optional<Query> cursor_;
    std::int64_t at_ = kEnd;
};

/// Where the names and states of edge targets come from.
class Targets {
public:
    virtual ~Targets() = default;
    /// fill() will be called for it: first this, then expect(), with others between them.
    virtual void expect_place(std::int64_t key) = 0;
    virtual void expect(std::int64_t key) = 0;
    virtual void fill(std::int64_t key, EdgeRecord& edge) = 0;
    [[nodiscard]] virtual std::string_view id(std::int64_t key) = 0;
};

class TableTargets final : public Targets {
public:
    explicit TableTargets(const NodeTable& table) : table_(table) {}
    void expect_place(std::int64_t key) override { table_.expect_place(key); }
    void expect(std::int64_t key) override { table_.expect(key); }
    void fill(std::int64_t key, EdgeRecord& edge) override { table_.unpack(table_.find(key), edge); }
    std::string_view id(std::int64_t key) override { return table_.id(table_.find(key)); }

private:
    const NodeTable& table_;
};

class LookedUpTargets final : public Targets {
public:
    explicit LookedUpTargets(Database& db) : db_(db) {}
    void expect_place(std::int64_t) override {}
    void expect(std::int64_t) override {}
    void fill(std::int64_t key, EdgeRecord& edge) override {
        const NodeRow& node = get(key);
        edge.target.type = node.type;
        edge.target.id = node.id;
        edge.target_state = node.state;
        edge.target_outcome = node.outcome;
        read_reached(node.type, node.state, node.history, edge);
    }
    std::string_view id(std::int64_t key) override { return get(key).id; }

private:
    const NodeRow& get(std::int64_t key) {
        const auto [it, is_new] = seen_.try_emplace(key);
        if (is_new) {
            Query row(db_, kNodeRow, key);
            if (!row.step()) throw_damaged("an edge or assignment leads to a node that is not there");
            read_node(row, it->second);
        }
        return it->second;
    }
    Database& db_;
    std::unordered_map<std::int64_t, NodeRow> seen_;
};

/// Fills a vector again and again; elements keep their memory from one time to the next.
template <class T>
class Refill {
public:
    explicit Refill(std::vector<T>& items) : items_(items) {}
    void start() { used_ = 0; }
    T& next() {
        if (used_ == items_.size()) {
            if (spare_.empty()) {
                items_.emplace_back();
            } else {
                items_.push_back(std::move(spare_.back()));
                spare_.pop_back();
            }
        }
        return items_[used_++];
    }
    void finish() {
        while (items_.size() > used_) {
            spare_.push_back(std::move(items_.back()));
            items_.pop_back();
        }
    }

private:
    std::vector<T>& items_;
    std::vector<T> spare_;
    std::size_t used_ = 0;
};

/// The edges of a range of nodes, some way ahead of the nodes: so their targets come from memory meanwhile.
class EdgesAhead {
public:
    EdgesAhead(Database& db, std::int64_t first, Targets* targets) : scan_(db, first), targets_(targets) {
        refill();
    }

    template <class Visit>
    void rows_of(std::int64_t key, const Visit& visit) {
        while (at_ != edges_.size() && static_cast<std::int64_t>(edges_[at_].owner) <= key) {
            if (static_cast<std::int64_t>(edges_[at_].owner) == key) visit(edges_[at_]);
            if (++at_ == edges_.size()) refill();
        }
    }

private:
    static constexpr std::size_t kAhead = 128;

    void refill() {
        at_ = 0;
        scan_.next(edges_, kAhead);
        if (targets_ == nullptr) return;
        for (const EdgeRow& edge : edges_) targets_->expect_place(static_cast<std::int64_t>(edge.target));
        for (const EdgeRow& edge : edges_) targets_->expect(static_cast<std::int64_t>(edge.target));
    }

    EdgeScan scan_;
    Targets* targets_;
    std::vector<EdgeRow> edges_;
    std::size_t at_ = 0;
};

/// Adds to the record, whose row is there, the parts that are wanted. Nodes must come in the order of keys.
class Assembler {
public:
    /// `targets` may be null if they are not wanted. With a range that can be scanned, every table is gone
    /// through once.
    Assembler(Database& db, Targets* targets, NodeRecord& record, const NodeParts& parts,
              const NodeRange* range = nullptr)
        : targets_(parts.targets ? targets : nullptr),
          record_(record),
          bodies_(db, kBodySource, parts.body, range),
          groups_(db, kGroupSource, parts.predicates, range),
          edges_(db, kEdgeSource, parts.predicates && (range == nullptr || !range->scan)),
          assignments_(db, kAssignmentSource, parts.assignments, range),
          attempts_(db, kAttemptSource, parts.attempts, range),
          progress_(db, kProgressSource, parts.attempts && parts.progress, range),
          results_(db, kResultSource, parts.results, range),
          scans_(range != nullptr && range->scan),
          edge_refill_(record.edges) {
        if (parts.predicates && scans_) edges_ahead_.emplace(db, range->first, targets_);
    }

    void complete() {
        NodeRecord& record = record_;
        const auto key = static_cast<std::int64_t>(record.row.key);
        bool has_body = false;
        bodies_.rows_of(key, [&](const Query& row) {
            read_body(row, 1, record.body);
            has_body = true;
        });
        if (!has_body) record.body = {};
        complete_origin(record);
        complete_edges(key);
        record.groups.clear();
        // Every group has an edge in it or in a group of its own. Preparing a statement costs much more than
        // a row of a scan.
        if (scans_ || std::ranges::any_of(record.edges, in_group))
            groups_.rows_of(key, [&](const Query& row) { read_group(row, record.groups.emplace_back()); });
        record.assignments.clear();
        record.attempts.clear();
        record.results.clear();
        if (record.row.type == NodeType::stage)
            complete_stage(key, record);
        else
            results_.rows_of(key, [&](const Query& row) { read_result(row, record.results.emplace_back()); });
    }

private:
    /// Beside the root of the dependencies.
    static bool in_group(const EdgeRecord& edge) {
        return edge.edge.group != 0 || edge.edge.role != PredicateRole::dependencies;
    }

    void complete_origin(NodeRecord& record) {
        record.created_by.reset();
        if (targets_ == nullptr || record.body.created_by == NodeKey::none) return;
        const auto stage = static_cast<std::int64_t>(record.body.created_by);
        record.created_by = CreatedBy{std::string(targets_->id(stage)), record.body.created_by_attempt};
    }

    void complete_edges(std::int64_t key) {
        edge_refill_.start();
        if (edges_ahead_)
            edges_ahead_->rows_of(key, [&](const EdgeRow& edge) { edge_refill_.next().edge = edge; });
        else
            edges_.rows_of(key, [&](const Query& row) { read_edge(row, edge_refill_.next().edge); });
        edge_refill_.finish();
        if (targets_ == nullptr) return;
        for (EdgeRecord& edge : record_.edges)
            targets_->fill(static_cast<std::int64_t>(edge.edge.target), edge);
    }

    void complete_stage(std::int64_t key, NodeRecord& record) {
        assignments_.rows_of(key, [&](const Query& row) {
            AssignmentRecord& a = record.assignments.emplace_back();
            a.row.stage = record.row.key;
            a.row.check = row.node(1);
            a.row.goal = decode_state(NodeType::check, row.integer(2));
            a.row.position = row.small(3);
            if (targets_ != nullptr) a.check_id = targets_->id(row.integer(1));
        });
        if (!scans_ && record.row.attempt == 0) return;
        attempts_.rows_of(key, [&](const Query& row) { read_attempt(row, record.attempts.emplace_back()); });
        progress_.rows_of(key, [&](const Query& row) {
            const auto it = std::ranges::find(record.attempts, row.small(1), &Attempt::idx);
            if (it == record.attempts.end()) throw_damaged("progress of an attempt that is not there");
            it->progress.push_back({row.string(2), row.time(3), {row.string(4)}});
        });
    }

    Targets* targets_;
    NodeRecord& record_;
    Feed bodies_, groups_, edges_, assignments_, attempts_, progress_, results_;
    bool scans_;
    std::optional<EdgesAhead> edges_ahead_;
    Refill<EdgeRecord> edge_refill_;
};

/// Those of a list of keys, asked for in their order; or all.
class Wanted {
public:
    explicit Wanted(const std::vector<NodeKey>* keys) : keys_(keys) {}
    bool operator()(std::int64_t key) {
        if (keys_ == nullptr) return true;
        while (at_ < keys_->size() && static_cast<std::int64_t>((*keys_)[at_]) < key) ++at_;
        return at_ < keys_->size() && static_cast<std::int64_t>((*keys_)[at_]) == key;
    }
    /// Will there be no more?
    [[nodiscard]] bool over() const { return keys_ != nullptr && at_ == keys_->size(); }

private:
    const std::vector<NodeKey>* keys_;
    std::size_t at_ = 0;
};

void read_few(Database& db, PlanKey plan, std::optional<NodeType> type, const std::vector<NodeKey>& keys,
              const NodeParts& parts, const std::function<void(NodeRecord&)>& visit) {
    LookedUpTargets targets(db);
    NodeRecord record;
    Assembler assembler(db, &targets, record, parts);
    for (const NodeKey key : keys) {
        {
            Query row(db, kNodeRow, key);
            if (!row.step()) throw Error(ErrorCode::internal, "there is no node of that key");
            read_node(row, record.row);
        }
        if (record.row.plan != plan || (type && record.row.type != *type)) continue;
        assembler.complete();
        visit(record);
    }
}

/// Each row as it comes: for parts that need no other node.
void read_stream(Database& db, PlanKey plan, std::optional<NodeType> type, const std::vector<NodeKey>* keys,
                 const NodeParts& parts, const NodeRange& range,
                 const std::function<void(NodeRecord&)>& visit) {
    NodeRecord record;
    Assembler assembler(db, nullptr, record, parts, &range);
    Wanted wanted(keys);
    const auto take = [&](const Query& row, std::int64_t key, void (*read)(const Query&, NodeRow&)) {
        if (row.plan(1) != plan || !wanted(key)) return;
        if (type && row.enumeration(2, NodeType::check, NodeType::stage) != *type) return;
        record.row.key = NodeKey{key};
        record.row.plan = plan;
        read(row, record.row);
        assembler.complete();
        visit(record);
    };
    if (range.scan) {
        Query row(db, parts.stamps ? kNodesFrom : kFewColumnsFrom, range.first);
        const auto read = parts.stamps ? read_node : read_few_columns;
        while (!wanted.over() && row.step()) {
            const std::int64_t key = row.integer(0);
            if (key > range.last) break;
            take(row, key, read);
        }
        return;
    }
    for (const NodeKey key : range.keys) {
        Query row(db, kNodeRow, key);
        if (row.step()) take(row, row.integer(0), read_node);
    }
}

}  // namespace

PassingThrough::PassingThrough(Database& db, std::size_t nodes) {
    if (nodes >= kMany && sqlite3_txn_state(db.handle(), "main") != SQLITE_TXN_WRITE) few_pages_.emplace(db);
}

bool needs_table(const NodeParts& parts) { return parts.targets && (parts.predicates || parts.assignments); }

std::optional<TablePart> part_of_type(const NodeTable& table, NodeType type) {
    TablePart part;
    while (part.first < table.size() && table.type(part.first) != type) ++part.first;
    if (part.first == table.size()) return std::nullopt;
    part.last = table.size() - 1;
    while (table.type(part.last) != type) --part.last;
    return part;
}

void read_from_table(Database& db, std::optional<NodeType> type, const std::vector<NodeKey>* keys,
                     const NodeParts& parts, bool scan, const NodeTable& table, TablePart part,
                     const std::function<void(NodeRecord&)>& visit) {
    TableTargets targets(table);
    NodeRecord record;
    NodeRange range;
    range.first = table.key(part.first);
    range.last = table.key(part.last);
    range.scan = scan;
    Assembler assembler(db, &targets, record, parts, &range);
    Wanted wanted(keys);
    for (std::size_t node = part.first; node <= part.last && !wanted.over(); ++node) {
        if ((type && table.type(node) != *type) || !wanted(table.key(node))) continue;
        table.unpack(node, record.row);
        assembler.complete();
        visit(record);
    }
}

void read_records(Database& db, PlanKey plan, std::optional<NodeType> type, const std::vector<NodeKey>* keys,
                  const NodeParts& parts, const std::function<std::int64_t()>& next_key,
                  std::unique_ptr<NodeTable>& cache, const std::function<void(NodeRecord&)>& visit) {
    // Looking a node up costs about as much as passing over some eight of them.
    constexpr std::size_t kLookUpFactor = 8;
    constexpr std::size_t kAlwaysFew = 16;
    if (keys != nullptr && keys->size() < kAlwaysFew) return read_few(db, plan, type, *keys, parts, visit);
    const std::size_t total = count_nodes(db, plan);
    if (keys != nullptr && keys->size() < total / kLookUpFactor + kAlwaysFew)
        return read_few(db, plan, type, *keys, parts, visit);
    const PassingThrough few_pages(db, total);
    const NodeRange range = nodes_of_plan(db, plan, next_key());
    const bool has_table = cache && cache->plan() == plan;
    if (!has_table && !needs_table(parts)) return read_stream(db, plan, type, keys, parts, range, visit);
    if (!has_table) {
        auto loaded = std::make_unique<NodeTable>(plan);
        loaded->reserve(std::min(total, static_cast<std::size_t>(next_key())));
        loaded->load(db, range);
        cache = std::move(loaded);
    }
    const NodeTable& table = *cache;
    std::optional<TablePart> part;
    if (type)
        part = part_of_type(table, *type);
    else if (table.size() > 0)
        part = TablePart{0, table.size() - 1};
    if (part) read_from_table(db, type, keys, parts, range.scan, table, *part, visit);
}

}  // namespace turboci::sqlite
