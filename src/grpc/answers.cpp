// SPDX-License-Identifier: Apache-2.0
#include "grpc/answers.hpp"

#include <algorithm>
#include <utility>

namespace turboci::rpc {

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

void add_nodes(const std::string& plan, const std::vector<RefText>& nodes, const server::WrittenNodes& found,
               JsonForm form, v1::WriteNodesResponse& response) {
    for (const RefText& ref : nodes) {
        if (ref.type == NodeType::check) {
            if (const Check* const check = found.find_check(ref.id))
                write(*check, plan, form, *response.add_checks());
        } else {
            if (const Stage* const stage = found.find_stage(ref.id))
                write(*stage, plan, form, *response.add_stages());
        }
    }
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
            server::WrittenNodes found;
            reader.service->query(query, found);
            add_nodes(query.plan, query.refs, found, form, response);
            call->count_bytes(0, response.ByteSizeLong());
            call->finish();
        },
        true);
}

}  // namespace turboci::rpc
