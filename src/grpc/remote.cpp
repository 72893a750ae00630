// SPDX-License-Identifier: Apache-2.0
#include "grpc/remote.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/outline.hpp"
#include "format/node_collector.hpp"
#include "grpc/convert.hpp"
#include "grpc/remote_call.hpp"
#include "grpc/remote_outline.hpp"
#include "turboci/v1/admin.grpc.pb.h"
#include "turboci/v1/plans.grpc.pb.h"
#include "turboci/v1/service.grpc.pb.h"
#include "turboci/v1/worker.grpc.pb.h"

namespace turboci::rpc {

namespace {

constexpr std::size_t kUnaryNodes = 10'000;  // a request of more goes in parts
constexpr std::size_t kPartNodes = 2'000;
constexpr std::size_t kImportPartBytes = 256 << 10;

/// The stubs of all services on one connection.
struct Stubs {
    explicit Stubs(const RemoteOptions& options)
        : connection(options),
          orchestrator(v1::TurboCIOrchestrator::NewStub(connection.channel())),
          plans(v1::TurboCIPlans::NewStub(connection.channel())),
          worker(v1::TurboCIWorker::NewStub(connection.channel())),
          admin(v1::TurboCIAdmin::NewStub(connection.channel())) {}
    Connection connection;
    std::unique_ptr<v1::TurboCIOrchestrator::Stub> orchestrator;
    std::unique_ptr<v1::TurboCIPlans::Stub> plans;
    std::unique_ptr<v1::TurboCIWorker::Stub> worker;
    std::unique_ptr<v1::TurboCIAdmin::Stub> admin;
    std::string resolved;  ///< the id that was resolved last: a whole id means that plan and no other
};

/// A request in its wire form, and as the server reads it: its errors name the places of that.
struct Sent {
    explicit Sent(const WriteNodes& request) : here(request) {
        write(request, wire);
        wire.set_json_only(true);
        wire.set_no_nodes(true);
    }
    [[nodiscard]] WriteNodes there() const {
        FieldNames names;
        return read(wire, names);
    }
    const WriteNodes& here;
    v1::WriteNodesRequest wire;
};

class RemoteService final : public Service {
public:
    explicit RemoteService(const RemoteOptions& options)
        : stubs_(std::make_shared<Stubs>(options)), wait_(options.wait) {}
    RemoteService(std::shared_ptr<Stubs> stubs, Wait wait)
        : stubs_(std::move(stubs)), wait_(std::move(wait)) {}

    std::unique_ptr<Service> with(Wait wait) override {
        return std::make_unique<RemoteService>(stubs_, std::move(wait));
    }

    WriteResult create_plan(const CreatePlan& request) override;
    WriteResult write_nodes(const WriteNodes& request) override;
    std::vector<BatchAnswer> write_batch(std::span<const WriteNodes> requests) override;
    RerunResult rerun_plan(const RerunPlan& request) override;
    void delete_plan(const std::string& plan, bool force) override;
    std::vector<WorkPlan> prune_plans(const PrunePlans& request) override;
    bool beat(const Beat& beat) override;
    void end_beats(const std::string& holder) override;
    void drain_worker(const std::string& name) override;
    std::int64_t append_output(const AppendOutput& request) override;
    std::vector<Worker> workers() override;
    void read_output(const ReadOutput& request, const std::function<void(const OutputPart&)>& visit) override;
    std::vector<WorkPlan> list_plans() override;
    WorkPlan get_plan(const std::string& plan) override;
    PlanSummary summarize(const std::string& plan, std::size_t limit) override;
    void query(const QueryNodes& request, NodeSink& sink) override;
    Outline outline(const QueryNodes& request) override;
    Explanation explain(const std::string& plan, const RefText& ref) override;
    std::vector<ClaimedAttempt> rehearse(const std::string& plan, const ClaimFilter& filter) override;
    void read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit) override;
    WorkPlan watch(const std::string& plan, std::int64_t seen, Duration at_most) override;
    // The protocol has no such call: what other programs wrote past the server may be lost with its database.
    void flush() override {}
    void export_plan(const std::string& plan,
                     const std::function<void(std::string_view line)>& write) override;
    WorkPlan import_plan(std::string_view text, const std::string& name) override;
    std::vector<std::string> check_states() override;

private:
    using Context = grpc::ClientContext;
    template <class Call>
    void call(bool again, const Call& make) {
        stubs_->connection.call(wait_, again, make);
    }
    /// The id of the plan that a text chooses.
    [[nodiscard]] std::string plan_id(const std::string& text);
    template <class Answer>
    [[nodiscard]] WriteResult finish(const Sent& sent, const Answer& answer) const;
    void stream_write(const Sent& sent, v1::WriteNodesResponse& answer);

