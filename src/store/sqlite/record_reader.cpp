// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/record_reader.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/sqlite/encoding.hpp"
#include "store/sqlite/row_scan.hpp"

namespace turboci::sqlite {

// Named, because a member of a class has them: some compilers see all files of this folder as one.
namespace records {

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
class Cursor {
public:
    /// Gives nothing if not `wanted`. Looks each node up; or, from a first key on, goes through the table.
    Cursor(Database& db, const Source& source, bool wanted, std::optional<std::int64_t> first)
        : db_(db), source_(source), wanted_(wanted) {
        if (!wanted || !first) return;
        rows_.emplace(db, source.onward, *first);
        next();
    }

    template <class Visit>
    void rows_of(NodeKey node, const Visit& visit) {
        if (!wanted_) return;
        if (!rows_) {
            Query row(db_, source_.by_key, node);
            while (row.step()) visit(row);
            return;
        }
        const auto key = static_cast<std::int64_t>(node);
        for (int passed = 0; at_ < key; next())
            if (++passed > kMostPassed) {
                rows_.emplace(db_, source_.onward, key);
                passed = 0;
            }
        while (at_ == key) {
            visit(*rows_);
            next();
        }
    }

private:
    static constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
    // Rows of nodes that nobody wants; to look for the next place costs as much as a few of them.
    static constexpr int kMostPassed = 4;
    void next() { at_ = rows_->step() ? rows_->integer(0) : kEnd; }

    Database& db_;
    const Source& source_;
    bool wanted_;
    std::optional<Query> rows_;
    std::int64_t at_ = kEnd;
};

/// Where the names and states of edge targets come from: a table, or one statement for each.
class Targets {
public:
    Targets(Database& db, const TargetTable* table) : db_(db), table_(table) {}
    /// fill() will be called for these.
    void expect(const std::vector<EdgeRow>& edges) const {
        if (table_ == nullptr) return;
        for (const EdgeRow& edge : edges) table_->expect_place(edge.target);
        for (const EdgeRow& edge : edges) table_->expect(edge.target);
    }
    void fill(EdgeRecord& edge) {
        if (table_ != nullptr) return table_->fill(edge);
        const NodeRow& node = look_up(edge.edge.target);
        edge.target.type = node.type;
        edge.target.id = node.id;
        edge.target_state = node.state;
        edge.target_outcome = node.outcome;
        edge.target_skip_cause = node.skip_cause;
        read_reached(node.type, node.state, node.history, edge);
    }
    [[nodiscard]] std::string_view id(NodeKey key) {
        return table_ != nullptr ? table_->id(key) : std::string_view(look_up(key).id);
    }

private:
    const NodeRow& look_up(NodeKey key) {
        const auto [it, is_new] = seen_.try_emplace(key);
        if (is_new && !read_node(db_, key, it->second))
            throw_damaged("an edge or assignment leads to a node that is not there");
        return it->second;
    }

    Database& db_;
    const TargetTable* table_;
    std::unordered_map<NodeKey, NodeRow> seen_;
};

#define TURBOCI_TAKEN_COLUMNS "owner_key, role, group_no, target_key, target_type, on_state, on_when"
constexpr std::string_view kTakenNames = TURBOCI_TAKEN_COLUMNS;
const Sql kEdgesFrom("SELECT 1 FROM edges WHERE owner_key >= ?1 AND turboci_take(" TURBOCI_TAKEN_COLUMNS
                     ") ORDER BY owner_key, role, position");
#undef TURBOCI_TAKEN_COLUMNS

/// All edges from one owner on. They are read some way ahead of the nodes, so that their targets come from
/// memory meanwhile.
class EdgesAhead final : RowScan {
public:
    /// `targets` may be null if they are not wanted.
    EdgesAhead(Database& db, std::int64_t first_owner, const Targets* targets)
        : RowScan(db, kEdgesFrom, kTakenNames, first_owner), targets_(targets) {
        refill();
    }

    /// Are all edges that were read those of earlier owners, so that it is better to begin anew?
    [[nodiscard]] bool is_behind(NodeKey owner) const {
        return !edges_.empty() && edges_.back().owner < owner;
    }

    template <class Visit>
    void rows_of(NodeKey owner, const Visit& visit) {
        while (at_ != edges_.size() && edges_[at_].owner <= owner) {
            if (edges_[at_].owner == owner) visit(edges_[at_]);
            if (++at_ == edges_.size()) refill();
        }
    }

private:
    static constexpr std::size_t kAhead = 128;

    void refill() {
        at_ = 0;
        edges_.clear();
        step();
        db().count_rows(static_cast<std::int64_t>(edges_.size()));
        if (targets_ != nullptr) targets_->expect(edges_);
    }

    bool take(const RowValues& row) override {
        EdgeRow& edge = edges_.emplace_back();
        edge.owner = row.node(0);
        if (edge.owner < NodeKey{1}) row.bad_column(0);
        edge.role = row.enumeration(1, PredicateRole::dependencies, PredicateRole::continuation);
        edge.group = row.index(2);
        edge.target = row.node(3);
        const NodeType target_type = row.enumeration(4, NodeType::check, NodeType::stage);
        edge.on_state = decode_state(target_type, row.integer(5));
        edge.when = row.enumeration(6, When::success, When::unsuccessful);
        // Positions count up from 0 in the order of reading.
        if (edge.owner == last_.owner && edge.role == last_.role) edge.position = last_.position + 1;
        last_ = edge;
        return edges_.size() >= kAhead;
    }

