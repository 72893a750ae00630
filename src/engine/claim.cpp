// SPDX-License-Identifier: Apache-2.0
#include "engine/claim.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "engine/claim_filter.hpp"
#include "engine/holder.hpp"
#include "engine/resolve.hpp"

namespace turboci::engine {

namespace {

/// An attempt becomes its taker's: RUNNING from now on, or SCHEDULED.
void take_attempt(Session& session, Node& stage, AttemptRow& row, const Claim& claim, AttemptState state) {
    row.attempt.state = state;
    row.attempt.process_uid = claim.process_uid;
    row.runner = claim.runner;
    row.holder = claim.holder.empty() ? new_identity() : claim.holder;
    if (state == AttemptState::running) begin_running(session.nodes, row);
    keep_live_attempt(session.nodes, stage, row);
    session.nodes.record_attempt(
        stage, Mover::writer,
        fmt::format("{{\"idx\":{},\"state\":\"{}\",\"process_uid\":{}}}", row.attempt.idx, to_string(state),
                    json_string(claim.process_uid)));
}

/// What is left of the plan's limits.
class Room {
public:
    explicit Room(Session& session) {
        for (const Limit& limit : session.limits) left_[limit.name] = limit.count;
        if (left_.empty()) return;
        for (const auto& [number, attempts] : session.nodes.held_by_class())
            take(session.nodes.class_row(number).uses, attempts);
    }
    [[nodiscard]] bool fits(const std::vector<Use>& uses) const {
        return std::ranges::all_of(uses, [&](const Use& use) {
            const auto left = left_.find(use.limit);
            return left != left_.end() && left->second >= use.count;
        });
    }
    void take(const std::vector<Use>& uses, std::int64_t attempts = 1) {
        for (const Use& use : uses) left_[use.limit] -= use.count * attempts;
    }
    /// The first limit of which too little is left.
    [[nodiscard]] std::string missing(const std::vector<Use>& uses) const {
        for (const Use& use : uses)
            if (!fits({use})) return use.limit;
        return {};
    }

private:
    std::map<std::string, std::int64_t, std::less<>> left_;
};

/// A stage that somebody named: taken, held already by the same process, or a problem that says why not.
Node* take_named(Session& session, const std::string& id, const Claim& claim, Room& room) {
    const auto refuse = [&](ErrorCode code, std::string message) {
        session.problems.add(code, {}, std::move(message));
        return nullptr;
    };
    Node* stage = session.nodes.find(NodeType::stage, id);
    if (stage == nullptr) {
        session.problems.add(ErrorCode::not_found, {}, fmt::format("there is no stage:{}", id), {},
                             {{"node", "stage:" + id}});
        return nullptr;
    }
    if (stage->row.state == State::planned)
        return refuse(ErrorCode::pending,
                      fmt::format("{} is PLANNED: its dependencies are unresolved", name_of(*stage)));
    if (stage->row.state != State::attempting)
        return refuse(ErrorCode::invalid_state,
                      fmt::format("{} is {}", name_of(*stage), to_string(stage->row.state)));
    auto row = session.nodes.current_attempt(*stage);
    if (!row) return nullptr;
    const Attempt& attempt = row->attempt;
    if (attempt.state == AttemptState::running && attempt.process_uid == claim.process_uid) return stage;
    if (!attempt.process_uid.empty() && attempt.process_uid != claim.process_uid) {
        session.problems.add(
            ErrorCode::conflict, {},
            fmt::format("attempt {} of {} is held by {}", attempt.idx, name_of(*stage), attempt.process_uid),
            "CLAIMED", {{"held_by", attempt.process_uid}, {"node", name_of(*stage)}});
        return nullptr;
    }
    if (attempt.state != AttemptState::pending && attempt.state != AttemptState::scheduled) return nullptr;
    if (row->ready_at > session.nodes.now())
        return refuse(ErrorCode::pending,
                      fmt::format("attempt {} of {} is not to start before {}", attempt.idx, name_of(*stage),
                                  format_timestamp(row->ready_at)));
    const std::vector<Use>& uses = session.nodes.class_row(row->class_number).uses;
    if (attempt.state == AttemptState::pending) {
        if (!room.fits(uses))
            return refuse(ErrorCode::pending,
                          fmt::format("{} waits for the limit '{}'", name_of(*stage), room.missing(uses)));
        room.take(uses);
    }
    take_attempt(session, *stage, *row, claim, AttemptState::running);
    return stage;
}

/// Takes ready attempts in their order until it has enough.
class Taker {
public:
    Taker(Session& session, const Claim& claim, Room& room)
        : session_(session),
          room_(room),
          claim_(claim),
          filter_(claim.filter),
          running_(static_cast<std::size_t>(std::max(claim.at_most, 0))),
          limit_(running_ + static_cast<std::size_t>(std::max(claim.ahead, 0))) {}