    std::shared_ptr<Stubs> stubs_;
    Wait wait_;
};

std::string RemoteService::plan_id(const std::string& text) {
    if (!text.empty() && text == stubs_->resolved) return text;
    return get_plan(text).id;
}

WorkPlan RemoteService::get_plan(const std::string& plan) {
    v1::ResolveWorkPlanRequest request;
    request.set_text(plan);
    v1::ResolveWorkPlanResponse answer;
    call(true, [&](Context& context) { return stubs_->plans->ResolveWorkPlan(&context, request, &answer); });
    WorkPlan found = read(answer.work_plan());
    stubs_->resolved = found.id;
    return found;
}

template <class Answer>
WriteResult RemoteService::finish(const Sent& sent, const Answer& answer) const {
    WriteResult result = read(answer);
    for (std::string& warning : result.warnings)
        if (warning.find(kRequestFile) != std::string::npos)
            warning = with_places(warning, sent.here, sent.there());
    return result;
}

WriteResult RemoteService::create_plan(const CreatePlan& request) {
    const Sent sent(request.nodes);
    v1::CreateWorkPlanRequest wire;
    write(request, wire);
    wire.mutable_nodes()->set_json_only(true);
    wire.mutable_nodes()->set_no_nodes(true);
    v1::CreateWorkPlanResponse answer;
    try {
        call(!request.nodes.op_id.empty(),
             [&](Context& context) { return stubs_->orchestrator->CreateWorkPlan(&context, wire, &answer); });
    } catch (const Error& error) {
        FieldNames names;
        throw with_places(error, request.nodes, read(wire, names).nodes);
    }
    return finish(sent, answer.nodes());
}

void RemoteService::stream_write(const Sent& sent, v1::WriteNodesResponse& answer) {
    call(!sent.here.op_id.empty(), [&](Context& context) {
        v1::WriteNodesStreamResponse whole;
        const auto writer = stubs_->plans->WriteNodesStream(&context, &whole);
        v1::WriteNodesStreamRequest part;
        *part.mutable_part() = sent.wire;
        part.mutable_part()->clear_checks();
        part.mutable_part()->clear_stages();
        std::size_t nodes = 0;
        bool open = true;
        const auto send = [&](bool all) {
            if (!open || (!all && ++nodes % kPartNodes != 0)) return;
            open = writer->Write(part);
            part.mutable_part()->clear_checks();
            part.mutable_part()->clear_stages();
        };
        for (const auto& check : sent.wire.checks()) {
            *part.mutable_part()->add_checks() = check;
            send(false);
        }
        for (const auto& stage : sent.wire.stages()) {
            *part.mutable_part()->add_stages() = stage;
            send(false);
        }
        send(true);
        writer->WritesDone();
        const grpc::Status status = writer->Finish();
        answer = whole.write();
        return status;
    });
}

WriteResult RemoteService::write_nodes(const WriteNodes& request) {
    Sent sent(request);
    sent.wire.set_work_plan_id(plan_id(request.plan));
    v1::WriteNodesResponse answer;
    try {
        if (request.checks.size() + request.stages.size() > kUnaryNodes)
            stream_write(sent, answer);
        else
            call(!request.op_id.empty(), [&](Context& context) {
                return stubs_->orchestrator->WriteNodes(&context, sent.wire, &answer);
            });
    } catch (const Error& error) {
        throw with_places(error, request, sent.there());
    }
    return finish(sent, answer);
}

std::vector<BatchAnswer> RemoteService::write_batch(std::span<const WriteNodes> requests) {
    // The server commits together what comes together; here each is a call of its own.
    std::vector<BatchAnswer> answers(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
        try {
            if (requests[i].dry_run)
                throw Error(ErrorCode::invalid_argument, "a batch cannot hold a write that is only tried");
            answers[i].result = write_nodes(requests[i]);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::store || error.code() == ErrorCode::locked ||
                error.code() == ErrorCode::internal)
                throw;
            answers[i].error = error;
        }
    }
    return answers;
}

