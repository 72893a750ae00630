#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a plan on a server, does its work and watches it: client.py [HOST:PORT]

Its stubs are made once, where proto/ is (Debian: python3-grpcio, protobuf-compiler-grpc; the compiler that
python3-grpc-tools brings is too old):

protoc -Iproto --python_out=. --grpc_out=. --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin \\
    proto/turboci/v1/*.proto proto/google/rpc/*.proto
"""
import sys

import grpc
from turboci.v1 import common_pb2, service_pb2, service_pb2_grpc, worker_pb2, worker_pb2_grpc

channel = grpc.insecure_channel(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
plans = service_pb2_grpc.TurboCIOrchestratorStub(channel)
work = worker_pb2_grpc.TurboCIWorkerStub(channel)

plan = plans.CreateWorkPlan(service_pb2.CreateWorkPlanRequest(metadata={"project": "countwords"})).work_plan.id
nodes = service_pb2.WriteNodesRequest(work_plan_id=plan, op_id="the only write")
nodes.checks.add(id="built", state=common_pb2.CHECK_STATE_PLANNED)
nodes.stages.add(id="compile", args_json='{"command": "make"}').assignments.add(target_check_id="built")
plans.WriteNodes(nodes)

# The worker's part. A claim waits on the server until something is ready, or its time is over.
claim = worker_pb2.ClaimAttemptsRequest(work_plan_id=plan, process_uid="worker-1", op_id="the only claim")
claim.wait.FromSeconds(10)
for taken in work.ClaimAttempts(claim).claimed:
    print("would run", taken.stage.args["command"], "for", [check.id for check in taken.checks])
    end = worker_pb2.EndAttemptRequest(attempt_token=taken.attempt_token, state=common_pb2.ATTEMPT_STATE_COMPLETE)
    end.results.add(check_id="built", final=True).result.data_json = '{"warnings": 0}'
    work.EndAttempt(end)

watch = service_pb2.WatchWorkPlanRequest(work_plan_id=plan, include_checks=True, since_version=0, end_when_final=True)
for event in plans.WatchWorkPlan(watch):
    print(event.version, event.WhichOneof("event"), event.changes_json)
