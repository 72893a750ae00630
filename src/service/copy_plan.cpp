// SPDX-License-Identifier: Apache-2.0
#include "service/copy_plan.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "service/import_batch.hpp"
#include "turboci/error.hpp"

namespace turboci::service {

namespace {

// So many nodes are asked about at once.
constexpr std::size_t kCopiedAtOnce = 1'000;

/// Nodes have other keys in the other store: the same order, without gaps.
class PlanCopy {
public:
    PlanCopy(Snapshot& from, const PlanRow& plan, NodeKey first) : from_(from), plan_(plan) {
        NodeParts rows = kBareNodes;
        rows.stamps = true;  // or the rows are not whole
        from.scan(plan.key, {.parts = rows}, [&](std::span<NodeRecord> nodes) {
            for (NodeRecord& node : nodes) add(std::move(node.row), first);
            return true;
        });
        batch_.bodies.resize(keys_.size());
        for (std::size_t begin = 0; begin < keys_.size(); begin += kCopiedAtOnce)
            add_parts(begin, std::min(begin + kCopiedAtOnce, keys_.size()));
    }

    PlanKey put_into(Transaction& to) {
        PlanRow plan = plan_;
        plan.key = {};
        Lookup lookup;
        lookup.counts = lookup.classes = true;
        lookup.beats.assign(holders_.begin(), holders_.end());
        Facts facts = from_.load(plan_.key, lookup);
        batch_.counts = std::move(facts.counts);
        batch_.classes = std::move(facts.classes);
        ChangeSet changes = batch_.change_set();
        changes.plan_row = std::move(plan);
        changes.beats = std::move(facts.beats);
        return to.apply(changes);
    }

private:
    void rename(NodeKey& key) const {
        if (key == NodeKey::none) return;
        const auto found = new_keys_.find(key);
        if (found == new_keys_.end())
            throw Error(ErrorCode::store, "the store is damaged: a row names a node of another plan");
        key = found->second;
    }
    [[nodiscard]] std::size_t index_of(NodeKey key) const {
        return static_cast<std::size_t>(static_cast<std::int64_t>(key) -
                                        static_cast<std::int64_t>(batch_.nodes.front().key));
    }
    [[nodiscard]] NodeType type_of(NodeKey key) const { return batch_.nodes[index_of(key)].type; }

    void add(NodeRow&& row, NodeKey first) {
        const auto number = static_cast<std::int64_t>(batch_.nodes.size());
        keys_.push_back(row.key);
        row.key = NodeKey{static_cast<std::int64_t>(first) + number};
        new_keys_.emplace(keys_.back(), row.key);
        batch_.nodes.push_back(std::move(row));
    }
    void add_parts(std::size_t begin, std::size_t end) {
        Lookup lookup;
        for (std::size_t i = begin; i < end; ++i) {
            const NodeKey key = keys_[i];
            lookup.bodies.push_back(key);
            lookup.groups.push_back(key);
            lookup.edges.push_back({key, PredicateRole::dependencies});
            if (batch_.nodes[i].type == NodeType::check) {
                lookup.goals.push_back(key);
                lookup.results.push_back(key);
            } else {
                if (batch_.nodes[i].has_continuation)
                    lookup.edges.push_back({key, PredicateRole::continuation});
                lookup.assignments.push_back(key);
                lookup.all_attempts.push_back(key);
            }
        }
        add(from_.load(plan_.key, lookup));
    }

    void add(Facts facts) {
        for (BodyRow& row : facts.bodies) {
            rename(row.node);
            rename(row.body.created_by);
            batch_.bodies[index_of(row.node)] = std::move(row.body);
        }
        for (GroupRow& row : facts.groups) {
            rename(row.owner);
            batch_.groups.push_back(row);
        }
        for (EdgeRow& row : facts.edges) {
            rename(row.owner);
            rename(row.target);
            batch_.edges.push_back({row, type_of(row.target)});
        }
        for (AssignmentRow& row : facts.assignments) {
            rename(row.stage);
            rename(row.check);
            batch_.assignments.push_back(row);
        }
        for (GoalRow& row : facts.goals) {
            rename(row.check);
            batch_.goals.push_back(row);
        }
        for (AttemptRow& row : facts.attempts) {
            rename(row.stage);
            if (!row.holder.empty()) holders_.insert(row.holder);
            batch_.attempts.push_back(std::move(row));
        }
        for (ResultRow& row : facts.results) {
            rename(row.check);
            rename(row.stage);
            batch_.results.push_back(std::move(row));
        }
    }

    Snapshot& from_;
    const PlanRow& plan_;
    std::vector<NodeKey> keys_;
    std::unordered_map<NodeKey, NodeKey> new_keys_;
    ImportBatch batch_;
    std::set<std::string> holders_;
};

}  // namespace

PlanKey copy_plan(Snapshot& from, const PlanRow& plan, Transaction& to) {
    return PlanCopy(from, plan, to.next_node({})).put_into(to);
}

}  // namespace turboci::service