RerunResult RemoteService::rerun_plan(const RerunPlan& request) {
    v1::RerunWorkPlanRequest wire;
    write(request, wire);
    wire.set_work_plan_id(plan_id(request.plan));
    v1::RerunWorkPlanResponse answer;
    try {
        call(!request.definitions.op_id.empty(),
             [&](Context& context) { return stubs_->plans->RerunWorkPlan(&context, wire, &answer); });
    } catch (const Error& error) {
        FieldNames names;
        throw with_places(error, request.definitions, read(wire, names).definitions);
    }
    return read(answer);
}

void RemoteService::delete_plan(const std::string& plan, bool force) {
    v1::DeleteWorkPlanRequest request;
    request.set_work_plan_id(plan);
    request.set_force(force);
    v1::DeleteWorkPlanResponse answer;
    call(false, [&](Context& context) { return stubs_->plans->DeleteWorkPlan(&context, request, &answer); });
}

std::vector<WorkPlan> RemoteService::prune_plans(const PrunePlans& request) {
    v1::PruneWorkPlansRequest wire;
    write(request, wire);
    v1::PruneWorkPlansResponse answer;
    call(false, [&](Context& context) { return stubs_->plans->PruneWorkPlans(&context, wire, &answer); });
    std::vector<WorkPlan> plans;
    for (const auto& plan : answer.work_plans()) plans.push_back(read(plan));
    return plans;
}

bool RemoteService::beat(const Beat& beat) {
    v1::BeatRequest request;
    write(beat, request);
    v1::BeatResponse answer;
    call(true, [&](Context& context) { return stubs_->worker->Beat(&context, request, &answer); });
    return answer.drain();
}

void RemoteService::end_beats(const std::string& holder) {
    v1::BeatRequest request;
    request.set_worker_uid(holder);
    request.set_ended(true);
    v1::BeatResponse answer;
    call(true, [&](Context& context) { return stubs_->worker->Beat(&context, request, &answer); });
}

void RemoteService::drain_worker(const std::string& name) {
    v1::DrainWorkerRequest request;
    request.set_name(name);
    v1::DrainWorkerResponse answer;
    call(true, [&](Context& context) { return stubs_->admin->DrainWorker(&context, request, &answer); });
}

std::vector<Worker> RemoteService::workers() {
    v1::ListWorkersResponse answer;
    call(true, [&](Context& context) { return stubs_->admin->ListWorkers(&context, {}, &answer); });
    std::vector<Worker> all;
    for (const auto& worker : answer.workers()) all.push_back(read(worker));
    return all;
}

std::int64_t RemoteService::append_output(const AppendOutput& request) {
    v1::AppendLogRequest wire;
    wire.set_attempt_token(request.token);
    wire.set_seq(request.seq);
    wire.set_data(request.data);
    v1::AppendLogResponse answer;
    // A part that is there already is not appended again.
    call(true, [&](Context& context) { return stubs_->worker->AppendLog(&context, wire, &answer); });
    return answer.next_seq();
}

