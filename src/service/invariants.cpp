// SPDX-License-Identifier: Apache-2.0
#include "service/invariants.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <span>

#include "service/local_service.hpp"

#include "service/view.hpp"

namespace turboci::service {

namespace {

class Inspection {
public:
    Inspection(const NodeRecord& record, const PlanRow& plan) : record_(record), plan_(plan) {}

    std::vector<std::string> run() {
        history();
        const bool final = row().state == State::final;
        expect(final || !record_.body.carried_from, "it was carried over and is not FINAL");
        expect(final == row().outcome.has_value(), "an outcome goes with FINAL and only with it");
        if (row().type == NodeType::check)
            check();
        else
            stage();
        return std::move(broken_);
    }

private:
    const NodeRow& row() const { return record_.row; }
    void expect(bool holds, std::string_view rule) {
        if (!holds) broken_.emplace_back(rule);
    }

    void history() {
        const StateHistory& h = row().history;
        if (h.empty()) return expect(false, "it has no state history");
        expect(h.back().state == row().state, "its state is not the last of its history");
        for (std::size_t i = 0; i < h.size(); ++i) {
            expect(state_number(row().type, h[i].state) != 0, "its history has a state of the other type");
            expect(h[i].at <= row().updated_at, "its history has a time later than its last change");
            expect(h[i].version <= row().version, "its history has a version later than its own");
            if (i == 0) continue;
            expect(state_number(row().type, h[i - 1].state) < state_number(row().type, h[i].state) &&
                       h[i - 1].version <= h[i].version && h[i - 1].at <= h[i].at,
                   "its history goes backwards");
        }
        expect(row().updated_at <= plan_.clock.time, "its last change is later than the plan's");
        expect(row().version >= 1 && row().version <= plan_.version, "its version is not one of the plan's");
    }

    void check() {
        const Resolution deps = row().dependencies.resolution;
        const bool skipped = row().outcome == Outcome::skipped;
        expect(row().outcome != Outcome::cancelled, "checks are not cancelled");
        expect(skipped == row().skip_cause.has_value(), "a cause goes with skipped and only with it");
        if (row().state == State::planned)
            expect(deps == Resolution::unresolved, "it is PLANNED though its dependencies are resolved");
        if (row().state == State::waiting || (row().state == State::final && !skipped))
            expect(deps == Resolution::satisfied,
                   "it went past PLANNED though its dependencies are not satisfied");
        if (row().state == State::final) answers();
        if (row().state == State::planning || row().state == State::planned)
            expect(std::ranges::all_of(record_.results, [&](const ResultRow& r) { return came_along(r); }),
                   "it has results before WAITING");
        expect(record_.attempts.empty() && record_.assignments.empty(),
               "a check has attempts or assignments");
    }

    /// What a stage had reported that was carried over into a plan that was made from another.
    bool came_along(const ResultRow& r) const {
        return plan_.from && r.stage != NodeKey::none && r.result.finalized_at;
    }

    /// Do its results say what its outcome says?
    void answers() {
        std::map<std::string_view, std::int64_t> highest;  // PLAN:STAGE → attempt
        const auto split = [](const Result& r) {
            const std::size_t colon = std::min(r.owner_id.rfind(':'), r.owner_id.size());
            std::int64_t idx = 0;
            std::from_chars(r.owner_id.data() + std::min(colon + 1, r.owner_id.size()),
                            r.owner_id.data() + r.owner_id.size(), idx);
            return std::pair(std::string_view(r.owner_id).substr(0, colon), idx);
        };
        for (const auto& [check, r, of_stage, of_attempt] : record_.results) {
            expect(r.finalized_at.has_value(), "it is FINAL with an open result");
            if (r.owner_type != OwnerType::stage_attempt) continue;
            const auto [stage, idx] = split(r);
            auto& most = highest[stage];
            most = std::max(most, idx);
        }
        bool failed = false, excused = false;
        for (const auto& [check, r, of_stage, of_attempt] : record_.results) {
            if (!r.failure) continue;
            if (r.owner_type == OwnerType::stage_attempt && highest[split(r).first] != split(r).second)
                continue;
            if (r.owner_type == OwnerType::orchestrator)
                excused = true;
            else
                failed = true;
        }
        if (row().outcome == Outcome::skipped)
            expect(excused && !failed, "it was skipped, and its results do not say why, or say otherwise");
        else
            expect((row().outcome == Outcome::failed) == (failed || excused),
                   "its outcome is not that of its results");
    }

    void attempts() {
        const auto& all = record_.attempts;
        // Of a stage that was carried over only some came along.
        const bool whole = !record_.body.carried_from;
        const std::int32_t last = all.empty() ? 0 : all.back().attempt.idx;
        expect(row().attempt == last, "its current attempt is not its last");
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Attempt& attempt = all[i].attempt;
            expect(!whole || attempt.idx == static_cast<std::int32_t>(i) + 1,
                   "its attempts are not numbered from 1");
            if (i + 1 < all.size())
                expect(attempt.state == AttemptState::incomplete,
                       "it was attempted again after an attempt that did not fail");
            expect(attempt.state != AttemptState::running || !attempt.process_uid.empty(),
                   "an attempt is RUNNING and nobody holds it");
        }
    }

