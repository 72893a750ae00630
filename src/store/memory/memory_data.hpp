// SPDX-License-Identifier: Apache-2.0
// What the store in memory holds: tables and their indexes, as a value. A copy is another state of the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::memory {

/// Calls `use` with each element of a map or set whose key is at least `first` and below `end`.
template <class Table, class Use>
void each_between(const Table& table, const typename Table::key_type& first,
                  const typename Table::key_type& end, const Use& use) {
    const auto last = table.lower_bound(end);
    for (auto it = table.lower_bound(first); it != last; ++it) use(*it);
}

template <class Key>
[[nodiscard]] constexpr Key next_after(Key key) {
    return Key{static_cast<std::int64_t>(key) + 1};
}

class Data {
public:
    explicit Data(std::string identity) : identity_(std::move(identity)) {}

    // ---- reading: rows in the orders that Facts promises
    [[nodiscard]] const std::string& identity() const { return identity_; }
    [[nodiscard]] NodeKey next_node() const { return NodeKey{next_node_}; }
    [[nodiscard]] std::optional<BeatRow> last_beat(std::string_view holder) const;
    [[nodiscard]] std::vector<BeatRow> workers() const;
    [[nodiscard]] std::vector<LogPartRow> log_parts(const AttemptName& name) const;
    [[nodiscard]] std::optional<LogPartRow> log_part(const LogPartName& name) const;
    [[nodiscard]] std::optional<PlanRow> find_plan(std::string_view id) const;
    [[nodiscard]] std::vector<PlanRow> plans() const;
    [[nodiscard]] std::vector<StateCount> counts(PlanKey plan) const;
    [[nodiscard]] std::vector<NodeKey> nodes_of(PlanKey plan) const;
    [[nodiscard]] const NodeRow* find_node(NodeKey key) const;
    [[nodiscard]] const NodeRow* find_node(PlanKey plan, const NodeRef& name) const;
    /// STORE if there is none.
    [[nodiscard]] const NodeRow& node(NodeKey key) const;
    [[nodiscard]] NodeBody body(NodeKey key) const;
    [[nodiscard]] std::vector<GroupRow> groups(NodeKey owner) const;
    [[nodiscard]] std::optional<GroupRow> group(NodeKey owner, PredicateRole role, std::int32_t group) const;
    [[nodiscard]] std::vector<EdgeRow> edges_of(NodeKey owner, PredicateRole role) const;
    [[nodiscard]] std::vector<EdgeRow> edges_to(NodeKey target, int after, int up_to) const;
    [[nodiscard]] std::vector<AssignmentRow> assignments_of(NodeKey stage) const;
    [[nodiscard]] std::vector<AssignmentRow> assignments_to(NodeKey check) const;
    [[nodiscard]] std::vector<GoalRow> goals(NodeKey check) const;
    [[nodiscard]] std::optional<AttemptRow> attempt(NodeKey stage, std::int32_t idx) const;
    [[nodiscard]] std::vector<AttemptRow> attempts(NodeKey stage) const;
    [[nodiscard]] std::vector<Progress> progress(NodeKey stage, std::int32_t idx) const;
    [[nodiscard]] std::vector<AttemptRow> ready(PlanKey plan, const Lookup::Ready& wanted) const;
    [[nodiscard]] std::vector<ClassRow> classes(PlanKey plan) const;
    [[nodiscard]] std::vector<Facts::HeldOfClass> held_by_class(PlanKey plan) const;
    [[nodiscard]] std::optional<Timestamp> next_ready(PlanKey plan, Timestamp after) const;
    [[nodiscard]] std::vector<AttemptRow> overdue(PlanKey plan, Timestamp now) const;
    [[nodiscard]] std::vector<AttemptRow> held(PlanKey plan) const;
    [[nodiscard]] std::vector<ResultRow> results(NodeKey check) const;
    [[nodiscard]] std::optional<ResultRow> find_result(const Lookup::ResultName& name) const;
    [[nodiscard]] std::vector<ResultRow> open_results(NodeKey stage, std::int32_t idx) const;
    [[nodiscard]] std::optional<OperationRow> find_operation(PlanKey plan, const std::string& op_id) const;
    [[nodiscard]] std::vector<OperationRow> operations(PlanKey plan) const;
    void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                  const std::function<bool(const LogEntry&)>& visit) const;

    // ---- writing: STORE if what must be unique is there, or what is to be changed is not
    PlanKey apply(const ChangeSet& changes);