void RemoteService::read_output(const ReadOutput& request,
                                const std::function<void(const OutputPart&)>& visit) {
    v1::ReadLogsRequest wire;
    wire.mutable_selection()->set_work_plan_id(plan_id(request.plan));
    auto& attempt = *wire.add_attempts();
    attempt.set_stage_id(request.stage);
    attempt.set_idx(request.idx);
    wire.set_offset(request.offset);
    wire.set_tail_lines(request.tail_lines.value_or(0));
    if (request.tail_bytes) wire.set_tail_bytes(*request.tail_bytes);
    if (request.tail_lines == 0) wire.set_tail_bytes(0);
    bool begun = false;
    call(true, [&](Context& context) {
        const auto reader = stubs_->plans->ReadLogs(&context, wire);
        v1::ReadLogsResponse part;
        while (reader->Read(&part)) {
            begun = true;
            if (!part.data().empty()) visit({part.offset(), part.data(), part.next()});
        }
        const grpc::Status status = reader->Finish();
        if (!status.ok() && begun) throw to_error(status);
        return status;
    });
}

std::vector<WorkPlan> RemoteService::list_plans() {
    v1::ListWorkPlansResponse answer;
    call(true, [&](Context& context) { return stubs_->plans->ListWorkPlans(&context, {}, &answer); });
    std::vector<WorkPlan> plans;
    for (const auto& plan : answer.work_plans()) plans.push_back(read(plan));
    return plans;
}

PlanSummary RemoteService::summarize(const std::string& plan, std::size_t limit) {
    v1::SummarizeWorkPlanRequest request;
    request.set_work_plan_id(plan_id(plan));
    request.set_limit(static_cast<std::int32_t>(std::min<std::size_t>(limit, INT32_MAX)));
    request.set_no_lists(limit == 0);
    v1::SummarizeWorkPlanResponse answer;
    call(true,
         [&](Context& context) { return stubs_->plans->SummarizeWorkPlan(&context, request, &answer); });
    return read(answer);
}

void RemoteService::query(const QueryNodes& request, NodeSink& sink) {
    v1::StreamNodesRequest wire;
    write(request, *wire.mutable_query());
    wire.mutable_query()->set_work_plan_id(plan_id(request.plan));
    wire.mutable_query()->set_json_only(true);
    bool begun = false;
    // Once something has been handed over it is not handed over again.
    call(true, [&](Context& context) {
        const auto reader = stubs_->plans->StreamNodes(&context, wire);
        v1::StreamNodesResponse part;
        while (reader->Read(&part)) {
            const auto& nodes = part.nodes();
            if (nodes.has_plan() && !std::exchange(begun, true)) sink.plan(read(nodes.plan()));
            for (const auto& absent : nodes.absent()) sink.absent(read_ref(absent));
            for (const auto& check : nodes.checks()) sink.check(read(check));
            for (const auto& stage : nodes.stages()) sink.stage(read(stage));
        }
        const grpc::Status status = reader->Finish();
        if (!status.ok() && begun) throw to_error(status);
        return status;
    });
}

Outline RemoteService::outline(const QueryNodes& request) {
    QueryNodes wanted = request;
    wanted.parts = kBareNodes;
    wanted.parts.body = wanted.parts.predicates = wanted.parts.assignments = true;
    NodeCollector found;
    query(wanted, found);
    return outline_of(found.plan().id, found.checks(), found.stages());
}

Explanation RemoteService::explain(const std::string& plan, const RefText& ref) {
    v1::ExplainNodeRequest request;
    request.set_work_plan_id(plan_id(plan));
    write(ref, *request.mutable_node());
    v1::ExplainNodeResponse answer;
    call(true, [&](Context& context) { return stubs_->plans->ExplainNode(&context, request, &answer); });
    return read(answer);
}

