// SPDX-License-Identifier: Apache-2.0
#include "grpc/orchestrator.hpp"

#include <utility>

#include "grpc/answers.hpp"
#include "grpc/watch_stream.hpp"

namespace turboci::rpc {

namespace {

using server::Scope;

constexpr std::size_t kMaxAnswerBytes = std::size_t{16} << 20;
/// The writer reads the nodes of so large a write itself; those of larger ones a reader, for others wait for
/// the writer.
constexpr std::size_t kMaxShownNodes = 64;

/// Work is claimed here, and pushed to nobody.
grpc::ServerUnaryReactor* refuse_push(Host& host, grpc::CallbackServerContext* context, const char* method,
                                      const google::protobuf::Message& request) {
    return unary(host, context, method, request, [](const CallPtr& call) {
        throw call->refusal(grpc::StatusCode::UNIMPLEMENTED,
                            "runners claim their work here: TurboCIWorker.ClaimAttempts", "NO_PUSH");
    });
}

}  // namespace

grpc::ServerUnaryReactor* OrchestratorHandlers::CreateWorkPlan(grpc::CallbackServerContext* context,
                                                               const v1::CreateWorkPlanRequest* request,
                                                               v1::CreateWorkPlanResponse* response) {
    return unary(host_, context, "CreateWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::write, request->id());
        if (request->has_nodes() && !request->nodes().work_plan_id().empty())
            throw Error(ErrorCode::invalid_argument,
                        "nodes.work_plan_id: a plan that is made has no id there");
        CreatePlan create = read(*request, call->fields());
        sign(*call, create.nodes);
        const JsonForm form = form_of(request->nodes().json_only());
        const bool with_nodes = request->has_nodes() && !request->nodes().no_nodes();
        call->change(request->ByteSizeLong(), [=, create = std::move(create)](turboci::Service& service) {
            const WriteResult result = service.create_plan(create);
            call->host().watchers().moved(result.plan.id, result.plan.version);
            write(result.plan, *response->mutable_work_plan());
            response->set_replayed(result.replayed);
            write(result, form, *response->mutable_nodes());
            if (!with_nodes || create.nodes.dry_run) return call->finish();
            answer_with_nodes(call, result.plan.id, nodes_of(create.nodes), form, *response->mutable_nodes());
        });
    });
}

grpc::ServerUnaryReactor* OrchestratorHandlers::GetWorkPlan(grpc::CallbackServerContext* context,
                                                            const v1::GetWorkPlanRequest* request,
                                                            v1::GetWorkPlanResponse* response) {
    return unary(host_, context, "GetWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->id());
        require_plan_id(request->id());
        call->read([=](server::Reader& reader) {
            write(reader.service->get_plan(request->id()), *response->mutable_work_plan());
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* OrchestratorHandlers::WriteNodes(grpc::CallbackServerContext* context,
                                                           const v1::WriteNodesRequest* request,
                                                           v1::WriteNodesResponse* response) {
    return unary(host_, context, "WriteNodes", *request, [=](const CallPtr& call) {
        authorise_write(*call, *request);
        require_plan_id(request->work_plan_id());
        turboci::WriteNodes nodes = read(*request, call->fields());
        sign(*call, nodes);
        std::vector<RefText> names;
        if (!request->no_nodes()) names = nodes_of(nodes);
        const JsonForm form = form_of(request->json_only());
        const std::string plan = nodes.plan;
        std::vector<RefText> shown;
        if (names.size() <= kMaxShownNodes) shown = names;
        call->write(std::move(nodes), std::move(shown), request->ByteSizeLong(),
                    [=](WriteResult&& result, const server::WrittenNodes& found) {
                        write(result, form, *response);
                        if (names.size() > kMaxShownNodes)
                            return answer_with_nodes(call, plan, names, form, *response);
                        add_nodes(plan, names, found, form, *response);
                        call->count_bytes(0, response->ByteSizeLong());
                        call->finish();
                    });
    });
}

grpc::ServerUnaryReactor* OrchestratorHandlers::QueryNodes(grpc::CallbackServerContext* context,
                                                           const v1::QueryNodesRequest* request,
                                                           v1::QueryNodesResponse* response) {
    return unary(host_, context, "QueryNodes", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        QueryRead selected = read(*request, call->fields());
        call->read([=, selected = std::move(selected)](server::Reader& reader) {
            NodeAnswer answer(*call, *response, selected.form, selected.filter, kMaxAnswerBytes);
            if (selected.nothing)
                answer.plan(reader.service->get_plan(selected.nodes.plan));
            else
                reader.service->query(selected.nodes, answer);
            call->count_bytes(0, response->ByteSizeLong());
            call->finish();
        });
    });
}

grpc::ServerWriteReactor<v1::WorkPlanEvent>* OrchestratorHandlers::WatchWorkPlan(
    grpc::CallbackServerContext* context, const v1::WatchWorkPlanRequest* request) {
    return start_watch(host_, context, *request);
}

grpc::ServerUnaryReactor* OrchestratorHandlers::RegisterStageRunner(
    grpc::CallbackServerContext* context, const v1::RegisterStageRunnerRequest* request,
    v1::RegisterStageRunnerResponse* /*response*/) {
    return refuse_push(host_, context, "RegisterStageRunner", *request);
}

grpc::ServerUnaryReactor* OrchestratorHandlers::UnregisterStageRunner(
    grpc::CallbackServerContext* context, const v1::UnregisterStageRunnerRequest* request,
    v1::UnregisterStageRunnerResponse* /*response*/) {
    return refuse_push(host_, context, "UnregisterStageRunner", *request);
}

grpc::ServerUnaryReactor* OrchestratorHandlers::ListStageRunners(grpc::CallbackServerContext* context,
                                                                 const v1::ListStageRunnersRequest* request,
                                                                 v1::ListStageRunnersResponse* /*response*/) {
    return unary(host_, context, "ListStageRunners", *request, [](const CallPtr& call) {
        call->authorise(Scope::read, {});
        call->finish();
    });
}

grpc::ServerUnaryReactor* OrchestratorHandlers::UpdateStageExecution(
    grpc::CallbackServerContext* context, const v1::UpdateStageExecutionRequest* request,
    v1::UpdateStageExecutionResponse* /*response*/) {
    return refuse_push(host_, context, "UpdateStageExecution", *request);
}

grpc::ServerUnaryReactor* OrchestratorHandlers::CompleteStageExecution(
    grpc::CallbackServerContext* context, const v1::CompleteStageExecutionRequest* request,
    v1::CompleteStageExecutionResponse* /*response*/) {
    return refuse_push(host_, context, "CompleteStageExecution", *request);
}

}  // namespace turboci::rpc
