// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/record_reader.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "store/sqlite/attempt_columns.hpp"
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/node_columns.hpp"
#include "store/sqlite/node_table.hpp"
#include "store/sqlite/predicate_columns.hpp"

namespace turboci::sqlite {

namespace {

const Sql kNode("SELECT " TURBOCI_NODE_COLUMNS " FROM nodes WHERE node_key = ?1");

/// One table in the two ways in which it is read: the rows of one node, or those of a range of nodes in
/// order. The first column is the node's key.
struct Source {
    Sql by_key;
    Sql by_range;
};
#define TURBOCI_SOURCE(columns, table, key, order)                                       \
    Source {                                                                             \
        Sql("SELECT " columns " FROM " table " WHERE " key " = ?1 ORDER BY " key order), \
            Sql("SELECT " columns " FROM " table " WHERE " key " >= ?1 AND " key         \
                " <= ?2 ORDER BY " key order)                                            \
    }
const Source kBodies =
    TURBOCI_SOURCE("node_key, json, max_retries, backoff, timeout, heartbeat", "node_bodies", "node_key", "");
const Source kGroups =
    TURBOCI_SOURCE(TURBOCI_GROUP_COLUMNS, "predicate_groups", "owner_key", ", role, group_no");
const Source kEdges = TURBOCI_SOURCE(TURBOCI_EDGE_COLUMNS, "edges", "owner_key", ", role, position");
const Source kAssignments =
    TURBOCI_SOURCE("stage_key, check_key, goal", "assignments", "stage_key", ", position");
const Source kAttempts = TURBOCI_SOURCE(TURBOCI_ATTEMPT_COLUMNS, "attempts", "stage_key", ", idx");
const Source kProgress =
    TURBOCI_SOURCE("stage_key, idx, message, timestamp, details", "progress", "stage_key", ", idx, seq");
const Source kResults = TURBOCI_SOURCE(TURBOCI_RESULT_COLUMNS, "results", "check_key", ", id");
#undef TURBOCI_SOURCE

/// The rows of one table, asked for node by node in the order of keys.
class Feed {
public:
    /// Looks each node up.
    Feed(Database& db, const Source& source) : db_(db), source_(source) {}
    /// Goes through the table once.
    Feed(Database& db, const Source& source, const NodeRange& range) : db_(db), source_(source) {
        if (!range.scan) return;
        cursor_.emplace(db, source.by_range, range.first, range.last);
        next();
    }

