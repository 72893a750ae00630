// SPDX-License-Identifier: Apache-2.0
// What people and our own clients ask of plans beyond the public service.
#pragma once

#include <grpcpp/grpcpp.h>

#include "grpc/call.hpp"
#include "turboci/v1/plans.grpc.pb.h"

namespace turboci::rpc {

class PlansHandlers final : public v1::TurboCIPlans::CallbackService {
public:
    explicit PlansHandlers(Host& host) : host_(host) {}

    using Context = grpc::CallbackServerContext;

    grpc::ServerUnaryReactor* ListWorkPlans(Context* context, const v1::ListWorkPlansRequest* request,
                                            v1::ListWorkPlansResponse* response) override;
    grpc::ServerUnaryReactor* ResolveWorkPlan(Context* context, const v1::ResolveWorkPlanRequest* request,
                                              v1::ResolveWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* DeleteWorkPlan(Context* context, const v1::DeleteWorkPlanRequest* request,
                                             v1::DeleteWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* CancelWorkPlan(Context* context, const v1::CancelWorkPlanRequest* request,
                                             v1::CancelWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* TickWorkPlan(Context* context, const v1::TickWorkPlanRequest* request,
                                           v1::TickWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* RerunWorkPlan(Context* context, const v1::RerunWorkPlanRequest* request,
                                            v1::RerunWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* PruneWorkPlans(Context* context, const v1::PruneWorkPlansRequest* request,
                                             v1::PruneWorkPlansResponse* response) override;
    grpc::ServerUnaryReactor* SummarizeWorkPlan(Context* context, const v1::SummarizeWorkPlanRequest* request,
                                                v1::SummarizeWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* ExplainNode(Context* context, const v1::ExplainNodeRequest* request,
                                          v1::ExplainNodeResponse* response) override;
    grpc::ServerWriteReactor<v1::ReadRecordResponse>* ReadRecord(
        Context* context, const v1::ReadRecordRequest* request) override;
    grpc::ServerWriteReactor<v1::StreamNodesResponse>* StreamNodes(
        Context* context, const v1::StreamNodesRequest* request) override;
    grpc::ServerReadReactor<v1::WriteNodesStreamRequest>* WriteNodesStream(
        Context* context, v1::WriteNodesStreamResponse* response) override;
    grpc::ServerWriteReactor<v1::ExportWorkPlanResponse>* ExportWorkPlan(
        Context* context, const v1::ExportWorkPlanRequest* request) override;
    grpc::ServerReadReactor<v1::ImportWorkPlanRequest>* ImportWorkPlan(
        Context* context, v1::ImportWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* Judge(Context* context, const v1::JudgeRequest* request,
                                    v1::JudgeResponse* response) override;
    grpc::ServerWriteReactor<v1::ReadLogsResponse>* ReadLogs(Context* context,
                                                             const v1::ReadLogsRequest* request) override;
    grpc::ServerUnaryReactor* RehearseWorkPlan(Context* context, const v1::RehearseWorkPlanRequest* request,
                                               v1::RehearseWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* WaitForChange(Context* context, const v1::WaitForChangeRequest* request,
                                            v1::WaitForChangeResponse* response) override;

private:
    Host& host_;
};

}  // namespace turboci::rpc
