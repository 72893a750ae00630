// SPDX-License-Identifier: Apache-2.0
// Why a node is where it is: from the node along what holds it or decided it, down to the root causes.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "service/local_service.hpp"
#include "service/plan_choice.hpp"
#include "service/view.hpp"

namespace turboci {

namespace {

using namespace service;

/// The walk goes on to root causes beyond what is shown, but not through a whole plan of a million.
constexpr std::size_t kMaxVisited = 200'000;
// So many are read at once.
constexpr std::size_t kNodesOfLevel = 256;

/// Does an edge with that resolution matter for a predicate with this one?
bool matters(Resolution predicate, Resolution edge) { return predicate == edge; }

void collect(const Predicate& predicate, std::vector<NodeRef>& out) {
    for (const Edge& e : predicate.edges)
        if (matters(predicate.resolution, e.resolution)) out.push_back(e.target);
    for (const Predicate& g : predicate.groups)
        if (matters(predicate.resolution, g.resolution)) collect(g, out);
}

class Explainer {
public:
    Explainer(Snapshot& snapshot, const PlanRow& plan) : snapshot_(snapshot), plan_(plan) {}

    Explanation explain(const NodeRow& start) {
        Explanation result;
        result.plan = view_plan(snapshot_, plan_);
        std::vector<NodeRef> level{{start.type, start.id}};
        std::set<NodeRef> seen{level.front()};
        std::size_t visited = 0;
        while (!level.empty() && !result.truncated) {
            std::vector<NodeRef> deeper;
            for (std::size_t begin = 0; begin < level.size() && !result.truncated; begin += kNodesOfLevel) {
                const auto batch =
                    std::span(level).subspan(begin, std::min(kNodesOfLevel, level.size() - begin));
                read(batch);
                for (const NodeRef& ref : batch) {
                    if (++visited > kMaxVisited) {
                        result.truncated = true;
                        break;
                    }
                    std::vector<NodeRef> next;
                    ExplainedNode node = look_at(ref, next);
                    add(result, std::move(node), next.empty());
                    for (NodeRef& n : next)
                        if (seen.insert(n).second) deeper.push_back(std::move(n));
                }
            }
            level = std::move(deeper);
        }
        result.truncated = result.truncated || left_out_;
        return result;
    }

private:
    void add(Explanation& result, ExplainedNode node, bool is_root_cause) {
        if (is_root_cause && result.root_causes.size() < kMaxExplained)
            result.root_causes.push_back(node.ref);
        if (++added_ == 1)
            result.node = std::move(node);
        else if (result.because.size() < kMaxExplained)
            result.because.push_back(std::move(node));
        else
            left_out_ = true;
    }

    /// All that will be looked at of these nodes.
    void read(std::span<const NodeRef> refs) {
        Lookup names;
        names.names.assign(refs.begin(), refs.end());
        std::vector<NodeKey> keys;
        Lookup assigned;
        assigned.stages = true;
        for (const NodeRow& row : snapshot_.load(plan_.key, names).nodes) {
            keys.push_back(row.key);
            if (row.type == NodeType::check) assigned.assigned.push_back(row.key);
        }
        if (keys.size() != refs.size())
            throw Error(ErrorCode::store, "the store is damaged: an edge names a node that is not there");
        std::ranges::sort(keys);
        assigned_ = snapshot_.load(plan_.key, assigned);
        std::ranges::stable_sort(assigned_.assigned, {}, &AssignmentRow::check);
        stages_.clear();
        for (const NodeRow& row : assigned_.nodes) stages_.try_emplace(row.key, &row);
        records_.clear();
        snapshot_.scan(plan_.key, {.keys = &keys}, [&](std::span<NodeRecord> records) {
            for (NodeRecord& record : records) {
                NodeRef ref{record.row.type, record.row.id};
                records_.emplace(std::move(ref), std::exchange(record, {}));
            }
            return true;
        });
    }

    ExplainedNode look_at(const NodeRef& ref, std::vector<NodeRef>& next) {
        const NodeRecord& record = records_.at(ref);
        const NodeRow* row = &record.row;
        ExplainedNode node{.ref = ref,
                           .state = row->state,
                           .outcome = row->outcome,
                           .concluded_reason = row->concluded_reason,
                           .dependencies = {},
                           .continuation_group = {},
                           .notes = {}};
        if (const auto& from = record.body.carried_from)
            node.notes.push_back(fmt::format("was carried over from plan {}", from->plan));
        if (ref.type == NodeType::check)
            look_at_check(record, node, next);
        else
            look_at_stage(record, node, next);
        return node;
    }

    void look_at_check(const NodeRecord& record, ExplainedNode& node, std::vector<NodeRef>& next) {
        Check check = view_check(record);
        node.dependencies = std::move(check.dependencies);
        for (const Result& r : check.results)
            if (r.failure) node.notes.push_back(fmt::format("{} reported: {}", r.owner_id, *r.failure));
        if (check.state == State::planning || check.state == State::planned ||
            check.outcome == Outcome::skipped) {
            if (node.dependencies.resolution != Resolution::satisfied) collect(node.dependencies, next);
        }
        if (check.state == State::planning)
            node.notes.emplace_back("is PLANNING: nobody has asked for it to be PLANNED");
        look_at_assigned(record, check, node, next);
    }

