// SPDX-License-Identifier: Apache-2.0
// Scans: a walk along the keys, some nodes with all that belongs to them in each trip.
#include <algorithm>
#include <utility>

#include "store/node_filter.hpp"
#include "store/postgresql/questions.hpp"
#include "store/postgresql/transaction.hpp"
#include "store/row_values.hpp"
#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

constexpr std::int64_t kFirstPage = 256, kMostNodes = 5000, kLeastNodes = 16;
constexpr std::size_t kBytesOfPage = 4 << 20;
// What is handed over at once.
constexpr std::size_t kNodesAtOnce = 256, kBytesAtOnce = 1 << 20;

const std::string kPageNodes =
    "SELECT " TURBOCI_NODE_COLUMNS " FROM s JOIN turboci.nodes ON node_key = s.key ORDER BY node_key";
const std::string kPageNames =
    "SELECT s.key, t.id FROM s JOIN turboci.nodes AS t ON t.node_key = s.key ORDER BY s.key";
const std::string kPageBodies =
    "SELECT s.key, " TURBOCI_BODY_COLUMNS " FROM s JOIN turboci.node_bodies AS b ON b.node_key = s.key";
const std::string kPageCreators =
    "SELECT s.key, t.id FROM s JOIN turboci.node_bodies AS b ON b.node_key = s.key"
    " JOIN turboci.nodes AS t ON t.node_key = b.created_by";
const std::string kPageGroups =
    "SELECT " TURBOCI_GROUP_COLUMNS
    " FROM s JOIN turboci.predicate_groups ON owner_key = s.key ORDER BY owner_key, role, group_no";
const std::string kPageEdges =
    "SELECT " TURBOCI_EDGE_COLUMNS
    " FROM s JOIN turboci.edges ON owner_key = s.key ORDER BY owner_key, role, position";
const std::string kPageEdgesAndTargets =
    "SELECT " TURBOCI_EDGE_COLUMNS
    ", t.type, t.id, t.state, t.outcome, t.skip_cause, t.history FROM s JOIN turboci.edges ON owner_key = "
    "s.key"
    " JOIN turboci.nodes AS t ON t.node_key = target_key ORDER BY owner_key, role, position";
const std::string kPageAssignments =
    "SELECT stage_key, position, check_key, goal, t.id FROM s JOIN turboci.assignments ON stage_key = s.key"
    " JOIN turboci.nodes AS t ON t.node_key = check_key ORDER BY stage_key, position";
const std::string kPageAttempts =
    "SELECT " TURBOCI_ATTEMPT_COLUMNS
    " FROM s JOIN turboci.attempts ON stage_key = s.key ORDER BY stage_key, idx";
const std::string kPageProgress =
    "SELECT stage_key, idx, message, timestamp, details FROM s JOIN turboci.progress ON stage_key = s.key"
    " ORDER BY stage_key, idx, seq";
const std::string kPageResults = "SELECT " TURBOCI_RESULT_COLUMNS
                                 " FROM s JOIN turboci.results ON check_key = s.key ORDER BY check_key, id";

/// The nodes of one page, by key.
class Page {
public:
    Page(const NodeParts& parts, Questions& questions) : parts_(parts), questions_(questions) {}

    void ask(const Keys& keys) {
        questions_.ask(keys, kPageNodes, [this](const Result& found) {
            found.each([&](const Row& row) { read_node(row, records.emplace_back().row); });
        });
        if (parts_.body) ask_bodies(keys);
        if (parts_.predicates) ask_predicates(keys);
        if (parts_.assignments)
            each(keys, kPageAssignments, [this](const Row& row, NodeRecord& record) {
                record.assignments.push_back(
                    {{row.node(0), row.small(1), row.node(2), decode_state(NodeType::check, row.integer(3))},
                     parts_.targets ? row.string(4) : std::string()});
            });
        if (parts_.attempts) ask_attempts(keys);
        if (parts_.results)
            each(keys, kPageResults, [this](const Row& row, NodeRecord& record) {
                ResultRow& result = record.results.emplace_back();
                read_result(row, result);
                bytes += result.result.data.text.size();
            });
    }

