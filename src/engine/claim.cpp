// SPDX-License-Identifier: Apache-2.0
#include "engine/claim.hpp"

#include <fmt/core.h>

#include <algorithm>

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

/// A stage that somebody named: taken, held already by the same process, or a problem that says why not.
Node* take_named(Session& session, const std::string& id, const Claim& claim) {
    const auto refuse = [&](ErrorCode code, std::string message) {
        session.problems.add(code, {}, std::move(message));
        return nullptr;
    };
    Node* stage = session.nodes.find(NodeType::stage, id);
    if (stage == nullptr) return refuse(ErrorCode::not_found, fmt::format("there is no stage:{}", id));
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
    if (!attempt.process_uid.empty() && attempt.process_uid != claim.process_uid)
        return refuse(ErrorCode::conflict, fmt::format("attempt {} of {} is held by {}", attempt.idx,
                                                       name_of(*stage), attempt.process_uid));
    if (attempt.state != AttemptState::pending && attempt.state != AttemptState::scheduled) return nullptr;
    if (row->ready_at > session.nodes.now())
        return refuse(ErrorCode::pending,
                      fmt::format("attempt {} of {} is not to start before {}", attempt.idx, name_of(*stage),
                                  format_timestamp(row->ready_at)));
    take_attempt(session, *stage, *row, claim, AttemptState::running);
    return stage;
}

/// Takes ready attempts in their order until it has enough.
class Taker {
public:
    Taker(Session& session, const Claim& claim)
        : session_(session),
          claim_(claim),
          filter_(claim.filter),
          running_(static_cast<std::size_t>(std::max(claim.at_most, 0))),
          limit_(running_ + static_cast<std::size_t>(std::max(claim.ahead, 0))) {}

    std::vector<Node*> take() {
        // Refused attempts stay PENDING and are found again: each look is twice as long as the one before.
        constexpr std::size_t kFirstLook = 64;
        std::size_t refused = 0;
        for (std::size_t asked = filter_.takes_all() ? limit_ : std::max(limit_, kFirstLook);
             taken_.size() < limit_; asked *= 2) {
            auto rows = session_.nodes.ready_attempts(asked);
            for (std::size_t i = refused; i < rows.size() && taken_.size() < limit_; ++i)
                if (!consider(rows[i])) ++refused;
            if (rows.size() < asked) break;
        }
        return std::move(taken_);
    }

private:
    /// False if it is not for this claim.
    bool consider(AttemptRow& row) {
        Node& stage = session_.nodes.get(row.stage);
        if (!filter_.takes(stage.row.id, [&] { return session_.nodes.body(stage).json; })) return false;
        const bool runs = taken_.size() < running_;
        take_attempt(session_, stage, row, claim_, runs ? AttemptState::running : AttemptState::scheduled);
        taken_.push_back(&stage);
        return true;
    }

    Session& session_;
    const Claim& claim_;
    PreparedFilter filter_;
    std::size_t running_, limit_;
    std::vector<Node*> taken_;
};

}  // namespace

std::vector<Node*> take_claim(Session& session, const Claim& claim) {
    if (claim.stages.empty()) return Taker(session, claim).take();
    std::vector<Node*> taken;
    const auto limit = static_cast<std::size_t>(std::max(claim.at_most, 0));
    for (const std::string& id : claim.stages) {
        if (taken.size() == limit) break;
        if (Node* stage = take_named(session, id, claim)) taken.push_back(stage);
    }
    return taken;
}

}  // namespace turboci::engine
