// SPDX-License-Identifier: Apache-2.0
#include "service/judge.hpp"

#include <utility>

namespace turboci {

namespace {

class JudgeSink final : public NodeSink {
public:
    JudgeSink(Judge& judge, NodeSink* also) : judge_(judge), also_(also) {}
    void plan(const WorkPlan& plan) override {
        plan_ = plan.id;
        if (also_ != nullptr) also_->plan(plan);
    }
    void check(const Check& check) override {
        judge_.check(check);
        if (also_ != nullptr) also_->check(check);
    }
    void stage(const Stage& stage) override {
        judge_.stage(stage);
        if (also_ != nullptr) also_->stage(stage);
    }
    [[nodiscard]] const std::string& plan_id() const { return plan_; }

private:
    Judge& judge_;
    NodeSink* also_;
    std::string plan_;
};

/// What is wanted of checks that are only assigned to.
class RequiredSink final : public NodeSink {
public:
    explicit RequiredSink(Judge& judge) : judge_(judge) {}
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override { judge_.set_required(check.id, check.required); }
    void stage(const Stage&) override {}

private:
    Judge& judge_;
};

bool selects_all(const QueryNodes& request) {
    return request.refs.empty() && request.types.empty() && request.kinds.empty() && request.states.empty() &&
           request.outcomes.empty() && request.match.empty() && !request.ready && !request.blocked;
}

}  // namespace

Judgement judge(Service& service, QueryNodes request, NodeSink* also) {
    Judge judge(selects_all(request) ? Judge::Scope::whole_plan : Judge::Scope::some_nodes);
    JudgeSink sink(judge, also);
    if (also == nullptr) request.parts = kBareNodes;
    request.parts.assignments = true;
    service.query(request, sink);
    QueryNodes targets;
    targets.plan = sink.plan_id();
    targets.parts = kBareNodes;
    for (std::string& id : judge.unknown_checks()) targets.refs.push_back({NodeType::check, std::move(id)});
    if (!targets.refs.empty()) {
        RequiredSink required(judge);
        service.query(targets, required);
    }
    return judge.judgement();
}

Judgement judge_gate(Service& service, QueryNodes request, bool allow_skipped) {
    class Gate final : public NodeSink {
    public:
        explicit Gate(bool allow_skipped) : allow_skipped_(allow_skipped) {}
        void plan(const WorkPlan&) override {}
        void check(const Check& check) override {
            const GateAnswer answer = gate_answer(check, allow_skipped_);
            if (answer == GateAnswer::yes) ++yes;
            if (answer == GateAnswer::no) refused.push_back({NodeType::check, check.id});
        }
        void stage(const Stage&) override {}
        std::vector<NodeRef> refused;
        std::int64_t yes = 0;

    private:
        bool allow_skipped_;
    };
    Gate gate(allow_skipped);
    request.types = {NodeType::check};
    request.parts = kBareNodes;
    service.query(request, gate);
    const bool opens = gate_opens(gate.yes, static_cast<std::int64_t>(gate.refused.size()));
    return {opens ? Verdict::passed : Verdict::failed, std::move(gate.refused), {}};
}

std::vector<NodeRef> open_nodes(Service& service, QueryNodes request) {
    request.states = {State::planning, State::planned, State::waiting, State::attempting,
                      State::awaiting_group};
    return judge(service, std::move(request)).open;
}

}  // namespace turboci