std::vector<ClaimedAttempt> RemoteService::rehearse(const std::string& plan, const ClaimFilter& filter) {
    v1::RehearseWorkPlanRequest request;
    request.set_work_plan_id(plan_id(plan));
    write(filter, *request.mutable_filter());
    v1::RehearseWorkPlanResponse answer;
    call(true, [&](Context& context) { return stubs_->plans->RehearseWorkPlan(&context, request, &answer); });
    std::vector<ClaimedAttempt> claimed;
    for (const auto& one : answer.claimed()) claimed.push_back(read(one));
    return claimed;
}

void RemoteService::read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit) {
    v1::ReadRecordRequest wire;
    write(request, wire);
    wire.set_work_plan_id(plan_id(request.plan));
    bool begun = false;
    call(true, [&](Context& context) {
        const auto reader = stubs_->plans->ReadRecord(&context, wire);
        v1::ReadRecordResponse part;
        while (reader->Read(&part)) {
            begun = true;
            visit(read(part.entry()));
        }
        const grpc::Status status = reader->Finish();
        if (!status.ok() && begun) throw to_error(status);
        return status;
    });
}

WorkPlan RemoteService::watch(const std::string& plan, std::int64_t seen, Duration at_most) {
    // Short enough that give_up is asked often.
    constexpr Duration kRound = std::chrono::milliseconds(500);
    const auto until = std::chrono::steady_clock::now() + at_most;
    v1::WaitForChangeRequest request;
    WorkPlan now = get_plan(plan);
    request.set_work_plan_id(now.id);
    request.set_seen(seen);
    while (now.version == seen) {
        const auto left = std::chrono::duration_cast<Duration>(until - std::chrono::steady_clock::now());
        if (left <= Duration::zero() || (wait_.give_up && wait_.give_up())) break;
        write(std::min(left, kRound), *request.mutable_at_most());
        v1::WaitForChangeResponse answer;
        call(true,
             [&](Context& context) { return stubs_->plans->WaitForChange(&context, request, &answer); });
        const std::string identity = std::exchange(now, read(answer.work_plan())).identity;
        require_identity(now.id, now.identity, identity);
    }
    return now;
}

void RemoteService::export_plan(const std::string& plan,
                                const std::function<void(std::string_view line)>& write) {
    v1::ExportWorkPlanRequest request;
    request.set_work_plan_id(plan_id(plan));
    bool begun = false;
    std::string text;
    call(true, [&](Context& context) {
        const auto reader = stubs_->plans->ExportWorkPlan(&context, request);
        v1::ExportWorkPlanResponse part;
        while (reader->Read(&part)) {
            begun = true;
            text += part.data();
            std::size_t start = 0;
            for (std::size_t end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
                write(std::string_view(text).substr(start, end - start));
            text.erase(0, start);
        }
        const grpc::Status status = reader->Finish();
        if (!status.ok() && begun) throw to_error(status);
        return status;
    });
}

WorkPlan RemoteService::import_plan(std::string_view text, const std::string& name) {
    v1::ImportWorkPlanResponse answer;
    call(false, [&](Context& context) {
        const auto writer = stubs_->plans->ImportWorkPlan(&context, &answer);
        v1::ImportWorkPlanRequest part;
        part.set_name(name);
        std::string_view rest = text;
        do {
            const std::size_t size = std::min(rest.size(), kImportPartBytes);
            part.set_data(std::string(rest.substr(0, size)));
            rest.remove_prefix(size);
        } while (writer->Write(part) && !rest.empty());
        writer->WritesDone();
        return writer->Finish();
    });
    return read(answer.work_plan());
}

std::vector<std::string> RemoteService::check_states() {
    v1::CheckStoreResponse answer;
    call(true, [&](Context& context) { return stubs_->admin->CheckStore(&context, {}, &answer); });
    return {answer.lines().begin(), answer.lines().end()};
}

}  // namespace

std::unique_ptr<Service> make_remote_service(RemoteOptions options) {
    return std::make_unique<RemoteService>(options);
}

}  // namespace turboci::rpc
