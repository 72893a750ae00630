// SPDX-License-Identifier: Apache-2.0
// The store of a server, for those who run it.
#pragma once

#include <grpcpp/grpcpp.h>

#include "grpc/call.hpp"
#include "turboci/v1/admin.grpc.pb.h"

namespace turboci::rpc {

class AdminHandlers final : public v1::TurboCIAdmin::CallbackService {
public:
    explicit AdminHandlers(Host& host) : host_(host) {}
    using Context = grpc::CallbackServerContext;

    grpc::ServerUnaryReactor* CheckStore(Context* context, const v1::CheckStoreRequest* request,
                                         v1::CheckStoreResponse* response) override;
    grpc::ServerUnaryReactor* ListWorkers(Context* context, const v1::ListWorkersRequest* request,
                                          v1::ListWorkersResponse* response) override;
    grpc::ServerUnaryReactor* DrainWorker(Context* context, const v1::DrainWorkerRequest* request,
                                          v1::DrainWorkerResponse* response) override;
    grpc::ServerWriteReactor<v1::BackupStoreResponse>* BackupStore(
        Context* context, const v1::BackupStoreRequest* request) override;

private:
    Host& host_;
};

}  // namespace turboci::rpc