private:
    struct Write {
        WriteRow row;
        std::vector<ChangeRow> changes;
    };
    using PartKey = std::tuple<NodeKey, PredicateRole, std::int32_t>;  ///< number of a group, or position
    using NumberKey = std::pair<NodeKey, std::int32_t>;
    using ResultKey = std::pair<NodeKey, std::int64_t>;
    using PartOfLog = std::tuple<NodeKey, std::int32_t, std::int64_t>;  ///< seq
    using TimeKey = std::tuple<PlanKey, Timestamp, NodeKey, std::int32_t>;

    [[nodiscard]] std::vector<AttemptRow> timed(const std::set<TimeKey>& index, PlanKey plan, Timestamp up_to,
                                                std::size_t limit) const;
    /// False: `visit` wants no more.
    bool read_change(const Write& write, std::size_t change,
                     const std::function<bool(const LogEntry&)>& visit) const;
    void delete_plan(PlanKey plan);
    void change_beats(const ChangeSet& changes);
    void change_log_parts(const ChangeSet& changes);
    [[nodiscard]] PlanKey insert_plan(const PlanRow& row);
    void update_plan(const PlanRow& row);
    void add_counts(PlanKey plan, const std::vector<StateCount>& differences);
    void insert_node(PlanKey plan, const NodeRow& row);
    void update_node(const NodeRow& row);
    void put_body(const BodyRow& row);
    void drop_predicate(const PredicateName& name);
    void insert_edge(const TypedEdge& edge);
    void insert_assignment(const AssignmentRow& row);
    void insert_attempt(PlanKey plan, const AttemptRow& row);
    void update_attempt(const AttemptRow& row);
    void add_to_indexes(const AttemptRow& row);
    void take_from_indexes(const AttemptRow& row);
    void insert_result(const ResultRow& row);
    void update_result(const ResultRow& row);
    void append_write(PlanKey plan, const WriteRow& row, const Rows<ChangeRow>& changes);
    void delete_node(NodeKey key);

    std::string identity_;
    std::int64_t next_plan_ = 1, next_node_ = 1;
    std::map<std::string, BeatRow, std::less<>> beats_;
    std::map<PartOfLog, LogPartRow> log_parts_;
    std::map<PlanKey, PlanRow> plans_;
    std::map<std::string, PlanKey, std::less<>> plan_ids_;
    std::map<std::tuple<PlanKey, NodeType, int, int>, std::int64_t> counts_;  ///< state, outcome or 0
    std::map<NodeKey, NodeRow> nodes_;
    std::map<std::tuple<PlanKey, NodeType, std::string>, NodeKey> names_;
    std::set<std::pair<PlanKey, NodeKey>> members_;
    std::map<NodeKey, NodeBody> bodies_;
    std::map<PartKey, GroupRow> groups_;
    std::map<PartKey, TypedEdge> edges_;
    /// Edges by their target and the number of the state that they wait for.
    std::set<std::tuple<NodeKey, int, NodeKey, PredicateRole, std::int32_t>> waiting_;
    std::map<NumberKey, AssignmentRow> assignments_;
    std::set<std::tuple<NodeKey, NodeKey, std::int32_t>> assigned_;  ///< check, stage, position
    std::map<std::pair<NodeKey, int>, GoalRow> goals_;               ///< by number of the state
    std::map<NumberKey, AttemptRow> attempts_;
    std::map<std::pair<PlanKey, std::int32_t>, std::set<TimeKey>> ready_;  ///< by class
    std::set<TimeKey> due_;
    std::map<std::pair<PlanKey, std::int32_t>, ClassRow> classes_;
    std::set<std::tuple<PlanKey, NodeKey, std::int32_t>> held_;
    std::map<NumberKey, std::vector<Progress>> progress_;
    std::map<ResultKey, ResultRow> results_;
    std::map<std::tuple<NodeKey, OwnerType, std::string>, std::int64_t> result_owners_;
    std::set<std::tuple<NodeKey, std::int32_t, NodeKey, std::int64_t>> open_results_;
    std::map<std::pair<PlanKey, std::int64_t>, Write> writes_;          ///< by version
    std::set<std::tuple<NodeKey, std::int64_t, std::size_t>> changes_;  ///< by node: version, place
    std::map<std::pair<PlanKey, std::string>, OperationRow> operations_;
};

}  // namespace turboci::memory