    template <class Visit>
    void rows_of(std::int64_t key, const Visit& visit) {
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
    std::optional<Query> cursor_;
    std::int64_t at_ = kEnd;
};

/// Where the names and states of edge targets come from.
class Targets {
public:
    virtual ~Targets() = default;
    virtual void fill(std::int64_t key, EdgeRecord& edge) = 0;
    [[nodiscard]] virtual std::string_view id(std::int64_t key) = 0;
};

class TableTargets final : public Targets {
public:
    explicit TableTargets(const NodeTable& table) : table_(table) {}
    void fill(std::int64_t key, EdgeRecord& edge) override { table_.unpack(get(key), edge); }
    std::string_view id(std::int64_t key) override { return table_.id(get(key)); }

private:
    const PackedNode& get(std::int64_t key) {
        const PackedNode* node = table_.find(key);
        if (node == nullptr) throw_damaged("an edge or assignment leads to a node that is not there");
        return *node;
    }
    const NodeTable& table_;
};

class LookedUpTargets final : public Targets {
public:
    explicit LookedUpTargets(Database& db) : db_(db) {}
    void fill(std::int64_t key, EdgeRecord& edge) override {
        const NodeRow& node = get(key);
        edge.target.type = node.type;
        edge.target.id = node.id;
        edge.target_state = node.state;
        edge.target_outcome = node.outcome;
        edge.target_history = node.history;
    }
    std::string_view id(std::int64_t key) override { return get(key).id; }

private:
    const NodeRow& get(std::int64_t key) {
        const auto [it, is_new] = seen_.try_emplace(key);
        if (is_new) {
            Query row(db_, kNode, key);
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

/// Adds to the record, whose row is there, everything else. Nodes must come in the order of keys.
class Assembler {
public:
    template <class... Range>
    Assembler(Database& db, Targets& targets, NodeRecord& record, const Range&... range)
        : targets_(targets),
          record_(record),
          bodies_(db, kBodies, range...),
          groups_(db, kGroups, range...),
          edges_(db, kEdges, range...),
          assignments_(db, kAssignments, range...),
          attempts_(db, kAttempts, range...),
          progress_(db, kProgress, range...),
          results_(db, kResults, range...),
          edge_refill_(record.edges) {}

    void complete() {
        NodeRecord& record = record_;
        const auto key = static_cast<std::int64_t>(record.row.key);
        record.body = {};
        bodies_.rows_of(key, [&](const Query& row) { read_body(row, 1, record.body); });
        record.groups.clear();
        groups_.rows_of(key, [&](const Query& row) { read_group(row, record.groups.emplace_back()); });
        edge_refill_.start();
        edges_.rows_of(key, [&](const Query& row) {
            EdgeRecord& edge = edge_refill_.next();
            read_edge(row, edge.edge);
            targets_.fill(static_cast<std::int64_t>(edge.edge.target), edge);
        });
        edge_refill_.finish();
        record.assignments.clear();
        record.attempts.clear();
        record.results.clear();
        if (record.row.type == NodeType::stage)
            complete_stage(key, record);
        else
            results_.rows_of(key, [&](const Query& row) { read_result(row, record.results.emplace_back()); });
    }

private:
    void complete_stage(std::int64_t key, NodeRecord& record) {
        assignments_.rows_of(key, [&](const Query& row) {
            Assignment& a = record.assignments.emplace_back();
            a.target_check_id = targets_.id(row.integer(1));
            a.goal_state = decode_state(NodeType::check, row.integer(2));
        });
        attempts_.rows_of(key, [&](const Query& row) { read_attempt(row, record.attempts.emplace_back()); });
        progress_.rows_of(key, [&](const Query& row) {
            const auto it = std::ranges::find(record.attempts, row.small(1), &Attempt::idx);
            if (it == record.attempts.end()) throw_damaged("progress of an attempt that is not there");
            it->progress.push_back({row.string(2), row.time(3), {row.string(4)}});
        });
    }

    Targets& targets_;
    NodeRecord& record_;
    Feed bodies_, groups_, edges_, assignments_, attempts_, progress_, results_;
    Refill<EdgeRecord> edge_refill_;
};

void read_few(Database& db, PlanKey plan, std::optional<NodeType> type, const std::vector<NodeKey>& keys,
              const std::function<void(const NodeRecord&)>& visit) {
    LookedUpTargets targets(db);
    NodeRecord record;
    Assembler assembler(db, targets, record);
    for (const NodeKey key : keys) {
        {
            Query row(db, kNode, key);
            if (!row.step()) throw Error(ErrorCode::internal, "there is no node of that key");
            read_node(row, record.row);
        }
        if (record.row.plan != plan || (type && record.row.type != *type)) continue;
        assembler.complete();
        visit(record);
    }
}

/// Leaves of `range` what lies between the first node of a type and the last: often all checks come before
/// all stages. False if there is none.
bool narrow(NodeRange& range, const NodeTable& table, NodeType type) {
    const auto& nodes = table.nodes();
    const auto first = std::ranges::find(nodes, type, &PackedNode::type);
    if (first == nodes.end()) return false;
    const auto last =
        std::find_if(nodes.rbegin(), nodes.rend(), [&](const PackedNode& n) { return n.type == type; });
    range.first = first->key;
    range.last = last->key;
    return true;
}

}  // namespace

void read_records(Database& db, PlanKey plan, std::optional<NodeType> type, const std::vector<NodeKey>* keys,
                  std::int64_t next_key, std::unique_ptr<NodeTable>& cache,
                  const std::function<void(const NodeRecord&)>& visit) {
    // Looking a node up costs about as much as passing over some eight of them.
    constexpr std::size_t kLookUpFactor = 8;
    const std::size_t total = count_nodes(db, plan);
    if (keys != nullptr && keys->size() < total / kLookUpFactor + 16)
        return read_few(db, plan, type, *keys, visit);
    NodeRange range = nodes_of_plan(db, plan, next_key);
    if (!cache || cache->plan() != plan) {
        auto loaded = std::make_unique<NodeTable>(plan);
        loaded->load(db, range, std::min(total, static_cast<std::size_t>(next_key)));
        cache = std::move(loaded);
    }
    const NodeTable& table = *cache;
    if (type && !narrow(range, table, *type)) return;
    TableTargets targets(table);
    NodeRecord record;
    Assembler assembler(db, targets, record, range);
    auto wanted = keys != nullptr ? keys->begin() : std::vector<NodeKey>::const_iterator{};
    for (const PackedNode& node : table.nodes()) {
        if (keys != nullptr) {
            while (wanted != keys->end() && static_cast<std::int64_t>(*wanted) < node.key) ++wanted;
            if (wanted == keys->end()) break;
            if (static_cast<std::int64_t>(*wanted) != node.key) continue;
        }
        if (type && node.type != *type) continue;
        table.unpack(node, record.row);
        assembler.complete();
        visit(record);
    }
}

}  // namespace turboci::sqlite