    std::vector<NodeRecord> records;
    std::size_t bytes = 0;  ///< about how much they hold

private:
    /// The first column names the node.
    template <class Read>
    void each(const Keys& keys, const std::string& rest, const Read& read) {
        questions_.ask(keys, rest, [this, read](const Result& found) {
            found.each([&](const Row& row) { read(row, record(row.node(0))); });
        });
    }
    NodeRecord& record(NodeKey key) {
        const auto it =
            std::ranges::lower_bound(records, key, {}, [](const NodeRecord& r) { return r.row.key; });
        if (it == records.end() || it->row.key != key) throw_damaged("a row belongs to no node");
        return *it;
    }
    void ask_bodies(const Keys& keys) {
        each(keys, kPageBodies, [this](const Row& row, NodeRecord& record) {
            read_body(row, 1, record.body);
            bytes += record.body.json.text.size();
        });
        if (parts_.targets)
            each(keys, kPageCreators, [](const Row& row, NodeRecord& record) {
                record.created_by = CreatedBy{row.string(1), record.body.created_by_attempt};
            });
    }
    void ask_predicates(const Keys& keys) {
        each(keys, kPageGroups,
             [](const Row& row, NodeRecord& record) { read_group(row, record.groups.emplace_back()); });
        each(keys, parts_.targets ? kPageEdgesAndTargets : kPageEdges,
             [this](const Row& row, NodeRecord& record) {
                 constexpr int kTarget = 8;
                 EdgeRecord& edge = record.edges.emplace_back();
                 read_edge(row, edge.edge);
                 if (!parts_.targets) return;
                 edge.target = {row.enumeration(kTarget, NodeType::check, NodeType::stage),
                                row.string(kTarget + 1)};
                 edge.target_state = decode_state(edge.target.type, row.integer(kTarget + 2));
                 if (!row.is_null(kTarget + 3))
                     edge.target_outcome = decode_outcome(row.integer(kTarget + 3));
                 if (!row.is_null(kTarget + 4))
                     edge.target_skip_cause =
                         row.enumeration(kTarget + 4, SkipCause::upstream, SkipCause::not_needed);
                 read_reached(edge.target.type, edge.target_state, row.blob(kTarget + 5), edge);
             });
    }
    void ask_attempts(const Keys& keys) {
        each(keys, kPageAttempts, [this](const Row& row, NodeRecord& record) {
            AttemptRow& attempt = record.attempts.emplace_back();
            read_attempt(row, attempt);
            bytes += attempt.attempt.details.text.size();
        });
        if (!parts_.progress) return;
        each(keys, kPageProgress, [](const Row& row, NodeRecord& record) {
            const std::int32_t idx = row.small(1);
            const auto it =
                std::ranges::find(record.attempts, idx, [](const AttemptRow& a) { return a.attempt.idx; });
            if (it == record.attempts.end()) throw_damaged("progress belongs to no attempt");
            it->attempt.progress.push_back({row.string(2), row.time(3), {std::string(row.object(4))}});
        });
    }

    NodeParts parts_;
    Questions& questions_;
};

/// The keys of nodes that fulfil the conditions that the server looks at: those of `ids` as far as they are
/// no patterns.
class Conditions {
public:
    Conditions(PlanKey plan, const NodeScan& what) : plan_(plan), what_(what) {
        has_pattern_ = std::ranges::any_of(
            what.ids, [](const std::string& id) { return id.find_first_of("*?[\\") != std::string::npos; });
    }
    [[nodiscard]] bool has_pattern() const { return has_pattern_; }

    /// At most `limit` of them, after a key.
    [[nodiscard]] Keys keys(std::int64_t after, std::int64_t limit) const {
        Keys keys{
            "SELECT node_key AS key, node_key AS n FROM turboci.nodes WHERE node_key > $1 AND node_key < $2",
            Parameters(after, end_key(plan_))};
        if (what_.type) add(keys, " AND type = ", Parameters(*what_.type));
        if (!what_.states.empty()) add_states(keys);
        if (!what_.outcomes.empty()) add(keys, " AND outcome = ANY", list(what_.outcomes));
        if (!what_.kinds.empty()) add(keys, " AND kind = ANY", list(what_.kinds));
        if (!what_.ids.empty() && !has_pattern_) add(keys, " AND id = ANY", list(what_.ids));
        add(keys, " ORDER BY node_key LIMIT ", Parameters(limit));
        return keys;
    }

private:
    template <class T>
    static Parameters list(const std::vector<T>& values) {
        Array array;
        for (const T& value : values) array.add(value);
        Parameters parameters;
        parameters.add_array(std::move(array));
        return parameters;
    }
    static void add(Keys& keys, const std::string& text, Parameters&& value) {
        keys.parameters.append(std::move(value));
        keys.sql += text + "($" + std::to_string(keys.parameters.count()) + ")";
    }
    /// A state has another number in each type.
    void add_states(Keys& keys) const {
        for (const NodeType type : {NodeType::check, NodeType::stage}) {
            std::vector<int> numbers;
            for (const State state : what_.states)
                for (int number = 10; number <= 40; number += 10)
                    if (state_from_number(type, number) == state) numbers.push_back(number);
            add(keys,
                type == NodeType::check ? " AND ((type = 1 AND state = ANY"
                                        : ") OR (type = 2 AND state = ANY",
                list(numbers));
        }
        keys.sql += "))";
    }

    PlanKey plan_;
    const NodeScan& what_;
    bool has_pattern_ = false;
};