    const Targets* targets_;
    std::vector<EdgeRow> edges_;
    std::size_t at_ = 0;
    EdgeRow last_;
};

/// Fills lists of edges; elements that one list has no use for keep their memory for the next.
class EdgeLists {
public:
    void start(std::vector<EdgeRecord>& list) {
        list_ = &list;
        used_ = 0;
    }
    EdgeRecord& next() {
        if (used_ == list_->size()) {
            if (spare_.empty()) {
                list_->emplace_back();
            } else {
                list_->push_back(std::move(spare_.back()));
                spare_.pop_back();
            }
        }
        return (*list_)[used_++];
    }
    void finish() {
        while (list_->size() > used_) {
            spare_.push_back(std::move(list_->back()));
            list_->pop_back();
        }
    }

private:
    std::vector<EdgeRecord>* list_ = nullptr;
    std::vector<EdgeRecord> spare_;
    std::size_t used_ = 0;
};

/// Is the edge in a group beside the root of the dependencies?
static bool in_group(const EdgeRecord& edge) {
    return edge.edge.group != 0 || edge.edge.role != PredicateRole::dependencies;
}

}  // namespace records

using namespace records;

class RecordReader::Tables {
public:
    Tables(Database& db, const NodeParts& parts, std::optional<std::int64_t> first, const TargetTable* table)
        : db_(db),
          targets_(db, table),
          with_targets_(parts.targets),
          in_order_(first.has_value()),
          bodies_(db, kBodySource, parts.body, first),
          groups_(db, kGroupSource, parts.predicates, first),
          edges_(db, kEdgeSource, parts.predicates && !in_order_, first),
          assignments_(db, kAssignmentSource, parts.assignments, first),
          attempts_(db, kAttemptSource, parts.attempts, first),
          progress_(db, kProgressSource, parts.attempts && parts.progress, first),
          results_(db, kResultSource, parts.results, first) {
        if (parts.predicates && first) edges_ahead_.emplace(db, *first, with_targets_ ? &targets_ : nullptr);
    }

    void complete(NodeRecord& record) {
        const NodeKey key = record.row.key;
        bool has_body = false;
        bodies_.rows_of(key, [&](const Query& row) {
            read_body(row, 1, record.body);
            has_body = true;
        });
        if (!has_body) record.body = {};
        record.created_by.reset();
        if (with_targets_ && record.body.created_by != NodeKey::none)
            record.created_by =
                CreatedBy{std::string(targets_.id(record.body.created_by)), record.body.created_by_attempt};
        complete_edges(key, record);
        record.groups.clear();
        // Every group has an edge in it or in a group of its own. A statement costs much more than a row of a
        // cursor.
        if (in_order_ || std::ranges::any_of(record.edges, in_group))
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
    void complete_edges(NodeKey key, NodeRecord& record) {
        lists_.start(record.edges);
        if (edges_ahead_ && edges_ahead_->is_behind(key))
            edges_ahead_.emplace(db_, static_cast<std::int64_t>(key), with_targets_ ? &targets_ : nullptr);
        if (edges_ahead_)
            edges_ahead_->rows_of(key, [&](const EdgeRow& edge) { lists_.next().edge = edge; });
        else
            edges_.rows_of(key, [&](const Query& row) { read_edge(row, lists_.next().edge); });
        lists_.finish();
        if (!with_targets_) return;
        for (EdgeRecord& edge : record.edges) targets_.fill(edge);
    }

    void complete_stage(NodeKey key, NodeRecord& record) {
        assignments_.rows_of(key, [&](const Query& row) {
            AssignmentRecord& a = record.assignments.emplace_back();
            a.row.stage = key;
            a.row.check = row.node(1);
            a.row.goal = decode_state(NodeType::check, row.integer(2));
            a.row.position = row.small(3);
            if (with_targets_) a.check_id = targets_.id(a.row.check);
        });
        if (!in_order_ && record.row.attempt == 0) return;
        attempts_.rows_of(key, [&](const Query& row) { read_attempt(row, record.attempts.emplace_back()); });
        progress_.rows_of(key, [&](const Query& row) {
            const auto is_its = [idx = row.small(1)](const AttemptRow& a) { return a.attempt.idx == idx; };
            const auto it = std::ranges::find_if(record.attempts, is_its);
            if (it == record.attempts.end()) throw_damaged("progress of an attempt that is not there");
            it->attempt.progress.push_back({row.string(2), row.time(3), {row.string(4)}});
        });
    }

    Database& db_;
    Targets targets_;
    bool with_targets_;
    bool in_order_;
    Cursor bodies_, groups_, edges_, assignments_, attempts_, progress_, results_;
    std::optional<EdgesAhead> edges_ahead_;
    EdgeLists lists_;
};

RecordReader::RecordReader(Database& db, const NodeParts& parts)
    : tables_(std::make_unique<Tables>(db, parts, std::nullopt, nullptr)) {}

RecordReader::RecordReader(Database& db, const NodeParts& parts, std::int64_t first,
                           const TargetTable* targets)
    : tables_(std::make_unique<Tables>(db, parts, first, targets)) {}

RecordReader::~RecordReader() = default;

void RecordReader::complete(NodeRecord& record) { tables_->complete(record); }

}  // namespace turboci::sqlite