    void look_at_assigned(const NodeRecord& record, const Check& check, ExplainedNode& node,
                          std::vector<NodeRef>& next) {
        constexpr std::size_t kMaxNoted = 10;
        std::size_t assigned = 0, open = 0;
        auto it = std::ranges::lower_bound(assigned_.assigned, record.row.key, {}, &AssignmentRow::check);
        for (; it != assigned_.assigned.end() && it->check == record.row.key; ++it) {
            if (it->goal != State::final) continue;
            ++assigned;
            const NodeRow& stage = *stages_.at(it->stage);
            const bool holds = check.state != State::final && stage.state != State::final;
            const bool decided = check.state == State::final && check.outcome != Outcome::passed &&
                                 stage.outcome != Outcome::passed;
            if (!holds && !decided) continue;
            if (holds && ++open <= kMaxNoted)
                node.notes.push_back(
                    fmt::format("stage:{} is assigned to it and is {}", stage.id, to_string(stage.state)));
            next.push_back({NodeType::stage, stage.id});
        }
        if (open > kMaxNoted)
            node.notes.push_back(fmt::format("and {} more assigned stages", open - kMaxNoted));
        if (check.state == State::waiting && assigned == 0)
            node.notes.emplace_back("is WAITING for a result: no stage is assigned to it");
    }

    void look_at_stage(const NodeRecord& record, ExplainedNode& node, std::vector<NodeRef>& next) {
        Stage stage = view_stage(record);
        node.dependencies = std::move(stage.dependencies);
        node.continuation_group = std::move(stage.continuation_group);
        if (stage.state == State::planned || stage.outcome == Outcome::skipped) {
            if (node.dependencies.resolution != Resolution::satisfied) collect(node.dependencies, next);
            note_choice(stage, node);
            return;
        }
        if (stage.state == State::awaiting_group ||
            stage.concluded_reason == ConcludedReason::group_unsatisfied)
            collect(node.continuation_group, next);
        if (stage.attempts.empty()) return;
        const Attempt& last = stage.attempts.back();
        std::string note = fmt::format("attempt {} is {}", last.idx, to_string(last.state));
        if (!last.process_uid.empty() && !is_ended(last.state))
            note += fmt::format(", held by {}", last.process_uid);
        if (last.state == AttemptState::pending && last.not_before)
            note += fmt::format(", not to start before {}", format_timestamp(*last.not_before));
        else if (last.state == AttemptState::pending)
            note += stage.runner.empty() ? ", ready to be claimed"
                                         : fmt::format(", ready for a runner of kind '{}'", stage.runner);
        if (last.failure) note += fmt::format(": {}", *last.failure);
        node.notes.push_back(std::move(note));
        if (last.state == AttemptState::pending) note_limits(stage, node);
    }

    /// A skip that somebody chose, or a condition, and not something that broke.
    static void note_choice(const Stage& stage, ExplainedNode& node) {
        const std::string why = stage.concluded_message.value_or("");
        if (stage.concluded_reason == ConcludedReason::condition_false)
            node.notes.push_back("its condition does not hold: " + why);
        if (stage.concluded_reason == ConcludedReason::skipped)
            node.notes.push_back(why.empty() ? "somebody skipped it" : "somebody skipped it: " + why);
    }

    /// Which limits have no room for the stage, and who holds them.
    void note_limits(const Stage& stage, ExplainedNode& node) {
        if (stage.uses.empty()) return;
        if (!held_) {
            Lookup lookup;
            lookup.held = true;
            held_ = snapshot_.load(plan_.key, lookup);
        }
        for (const Use& use : stage.uses) {
            std::int64_t left = 0;
            for (const Limit& limit : plan_.limits)
                if (limit.name == use.limit) left = limit.count;
            std::string holders;
            for (const AttemptRow& row : held_->held) {
                const auto of_it = [&](const auto& item) { return item.node == row.stage; };
                const auto body = std::ranges::find_if(held_->bodies, of_it);
                if (body == held_->bodies.end()) continue;
                const auto holds = std::ranges::find(body->body.uses, use.limit, &Use::limit);
                if (holds == body->body.uses.end()) continue;
                left -= holds->count;
                const auto name = std::ranges::find(held_->nodes, row.stage, &NodeRow::key);
                holders += fmt::format("{}stage:{} ({})", holders.empty() ? "" : ", ", name->id,
                                       row.attempt.process_uid);
            }
            if (left < use.count)
                node.notes.push_back(fmt::format("waits for the limit {}: held by {}", use.limit,
                                                 holders.empty() ? "nobody" : holders));
        }
    }

    Snapshot& snapshot_;
    const PlanRow& plan_;
    std::size_t added_ = 0;
    bool left_out_ = false;  ///< more than can be told
    std::map<NodeRef, NodeRecord> records_;
    Facts assigned_;
    std::optional<Facts> held_;  ///< once it was asked for
    std::unordered_map<NodeKey, const NodeRow*> stages_;
};

}  // namespace

Explanation LocalService::explain(const std::string& plan_id, const RefText& ref) {
    const auto snapshot = store_.read(options_.wait);
    const PlanRow plan = require_plan(*snapshot, plan_id, options_.exact_ids);
    return Explainer(*snapshot, plan).explain(require_node(*snapshot, plan, ref));
}

}  // namespace turboci
