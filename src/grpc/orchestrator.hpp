// SPDX-License-Identifier: Apache-2.0
// The public service: what stock clients of TurboCI-Lite call.
#pragma once

#include <grpcpp/grpcpp.h>

#include "grpc/call.hpp"
#include "turboci/v1/service.grpc.pb.h"

namespace turboci::rpc {

class OrchestratorHandlers final : public v1::TurboCIOrchestrator::CallbackService {
public:
    explicit OrchestratorHandlers(Host& host) : host_(host) {}

    grpc::ServerUnaryReactor* CreateWorkPlan(grpc::CallbackServerContext* context,
                                             const v1::CreateWorkPlanRequest* request,
                                             v1::CreateWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* GetWorkPlan(grpc::CallbackServerContext* context,
                                          const v1::GetWorkPlanRequest* request,
                                          v1::GetWorkPlanResponse* response) override;
    grpc::ServerUnaryReactor* WriteNodes(grpc::CallbackServerContext* context,
                                         const v1::WriteNodesRequest* request,
                                         v1::WriteNodesResponse* response) override;
    grpc::ServerUnaryReactor* QueryNodes(grpc::CallbackServerContext* context,
                                         const v1::QueryNodesRequest* request,
                                         v1::QueryNodesResponse* response) override;
    grpc::ServerWriteReactor<v1::WorkPlanEvent>* WatchWorkPlan(
        grpc::CallbackServerContext* context, const v1::WatchWorkPlanRequest* request) override;

    // Work is not pushed to runners: they claim it. Listing them is answered, since clients try a server with
    // it.
    grpc::ServerUnaryReactor* RegisterStageRunner(grpc::CallbackServerContext* context,
                                                  const v1::RegisterStageRunnerRequest* request,
                                                  v1::RegisterStageRunnerResponse* response) override;
    grpc::ServerUnaryReactor* UnregisterStageRunner(grpc::CallbackServerContext* context,
                                                    const v1::UnregisterStageRunnerRequest* request,
                                                    v1::UnregisterStageRunnerResponse* response) override;
    grpc::ServerUnaryReactor* ListStageRunners(grpc::CallbackServerContext* context,
                                               const v1::ListStageRunnersRequest* request,
                                               v1::ListStageRunnersResponse* response) override;
    grpc::ServerUnaryReactor* UpdateStageExecution(grpc::CallbackServerContext* context,
                                                   const v1::UpdateStageExecutionRequest* request,
                                                   v1::UpdateStageExecutionResponse* response) override;
    grpc::ServerUnaryReactor* CompleteStageExecution(grpc::CallbackServerContext* context,
                                                     const v1::CompleteStageExecutionRequest* request,
                                                     v1::CompleteStageExecutionResponse* response) override;

private:
    Host& host_;
};

}  // namespace turboci::rpc