    std::vector<Node*> take() {
        // Refused attempts stay PENDING and are found again: each look is twice as long as the one before.
        constexpr std::size_t kFirstLook = 64;
        for (std::size_t asked = filter_.takes_all() ? limit_ : std::max(limit_, kFirstLook);; asked *= 2) {
            auto rows = session_.nodes.ready_attempts(asked);
            if (look_through(rows, asked)) return std::move(taken_);
        }
    }

private:
    using Age = std::pair<Timestamp, NodeKey>;
    static Age age_of(const AttemptRow& row) { return {row.ready_at, row.stage}; }

    /// Takes what it can of the oldest `asked` rows of each class. False: more have to be looked at.
    bool look_through(std::vector<AttemptRow>& rows, std::size_t asked) {
        for (AttemptRow& row : rows) {
            if (taken_.size() == limit_) return true;
            // What is younger must wait for older ones of another class that have not been looked at.
            if (const auto end = end_of_known(rows, asked); end && age_of(row) > *end) return false;
            if (!refused_.contains(row.stage) && fits(row) && !consider(row)) refused_.insert(row.stage);
        }
        return taken_.size() == limit_ || !end_of_known(rows, asked);
    }

    /// Up to which age all are known that may fit; nullopt: all are. There are few classes.
    [[nodiscard]] std::optional<Age> end_of_known(const std::vector<AttemptRow>& rows, std::size_t asked) {
        if (counted_for_ != asked) {
            last_of_class_.clear();
            std::map<std::int32_t, std::size_t> count;
            for (const AttemptRow& row : rows)
                if (++count[row.class_number] == asked) last_of_class_[row.class_number] = age_of(row);
            counted_for_ = asked;
        }
        std::optional<Age> end;
        for (const auto& [number, age] : last_of_class_)
            if (class_fits(number) && (!end || age < *end)) end = age;
        return end;
    }

    [[nodiscard]] bool class_fits(std::int32_t number) {
        const auto [at, is_new] = takes_class_.try_emplace(number, false);
        const ClassRow& row = session_.nodes.class_row(number);
        if (is_new) at->second = filter_.takes_runner(row.runner);
        return at->second && room_.fits(row.uses);
    }
    [[nodiscard]] bool fits(const AttemptRow& row) { return class_fits(row.class_number); }

    /// False if it is not for this claim.
    bool consider(AttemptRow& row) {
        Node& stage = session_.nodes.get(row.stage);
        if (!filter_.takes(stage.row.id, [&] { return session_.nodes.body(stage).json; })) return false;
        const bool runs = taken_.size() < running_;
        if (!runs && !may_wait(stage)) return false;
        take_attempt(session_, stage, row, claim_, runs ? AttemptState::running : AttemptState::scheduled);
        room_.take(session_.nodes.class_row(row.class_number).uses);
        taken_.push_back(&stage);
        return true;
    }
    /// May it be held before there is room to run it? Not what others wait for, or what an interruption
    /// fails.
    [[nodiscard]] bool may_wait(const Node& stage) {
        const NodeBody body = session_.nodes.body(stage);
        return body.uses.empty() && body.retry.on_interrupt == OnInterrupt::again;
    }

    Session& session_;
    Room& room_;
    const Claim& claim_;
    PreparedFilter filter_;
    std::unordered_set<NodeKey> refused_;
    std::map<std::int32_t, bool> takes_class_;
    std::map<std::int32_t, Age> last_of_class_;  ///< of classes of which there may be more
    std::size_t counted_for_ = 0;
    std::size_t running_, limit_;
    std::vector<Node*> taken_;
};

}  // namespace

std::vector<Node*> take_claim(Session& session, const Claim& claim) {
    Room room(session);
    if (claim.stages.empty()) return Taker(session, claim, room).take();
    std::vector<Node*> taken;
    const auto limit = static_cast<std::size_t>(std::max(claim.at_most, 0));
    for (const std::string& id : claim.stages) {
        if (taken.size() == limit) break;
        if (Node* stage = take_named(session, id, claim, room)) taken.push_back(stage);
    }
    return taken;
}

}  // namespace turboci::engine
