// SPDX-License-Identifier: Apache-2.0
// What several services answer with.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "grpc/call.hpp"
#include "turboci/v1/service.pb.h"

namespace turboci::rpc {

/// INVALID_ARGUMENT for an empty plan id: passed on it would mean "the only plan".
void require_plan_id(const std::string& id);
[[nodiscard]] inline JsonForm form_of(bool json_only) {
    return json_only ? JsonForm::text_only : JsonForm::both;
}
/// Has the plan all of these labels, "KEY=VALUE" each?
[[nodiscard]] bool has_labels(const WorkPlan& plan,
                              const google::protobuf::RepeatedPtrField<std::string>& labels);
/// May the caller write this? UNAUTHENTICATED or PERMISSION_DENIED, thrown as a grpc::Status.
void authorise_write(Call& call, const v1::WriteNodesRequest& request);
/// Takes the caller for the writer: its name, and the token that it gave.
void sign(const Call& call, WriteNodes& request);

/// Puts nodes into a QueryNodesResponse. RESOURCE_EXHAUSTED, thrown as a grpc::Status, beyond `limit` bytes.
class NodeAnswer final : public NodeSink {
public:
    NodeAnswer(const Call& call, v1::QueryNodesResponse& response, JsonForm form, StateFilter filter,
               std::size_t limit)
        : call_(call), response_(response), form_(form), filter_(std::move(filter)), left_(limit) {}
    void plan(const WorkPlan& plan) override;
    void absent(const RefText& ref) override;
    void check(const Check& check) override;
    void stage(const Stage& stage) override;

private:
    void take(std::size_t bytes);

    const Call& call_;
    v1::QueryNodesResponse& response_;
    JsonForm form_;
    StateFilter filter_;
    std::size_t left_;
    std::string plan_;
};

/// Puts the nodes that were found into the answer, in the order of the request.
void add_nodes(const std::string& plan, const std::vector<RefText>& nodes, const server::WrittenNodes& found,
               JsonForm form, v1::WriteNodesResponse& response);
/// Reads the nodes of a write as they are now, by a reader, adds them to the answer, and ends the call.
void answer_with_nodes(const CallPtr& call, const std::string& plan, std::vector<RefText> nodes,
                       JsonForm form, v1::WriteNodesResponse& response);
/// The names of the nodes of a write, checks first.
[[nodiscard]] std::vector<RefText> nodes_of(const WriteNodes& request);

}  // namespace turboci::rpc
