// SPDX-License-Identifier: Apache-2.0
#include "grpc/plans.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "grpc/answers.hpp"
#include "grpc/long_poll.hpp"
#include "grpc/streams.hpp"

namespace turboci::rpc {

namespace {

using server::Scope;

constexpr std::size_t kChunkBytes = 256 << 10;
constexpr std::size_t kMaxStagedBytes = std::size_t{1} << 30;
constexpr std::size_t kDefaultListed = 20;

/// Sends nodes in parts of a limited size.
class NodeChunks final : public NodeSink {
public:
    using Put = AnswerStream<v1::StreamNodesResponse>::Put;
    NodeChunks(JsonForm form, StateFilter filter, const Put& put)
        : form_(form), filter_(std::move(filter)), put_(put) {}
    void plan(const WorkPlan& plan) override {
        plan_ = plan.id;
        write(plan, *part_.mutable_nodes()->mutable_plan());
    }
    void absent(const RefText& ref) override { write(ref, *part_.mutable_nodes()->add_absent()); }
    void check(const Check& check) override {
        if (!filter_.takes(check)) return;
        auto& node = *part_.mutable_nodes()->add_checks();
        write(check, plan_, form_, node);
        count(node.ByteSizeLong());
    }
    void stage(const Stage& stage) override {
        if (!filter_.takes(stage)) return;
        auto& node = *part_.mutable_nodes()->add_stages();
        write(stage, plan_, form_, node);
        count(node.ByteSizeLong());
    }
    void end() {
        if (part_.has_nodes()) put_(std::exchange(part_, {}));
    }

private:
    void count(std::size_t bytes) {
        bytes_ += bytes;
        if (bytes_ < kChunkBytes) return;
        bytes_ = 0;
        put_(std::exchange(part_, {}));
    }
    JsonForm form_;
    StateFilter filter_;
    const Put& put_;
    std::string plan_;
    v1::StreamNodesResponse part_;
    std::size_t bytes_ = 0;
};

}  // namespace

grpc::ServerUnaryReactor* PlansHandlers::ListWorkPlans(Context* context,
                                                       const v1::ListWorkPlansRequest* request,
                                                       v1::ListWorkPlansResponse* response) {
    return unary(host_, context, "ListWorkPlans", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, {});
        if (request->page_size() < 0) throw Error(ErrorCode::invalid_argument, "page_size: is negative");
        call->read([=](server::Reader& reader) {
            std::string last;
            bool begun = request->page_token().empty();
            for (const WorkPlan& plan : reader.service->list_plans()) {
                if (!begun) {
                    begun = plan.identity == request->page_token();
                    continue;
                }
                if (!has_labels(plan, request->labels())) continue;
                if (request->page_size() > 0 && response->work_plans_size() == request->page_size()) {
                    response->set_next_page_token(last);
                    break;
                }
                write(plan, *response->add_work_plans());
                last = plan.identity;
            }
            if (!begun) throw Error(ErrorCode::invalid_argument, "page_token: is not from an earlier page");
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::ResolveWorkPlan(Context* context,
                                                         const v1::ResolveWorkPlanRequest* request,
                                                         v1::ResolveWorkPlanResponse* response) {
    return unary(host_, context, "ResolveWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->text());
        call->read([=](server::Reader& reader) {
            write(reader.choosing->get_plan(request->text()), *response->mutable_work_plan());
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::DeleteWorkPlan(Context* context,
                                                        const v1::DeleteWorkPlanRequest* request,
                                                        v1::DeleteWorkPlanResponse* /*response*/) {
    return unary(host_, context, "DeleteWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::write, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        call->change(request->ByteSizeLong(), [=](turboci::Service& service) {
            service.delete_plan(request->work_plan_id(), request->force());
            call->host().watchers().moved(request->work_plan_id(), std::nullopt);
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::CancelWorkPlan(Context* context,
                                                        const v1::CancelWorkPlanRequest* request,
                                                        v1::CancelWorkPlanResponse* response) {
    return unary(host_, context, "CancelWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::write, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        WriteNodes nodes;
        nodes.plan = request->work_plan_id();
        nodes.reason = request->reason();
        nodes.actor = request->actor();
        nodes.op_id = request->op_id();
        nodes.cancel.emplace();
        sign(*call, nodes);
        call->write(std::move(nodes), request->ByteSizeLong(), [=](WriteResult&& result) {
            write(result, JsonForm::both, *response->mutable_write());
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::TickWorkPlan(Context* context,
                                                      const v1::TickWorkPlanRequest* request,
                                                      v1::TickWorkPlanResponse* response) {
    return unary(host_, context, "TickWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::write, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        WriteNodes nodes;
        nodes.plan = request->work_plan_id();
        nodes.actor = request->actor();
        nodes.tick = true;
        sign(*call, nodes);
        call->write(std::move(nodes), request->ByteSizeLong(), [=](WriteResult&& result) {
            write(result, JsonForm::both, *response->mutable_write());
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::RerunWorkPlan(Context* context,
                                                       const v1::RerunWorkPlanRequest* request,
                                                       v1::RerunWorkPlanResponse* response) {
    return unary(host_, context, "RerunWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::write, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        RerunPlan rerun = read(*request, call->fields());
        sign(*call, rerun.definitions);
        call->change(request->ByteSizeLong(), [=, rerun = std::move(rerun)](turboci::Service& service) {
            const RerunResult result = service.rerun_plan(rerun);
            call->host().watchers().moved(result.plan.id, result.plan.version);
            call->host().watchers().moved(rerun.plan, service.get_plan(rerun.plan).version);
            write(result, *response);
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::PruneWorkPlans(Context* context,
                                                        const v1::PruneWorkPlansRequest* request,
                                                        v1::PruneWorkPlansResponse* response) {
    return unary(host_, context, "PruneWorkPlans", *request, [=](const CallPtr& call) {
        call->authorise(Scope::admin, {});
        const PrunePlans prune = read(*request);
        call->change(request->ByteSizeLong(), [=](turboci::Service& service) {
            for (const WorkPlan& plan : service.prune_plans(prune)) {
                response->add_work_plan_ids(plan.id);
                write(plan, *response->add_work_plans());
                if (!prune.dry_run) call->host().watchers().moved(plan.id, std::nullopt);
            }
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::SummarizeWorkPlan(Context* context,
                                                           const v1::SummarizeWorkPlanRequest* request,
                                                           v1::SummarizeWorkPlanResponse* response) {
    return unary(host_, context, "SummarizeWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        if (request->limit() < 0) throw Error(ErrorCode::invalid_argument, "limit: is negative");
        const std::size_t limit = request->no_lists()     ? 0
                                  : request->limit() == 0 ? kDefaultListed
                                                          : static_cast<std::size_t>(request->limit());
        call->read([=](server::Reader& reader) {
            write(reader.service->summarize(request->work_plan_id(), limit), *response);
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::ExplainNode(Context* context, const v1::ExplainNodeRequest* request,
                                                     v1::ExplainNodeResponse* response) {
    return unary(host_, context, "ExplainNode", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        const RefText node = read_ref(request->node());
        call->read([=](server::Reader& reader) {
            write(reader.service->explain(request->work_plan_id(), node), *response);
            call->finish();
        });
    });
}

grpc::ServerWriteReactor<v1::ReadRecordResponse>* PlansHandlers::ReadRecord(
    Context* context, const v1::ReadRecordRequest* request) {
    using Stream = AnswerStream<v1::ReadRecordResponse>;
    return Stream::start(host_, context, "ReadRecord", *request, [request](Call& call) -> Stream::Produce {
        call.authorise(Scope::read, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        return [log = read(*request)](server::Reader& reader, const Stream::Put& put) {
            reader.service->read_log(log, [&](const LogEntry& entry) {
                v1::ReadRecordResponse part;
                write(entry, *part.mutable_entry());
                put(std::move(part));
            });
        };
    });
}

grpc::ServerWriteReactor<v1::StreamNodesResponse>* PlansHandlers::StreamNodes(
    Context* context, const v1::StreamNodesRequest* request) {
    using Stream = AnswerStream<v1::StreamNodesResponse>;
    return Stream::start(host_, context, "StreamNodes", *request, [request](Call& call) -> Stream::Produce {
        call.authorise(Scope::read, request->query().work_plan_id());
        require_plan_id(request->query().work_plan_id());
        const QueryRead selected = read(request->query(), call.fields());
        return [selected](server::Reader& reader, const Stream::Put& put) {
            NodeChunks chunks(selected.form, selected.filter, put);
            if (selected.nothing)
                chunks.plan(reader.service->get_plan(selected.nodes.plan));
            else
                reader.service->query(selected.nodes, chunks);
            chunks.end();
        };
    });
}

grpc::ServerReadReactor<v1::WriteNodesStreamRequest>* PlansHandlers::WriteNodesStream(
    Context* context, v1::WriteNodesStreamResponse* response) {
    using Stream = RequestStream<v1::WriteNodesStreamRequest, v1::WriteNodesStreamResponse>;
    struct Staged {
        std::optional<WriteNodes> request;
        std::size_t bytes = 0;
        bool json_only = false;
    };
    const auto staged = std::make_shared<Staged>();
    const auto take = [staged](Call& call, v1::WriteNodesStreamRequest& part) {
        staged->bytes += part.ByteSizeLong();
        if (staged->bytes > kMaxStagedBytes)
            throw call.refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "the request is larger than 1 GiB",
                               "TOO_LARGE");
        const bool first = !staged->request;
        if (first) {
            authorise_write(call, part.part());
            require_plan_id(part.part().work_plan_id());
            staged->json_only = part.part().json_only();
        }
        WriteNodes nodes = read(part.part(), call.fields());
        if (first) {
            sign(call, nodes);
            staged->request = std::move(nodes);
            return;
        }
        staged->request->checks.append(std::move(nodes.checks));
        staged->request->stages.append(std::move(nodes.stages));
    };
    const auto end = [staged](const CallPtr& call, v1::WriteNodesStreamResponse& answer) {
        if (!staged->request) throw Error(ErrorCode::invalid_argument, "the stream has no part");
        call->write(std::move(*staged->request), staged->bytes, [=, &answer](WriteResult&& result) {
            write(result, form_of(staged->json_only), *answer.mutable_write());
            call->finish();
        });
    };
    return Stream::start(host_, context, "WriteNodesStream", response, {take, end});
}

grpc::ServerWriteReactor<v1::ExportWorkPlanResponse>* PlansHandlers::ExportWorkPlan(
    Context* context, const v1::ExportWorkPlanRequest* request) {
    using Stream = AnswerStream<v1::ExportWorkPlanResponse>;
    return Stream::start(
        host_, context, "ExportWorkPlan", *request, [request](Call& call) -> Stream::Produce {
            call.authorise(Scope::read, request->work_plan_id());
            require_plan_id(request->work_plan_id());
            return [plan = request->work_plan_id()](server::Reader& reader, const Stream::Put& put) {
                v1::ExportWorkPlanResponse part;
                reader.service->export_plan(plan, [&](std::string_view line) {
                    part.mutable_data()->append(line).push_back('\n');
                    if (part.data().size() >= kChunkBytes) put(std::exchange(part, {}));
                });
                if (!part.data().empty()) put(std::move(part));
            };
        });
}

grpc::ServerReadReactor<v1::ImportWorkPlanRequest>* PlansHandlers::ImportWorkPlan(
    Context* context, v1::ImportWorkPlanResponse* response) {
    using Stream = RequestStream<v1::ImportWorkPlanRequest, v1::ImportWorkPlanResponse>;
    struct Staged {
        std::string text, name;
        bool begun = false;
    };
    const auto staged = std::make_shared<Staged>();
    const auto take = [staged](Call& call, v1::ImportWorkPlanRequest& part) {
        if (!std::exchange(staged->begun, true)) {
            call.authorise(Scope::write, {});
            staged->name = part.name().empty() ? "the export" : part.name();
        }
        if (staged->text.size() + part.data().size() > kMaxStagedBytes)
            throw call.refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "the export is larger than 1 GiB",
                               "TOO_LARGE");
        staged->text += part.data();
    };
    const auto end = [staged](const CallPtr& call, v1::ImportWorkPlanResponse& answer) {
        if (!staged->begun) throw Error(ErrorCode::invalid_argument, "the stream has no part");
        call->change(staged->text.size(), [=, &answer](turboci::Service& service) {
            const WorkPlan plan = service.import_plan(staged->text, staged->name);
            call->host().watchers().moved(plan.id, plan.version);
            write(plan, *answer.mutable_work_plan());
            call->finish();
        });
    };
    return Stream::start(host_, context, "ImportWorkPlan", response, {take, end});
}

grpc::ServerUnaryReactor* PlansHandlers::RehearseWorkPlan(Context* context,
                                                          const v1::RehearseWorkPlanRequest* request,
                                                          v1::RehearseWorkPlanResponse* response) {
    return unary(host_, context, "RehearseWorkPlan", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        const ClaimFilter filter = read(request->filter());
        call->read([=](server::Reader& reader) {
            for (const ClaimedAttempt& claimed : reader.service->rehearse(request->work_plan_id(), filter))
                write(claimed, request->work_plan_id(), JsonForm::text_only, *response->add_claimed());
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* PlansHandlers::WaitForChange(Context* context,
                                                       const v1::WaitForChangeRequest* request,
                                                       v1::WaitForChangeResponse* response) {
    return unary(host_, context, "WaitForChange", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->work_plan_id());
        require_plan_id(request->work_plan_id());
        const Duration at_most = read(request->at_most());
        const auto look = [=](const std::shared_ptr<LongPoll>& poll, bool last) {
            call->read(
                [=](server::Reader& reader) {
                    const WorkPlan plan = reader.service->get_plan(request->work_plan_id());
                    if (!last && plan.version == request->seen()) return poll->again(std::chrono::hours(1));
                    write(plan, *response->mutable_work_plan());
                    call->finish();
                },
                true);
        };
        LongPoll::start(call, request->work_plan_id(), at_most, look);
    });
}

}  // namespace turboci::rpc
