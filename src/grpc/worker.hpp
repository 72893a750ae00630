// SPDX-License-Identifier: Apache-2.0
// What workers call: claims, ends, signs of life.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "grpc/call.hpp"
#include "grpc/claims.hpp"
#include "turboci/v1/worker.grpc.pb.h"

namespace turboci::rpc {

class WorkerHandlers final : public v1::TurboCIWorker::CallbackService {
public:
    explicit WorkerHandlers(Host& host) : host_(host) {}
    using Context = grpc::CallbackServerContext;

    grpc::ServerUnaryReactor* ClaimAttempts(Context* context, const v1::ClaimAttemptsRequest* request,
                                            v1::ClaimAttemptsResponse* response) override;
    grpc::ServerUnaryReactor* EndAttempt(Context* context, const v1::EndAttemptRequest* request,
                                         v1::EndAttemptResponse* response) override;
    grpc::ServerUnaryReactor* HeartbeatAttempt(Context* context, const v1::HeartbeatAttemptRequest* request,
                                               v1::HeartbeatAttemptResponse* response) override;
    grpc::ServerUnaryReactor* ReportResult(Context* context, const v1::ReportResultRequest* request,
                                           v1::ReportResultResponse* response) override;
    grpc::ServerUnaryReactor* AppendLog(Context* context, const v1::AppendLogRequest* request,
                                        v1::AppendLogResponse* response) override;
    grpc::ServerUnaryReactor* Beat(Context* context, const v1::BeatRequest* request,
                                   v1::BeatResponse* response) override;

private:
    Host& host_;
    std::shared_ptr<Turns> turns_ = std::make_shared<Turns>();  ///< used by the writer's thread alone
};

}  // namespace turboci::rpc
