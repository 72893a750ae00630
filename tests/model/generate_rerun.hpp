// SPDX-License-Identifier: Apache-2.0
// Plans that are started again: definitions as files would have them, much as they are in the plan, and now
// and then changed.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "generate_parts.hpp"

namespace turboci::model {

class RerunParts : protected RequestParts {
protected:
    using RequestParts::RequestParts;

    void rerun(Operation& op) {
        op.kind = OperationKind::rerun;
        op.request = {};
        op.token.reset();
        WriteNodes& r = op.request;
        r.actor = c_.once_in(3) ? "bob" : "ann";
        if (c_.once_in(4)) r.reason = "the test is mended";
        if (c_.once_in(4)) r.op_id = c_.once_in(2) ? "o1" : "o2";
        if (c_.once_in(12)) r.if_version = model_.plan().version + (c_.once_in(3) ? 1 : 0);
        if (c_.once_in(6)) r.labels = JsonText{R"({"branch":"again"})"};
        op.rerun = {};
        op.rerun.fork = c_.once_in(4);
        op.rerun.takes_id = c_.once_in(20);
        if (c_.once_in(3)) again(op.rerun.again);
        if (c_.once_in(2)) redefine(op);
    }

private:
    void again(std::vector<RefText>& refs) {
        for (std::uint32_t n = 1 + c_.pick(2); n > 0; --n) {
            RefText& ref = refs.emplace_back();
            const bool check = c_.once_in(2);
            const auto take = [&](const auto& nodes) {
                ref.id = nodes[c_.pick(static_cast<std::uint32_t>(nodes.size()))].ref.id;
            };
            ref.id = "nope";
            if (check && !model_.plan().checks.empty()) take(model_.plan().checks);
            if (!check && !model_.plan().stages.empty()) take(model_.plan().stages);
            if (c_.once_in(16)) ref.id = "nope";
            if (ref.id == "x" ? !c_.once_in(8) : c_.once_in(3))
                ref.type = check ? NodeType::check : NodeType::stage;
        }
    }

    void redefine(Operation& op) {
        op.rerun.redefines = true;
        WriteNodes& r = op.request;
        // Half of the files are as they were, and others are changed here and there.
        changes_ = c_.once_in(2) ? 0 : 4 + c_.pick(6);
        other_policy_ = c_.once_in(4);
        const auto stays = [&](const ModelNode& n) {
            if (n.created_by) return c_.once_in(6);
            return changes_ == 0 || !c_.once_in(8 * changes_);
        };
        for (const auto& c : model_.plan().checks)
            if (stays(c)) r.checks.push_back(changed(definition(c)));
        for (const auto& s : model_.plan().stages)
            if (stays(s)) r.stages.push_back(changed(definition(s)));
        if (changes()) add_new(r);
        if (changes()) limits(r);
    }

    [[nodiscard]] bool changes() { return changes_ > 0 && c_.once_in(changes_); }

    void add_new(WriteNodes& r) {
        if (c_.once_in(2)) {
            CheckWrite w;
            w.id = "new";
            w.state = State::planned;
            add(r.checks, w);
        }
        StageWrite w;
        w.id = "new";
        if (c_.once_in(2) && !r.checks.empty()) {
            w.assignments.emplace().emplace_back().target_check_id =
                r.checks[c_.pick(static_cast<std::uint32_t>(r.checks.size()))].id;
        }
        add(r.stages, w);
    }

    /// Names as people write them, where they are clear.
    PredicateSpec spec(const ModelGroup& group) {
        PredicateSpec p;
        p.kind = group.kind;
        p.at_least = group.kind == GroupKind::at_least ? group.at_least : 0;
        for (const auto& e : group.edges) {
            EdgeSpec& edge = p.edges.emplace_back();
            edge.target = {e.target.type, e.target.id};
            if (e.target.id != "x" && c_.once_in(2)) edge.target.type.reset();
            edge.on_state = e.on_state;
            if (e.on_state == State::final && (e.when != When::success || c_.once_in(4))) edge.when = e.when;
        }
        for (const auto& g : group.groups) p.groups.push_back(spec(g));
        if (changes_ > 0 && c_.once_in(3)) {
            std::ranges::reverse(p.edges);
            std::ranges::reverse(p.groups);
        }
        return p;
    }
    static std::vector<ConditionSpec> specs(const std::vector<Condition>& conditions) {
        std::vector<ConditionSpec> all;
        for (const auto& c : conditions) all.push_back({c, {}});
        return all;
    }

    CheckWrite definition(const ModelCheck& c) {
        CheckWrite w;
        w.id = c.ref.id;
        if (!c.kind.empty()) w.kind = c.kind;
        if (!c.options.empty()) w.options = JsonText{c.options.dump()};
        if (!c.required || c_.once_in(8)) w.required = c.required;
        if (!c.dependencies.empty()) w.dependencies = spec(c.dependencies);
        if (!c.condition.empty()) w.condition = specs(c.condition);
        if (!c_.once_in(6)) w.state = State::planned;
        return w;
    }
    CheckWrite changed(CheckWrite w) {
        if (!changes()) return w;
        switch (c_.pick(7)) {
            case 0:
                w.kind = "lint";
                break;
            case 1:
                w.options = object();
                break;
            case 2:
                w.required = !w.required.value_or(true);
                break;
            case 3:
                w.condition.reset();
                w.dependencies.reset();
                break;
            case 4:
                w.state = one_of(c_, kCheckStates);
                break;
            case 5:
                w.results.push_back(result());
                w.results.back().owner.reset();
                break;
            default:
                w.skip = c_.once_in(2);
        }
        return w;
    }

    StageWrite definition(const ModelStage& s) {
        StageWrite w;
        w.id = s.ref.id;
        if (!s.args.empty()) w.args = JsonText{s.args.dump()};
        if (!s.dependencies.empty()) w.dependencies = spec(s.dependencies);
        if (!s.condition.empty()) w.condition = specs(s.condition);
        if (!s.assignments.empty()) {
            w.assignments.emplace();
            for (const auto& a : s.assignments)
                w.assignments->push_back({a.target_check_id, a.goal_state, {}});
        }
        if (s.retry != Retry{} || c_.once_in(4)) w.retry = s.retry;
        w.timeout = other_policy_ ? std::chrono::hours(1) : s.timeout;
        w.heartbeat = s.heartbeat;
        if (!s.runner.empty()) w.runner = s.runner;
        if (!s.uses.empty()) w.uses = s.uses;
        if (!s.group.empty() && !c_.once_in(3)) w.continuation_group = spec(s.group);
        return w;
    }
    StageWrite changed(StageWrite w) {
        if (!changes()) return w;
        switch (c_.pick(7)) {
            case 0:
                w.args = object();
                break;
            case 1:
                w.runner = one_of(c_, kKinds);
                break;
            case 2:
                w.dependencies.reset();
                w.condition.reset();
                break;
            case 3:
                assign(w);
                break;
            case 4:
                w.continuation_group.reset();
                break;
            case 5:
                w.uses = uses();
                break;
            default:
                (c_.once_in(2) ? w.skip : w.cancel) = true;
        }
        return w;
    }

    std::uint32_t changes_ = 0;  ///< one part in so many is changed; 0: none
    bool other_policy_ = false;  ///< of all stages
};

}  // namespace turboci::model