    void stage() {
        attempts();
        const Resolution deps = row().dependencies.resolution;
        const bool any = !record_.attempts.empty();
        const bool ended = any && is_ended(record_.attempts.back().attempt.state);
        const bool complete = any && record_.attempts.back().attempt.state == AttemptState::complete;
        expect((row().outcome == Outcome::skipped) == row().skip_cause.has_value(),
               "a cause goes with skipped and only with it");
        expect((row().state == State::final) == row().concluded_reason.has_value(),
               "a reason goes with FINAL and only with it");
        switch (row().state) {
            case State::planned:
                expect(deps == Resolution::unresolved && !any,
                       "it is PLANNED though its dependencies are resolved");
                break;
            case State::attempting:
                expect(deps == Resolution::satisfied && any && !ended,
                       "it is ATTEMPTING without a live attempt");
                break;
            case State::awaiting_group:
                expect(ended && row().has_continuation,
                       "it is AWAITING_GROUP with a live attempt or no group");
                break;
            default:
                final_stage(deps, any, ended, complete);
                break;
        }
    }

    void final_stage(Resolution deps, bool any, bool ended, bool complete) {
        expect(!any || ended, "it is FINAL with a live attempt");
        const auto because = [&](std::initializer_list<ConcludedReason> reasons) {
            const auto reason = row().concluded_reason;
            expect(reason && std::ranges::find(reasons, *reason) != reasons.end(),
                   "its reason does not fit its outcome");
        };
        using enum ConcludedReason;
        switch (row().outcome.value_or(Outcome::cancelled)) {
            case Outcome::passed:
                because({attempt_complete});
                expect(deps == Resolution::satisfied && complete, "it passed without a COMPLETE attempt");
                break;
            case Outcome::failed:
                because({no_retries_left, retry_blocked, group_unsatisfied, attempt_failed,
                         interrupted_too_often});
                expect(deps == Resolution::satisfied && any, "it failed without an attempt");
                break;
            case Outcome::skipped:
                because({dependencies_unsatisfied, condition_false, ConcludedReason::skipped});
                if (row().concluded_reason == dependencies_unsatisfied)
                    expect(deps == Resolution::unsatisfied && !any,
                           "it was skipped though its dependencies could be satisfied");
                if (row().concluded_reason == condition_false)
                    expect(deps == Resolution::satisfied && !any && !record_.body.condition.empty(),
                           "it was skipped for a condition that it does not have, or that was not asked");
                break;
            case Outcome::cancelled:
                because({ConcludedReason::cancelled});
                break;
        }
    }

    const NodeRecord& record_;
    const PlanRow& plan_;
    std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_rules(const NodeRecord& record, const PlanRow& plan) {
    return Inspection(record, plan).run();
}

void Passes::note(const NodeRecord& record) {
    const NodeRow& row = record.row;
    if (row.type != NodeType::check || row.outcome != Outcome::passed || row.history.empty() ||
        row.history.back().version <= plan_.older_rules_until)
        return;
    std::map<NodeKey, std::int32_t> highest;
    for (const ResultRow& r : record.results)
        if (r.stage != NodeKey::none) highest[r.stage] = std::max(highest[r.stage], r.attempt);
    for (const auto& [stage, idx] : highest) noted_.push_back({row.id, row.history.back().at, {stage, idx}});
}

std::vector<std::string> Passes::broken(Snapshot& snapshot) const {
    constexpr std::size_t kAskedAtOnce = 1'000;
    std::vector<std::string> checks;
    for (std::size_t begin = 0; begin < noted_.size(); begin += kAskedAtOnce) {
        const auto batch = std::span(noted_).subspan(begin, std::min(kAskedAtOnce, noted_.size() - begin));
        Lookup lookup;
        for (const Pass& pass : batch) lookup.attempts.push_back(pass.by);
        std::map<std::pair<NodeKey, std::int32_t>, const Attempt*> attempts;
        const Facts facts = snapshot.load(plan_.key, lookup);
        for (const AttemptRow& row : facts.attempts) attempts[{row.stage, row.attempt.idx}] = &row.attempt;
        for (const Pass& pass : batch) {
            const auto found = attempts.find({pass.by.stage, pass.by.idx});
            if (found == attempts.end()) continue;
            const Attempt& attempt = *found->second;
            if (attempt.state == AttemptState::incomplete && attempt.ended_at && *attempt.ended_at < pass.at)
                checks.push_back(pass.check);
        }
    }
    return checks;
}

}  // namespace turboci::service

namespace turboci {

std::vector<std::string> LocalService::check_states() {
    const auto snapshot = store_.read(options_.wait);
    std::vector<std::string> lines;
    for (const PlanRow& plan : snapshot->plans()) {
        service::Passes passes(plan);
        snapshot->scan(plan.key, {}, [&](std::span<const NodeRecord> records) {
            for (const NodeRecord& record : records) {
                for (const std::string& rule : service::broken_rules(record, plan))
                    lines.push_back(fmt::format("plan {}, {}:{}: {}", plan.id, to_string(record.row.type),
                                                record.row.id, rule));
                passes.note(record);
            }
            return true;
        });
        for (const std::string& check : passes.broken(*snapshot))
            lines.push_back(fmt::format("plan {}, check:{}: {}", plan.id, check, service::kBrokenPass));
    }
    return lines;
}

}  // namespace turboci
