// SPDX-License-Identifier: Apache-2.0
#include "grpc/answers.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace turboci::rpc {

namespace {

/// Checks and stages by id.
class NodeMap final : public NodeSink {
public:
    NodeMap(JsonForm form, std::string plan) : form_(form), plan_(std::move(plan)) {}
    void plan(const WorkPlan& /*plan*/) override {}
    void check(const Check& check) override { write(check, plan_, form_, checks[check.id]); }
    void stage(const Stage& stage) override { write(stage, plan_, form_, stages[stage.id]); }
    std::unordered_map<std::string, v1::Check> checks;
    std::unordered_map<std::string, v1::Stage> stages;

private:
    JsonForm form_;
    std::string plan_;
};

}  // namespace

void require_plan_id(const std::string& id) {
    if (id.empty()) throw Error(ErrorCode::invalid_argument, "the id of the work plan is empty");
}

bool has_labels(const WorkPlan& plan, const google::protobuf::RepeatedPtrField<std::string>& labels) {
    return std::ranges::all_of(labels, [&](const std::string& label) {
        const std::size_t equals = std::min(label.find('='), label.size());
        return equals < label.size() &&
               has_label(plan.labels, label.substr(0, equals), label.substr(equals + 1));
    });
}

void authorise_write(Call& call, const v1::WriteNodesRequest& request) {
    // An attempt writes into its plan; it takes no other work.
    if (request.has_claim()) return call.authorise(server::Scope::work, request.work_plan_id());
    call.authorise_attempt(server::Scope::write, request.work_plan_id(), request.attempt_token());
}

void sign(const Call& call, WriteNodes& request) {
    request.actor = call.actor(request.actor);
    if (request.token.empty()) request.token = call.caller().attempt_token;
}

void NodeAnswer::take(std::size_t bytes) {
    if (bytes > left_)
        throw call_.refusal(
            grpc::StatusCode::RESOURCE_EXHAUSTED,
            "the answer is too large for one message; call TurboCIPlans.StreamNodes, or ask for "
            "fewer nodes or parts",
            "TOO_LARGE");
    left_ -= bytes;
}

void NodeAnswer::plan(const WorkPlan& plan) {
    plan_ = plan.id;
    write(plan, *response_.mutable_plan());
}

void NodeAnswer::absent(const RefText& ref) { write(ref, *response_.add_absent()); }

void NodeAnswer::check(const Check& check) {
    if (!filter_.takes(check)) return;
    auto& node = *response_.add_checks();
    write(check, plan_, form_, node);
    take(node.ByteSizeLong());
}

void NodeAnswer::stage(const Stage& stage) {
    if (!filter_.takes(stage)) return;
    auto& node = *response_.add_stages();
    write(stage, plan_, form_, node);
    take(node.ByteSizeLong());
}

std::vector<RefText> nodes_of(const WriteNodes& request) {
    std::vector<RefText> nodes;
    for (std::size_t i = 0; i < request.checks.size(); ++i)
        nodes.push_back({NodeType::check, std::string(request.checks.id(i))});
    for (std::size_t i = 0; i < request.stages.size(); ++i)
        nodes.push_back({NodeType::stage, std::string(request.stages.id(i))});
    return nodes;
}

void answer_with_nodes(const CallPtr& call, const std::string& plan, std::vector<RefText> nodes,
                       JsonForm form, v1::WriteNodesResponse& response) {
    if (nodes.empty()) return call->finish();
    QueryNodes query;
    query.plan = plan;
    query.refs = std::move(nodes);
    query.skip_absent = true;
    // What is written is durable: the answer is not refused for its nodes.
    call->read(
        [call, query = std::move(query), form, &response](server::Reader& reader) {
            NodeMap found(form, query.plan);
            reader.service->query(query, found);
            for (const RefText& ref : query.refs) {
                if (ref.type == NodeType::check) {
                    const auto check = found.checks.find(ref.id);
                    if (check != found.checks.end()) *response.add_checks() = check->second;
                } else {
                    const auto stage = found.stages.find(ref.id);
                    if (stage != found.stages.end()) *response.add_stages() = stage->second;
                }
            }
            call->count_bytes(0, response.ByteSizeLong());
            call->finish();
        },
        true);
}

}  // namespace turboci::rpc
