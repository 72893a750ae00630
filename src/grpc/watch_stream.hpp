// SPDX-License-Identifier: Apache-2.0
// WatchWorkPlan: the record of a plan as a stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include "grpc/host.hpp"
#include "turboci/v1/service.pb.h"

namespace turboci::rpc {

/// The record of the store is the truth: a stream has a cursor in it, and no memory of its own. Who reads
/// slowly falls behind in the record; who was cut off goes on from the version that it saw last.
[[nodiscard]] grpc::ServerWriteReactor<v1::WorkPlanEvent>* start_watch(
    Host& host, grpc::CallbackServerContext* context, const v1::WatchWorkPlanRequest& request);

}  // namespace turboci::rpc