std::size_t size_of(const NodeRecord& record) {
    std::size_t size = record.body.json.text.size();
    for (const ResultRow& r : record.results) size += r.result.data.text.size();
    for (const AttemptRow& a : record.attempts) size += a.attempt.details.text.size();
    return size;
}

/// Hands over what is wanted of a page, not too much at once.
class HandOver {
public:
    HandOver(std::size_t limit, const TakeNodes& take) : left_(limit), take_(take) {}
    [[nodiscard]] bool wants_more() const { return left_ > 0; }
    [[nodiscard]] std::size_t left() const { return left_; }

    void give(std::span<NodeRecord> records) {
        records = records.first(std::min(records.size(), left_));
        while (!records.empty() && left_ > 0) {
            std::size_t count = 0, bytes = 0;
            while (count < records.size() && count < kNodesAtOnce && (count == 0 || bytes < kBytesAtOnce))
                bytes += size_of(records[count++]);
            left_ = take_(records.first(count)) ? left_ - count : 0;
            records = records.subspan(count);
        }
    }

private:
    std::size_t left_;
    const TakeNodes& take_;
};

/// How many nodes the next page should have, by what the last one held.
std::int64_t next_page_size(const Page& page) {
    const std::size_t average = page.records.empty() ? 0 : page.bytes / page.records.size() + 1;
    if (average == 0) return kMostNodes;
    return std::clamp(static_cast<std::int64_t>(kBytesOfPage / average), kLeastNodes, kMostNodes);
}

}  // namespace

void PostgresqlTransaction::scan_keys(PlanKey plan, std::span<const NodeKey> keys, const NodeScan& what,
                                      const TakeNodes& take) {
    const NodeFilter filter(what);
    HandOver hand_over(what.limit, take);
    std::int64_t size = kFirstPage;
    while (!keys.empty() && hand_over.wants_more()) {
        const auto some = keys.first(std::min(keys.size(), static_cast<std::size_t>(size)));
        keys = keys.subspan(some.size());
        Questions questions(connection_);
        Page page(what.parts, questions);
        page.ask(keys_of(some));
        questions.take(trip());
        if (page.records.size() != some.size())
            throw Error(ErrorCode::internal, "there is no node of that key");
        std::erase_if(page.records,
                      [&](const NodeRecord& r) { return r.row.plan != plan || !filter.matches(r.row); });
        hand_over.give(page.records);
        size = next_page_size(page);
    }
}

void PostgresqlTransaction::scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) {
    if (!queued_) begin(wait_.at_most);
    if (what.keys != nullptr) return scan_keys(plan, *what.keys, what, take);
    const Conditions conditions(plan, what);
    if (conditions.has_pattern()) return scan_patterns(plan, what, take);
    HandOver hand_over(what.limit, take);
    std::int64_t after = first_key(plan), size = kFirstPage;
    while (hand_over.wants_more()) {
        const auto limit =
            static_cast<std::int64_t>(std::min(hand_over.left(), static_cast<std::size_t>(size)));
        Questions questions(connection_);
        Page page(what.parts, questions);
        page.ask(conditions.keys(after, limit));
        questions.take(trip());
        if (page.records.empty()) return;
        const bool is_last = static_cast<std::int64_t>(page.records.size()) < limit;
        after = static_cast<std::int64_t>(page.records.back().row.key);
        size = next_page_size(page);
        hand_over.give(page.records);
        if (is_last) return;
    }
}

/// Patterns are matched here, so the names come first, and then what belongs to those that match.
void PostgresqlTransaction::scan_patterns(PlanKey plan, const NodeScan& what, const TakeNodes& take) {
    const Conditions conditions(plan, what);
    NodeScan names;
    names.ids = what.ids;
    const NodeFilter filter(names);
    NodeScan matching = what;
    bool wants_more = true;
    const TakeNodes counting = [&](std::span<NodeRecord> records) {
        matching.limit -= std::min(matching.limit, records.size());
        wants_more = take(records) && matching.limit > 0;
        return wants_more;
    };
    for (std::int64_t after = first_key(plan); wants_more && what.limit > 0;) {
        Questions questions(connection_);
        std::vector<NodeKey> keys;
        int rows = 0;
        questions.ask(conditions.keys(after, kMostNodes), kPageNames, [&](const Result& found) {
            rows = found.rows();
            NodeRow name;
            found.each([&](const Row& row) {
                after = row.integer(0);
                name.id = row.text(1);
                if (filter.matches(name)) keys.push_back(row.node(0));
            });
        });
        questions.take(trip());
        NodeScan page = matching;
        page.ids.clear();
        scan_keys(plan, keys, page, counting);
        if (rows < kMostNodes) return;
    }
}

}  // namespace turboci::postgresql
