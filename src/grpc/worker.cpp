// SPDX-License-Identifier: Apache-2.0
#include "grpc/worker.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "google/rpc/status.pb.h"
#include "grpc/answers.hpp"
#include "grpc/claims.hpp"
#include "grpc/long_poll.hpp"

namespace turboci::rpc {

namespace {

using server::Scope;

/// The write of one attempt by its holder: what EndAttempt, HeartbeatAttempt and ReportResult have in common.
/// Every answer tells where the attempt stands.
template <class Answer>
void write_for(const CallPtr& call, const AttemptToken& token, WriteNodes request, std::size_t bytes,
               Answer* answer) {
    request.plan = token.plan;
    request.plan_identity = token.plan_identity;
    sign(*call, request);
    call->write(std::move(request), bytes, [call, token, answer](WriteResult&& /*result*/) {
        call->read(
            [call, token, answer](server::Reader& reader) {
                *answer->mutable_attempt() = status_of(*reader.service, token);
                call->finish();
            },
            true);
    });
}

/// Ends in their own transactions within one commit, and claims.
class ClaimTry {
public:
    ClaimTry(CallPtr call, const v1::ClaimAttemptsRequest& request, v1::ClaimAttemptsResponse& response,
             std::shared_ptr<Turns> turns)
        : call_(std::move(call)), request_(request), response_(response), turns_(std::move(turns)) {}

    /// Returns how long until something will be ready; nullopt: not known. Ends the call if something was
    /// claimed, or if it must.
    [[nodiscard]] std::optional<Duration> run(Service& service, bool last) {
        if (!std::exchange(ended_, true)) end_attempts(service);
        const auto left = claim(service);
        const bool done = response_.claimed_size() > 0 || response_.replayed() || last;
        if (!done) return left.value_or(std::chrono::hours(1));
        if (left) write(*left, *response_.mutable_next_ready_in());
        call_->finish();
        return std::nullopt;
    }

private:
    void end_attempts(Service& service) {
        std::vector<WriteNodes> writes;
        std::vector<std::size_t> places;
        for (const auto& end : request_.ends()) {
            auto& told = *response_.add_ended();
            try {
                const AttemptToken token = require_token(end.attempt_token(), call_->host().store_identity());
                FieldNames fields;
                WriteNodes write = write_of(end, token, fields);
                write.token = end.attempt_token();
                write.actor = call_->actor({});
                writes.push_back(std::move(write));
                places.push_back(static_cast<std::size_t>(response_.ended_size()) - 1);
            } catch (const Error& error) {
                refuse(told, error);
            }
        }
        if (writes.empty()) return;
        const auto answers = service.write_batch(writes);
        for (std::size_t i = 0; i < answers.size(); ++i) {
            auto& told = *response_.mutable_ended(static_cast<int>(places[i]));
            if (answers[i].error) refuse(told, *answers[i].error);
            if (answers[i].result)
                call_->host().watchers().moved(answers[i].result->plan.id, answers[i].result->plan.version);
            if (const auto token = parse_attempt_token(writes[i].token)) {
                try {
                    *told.mutable_attempt() = status_of(service, *token);
                } catch (const Error&) {
                    // The plan is gone: the refusal says so.
                }
            }
        }
    }

    void refuse(v1::EndedAttempt& told, const Error& error) const {
        ErrorContext about;
        about.request_id = call_->request_id();
        told.mutable_status()->ParseFromString(to_status(error, about).error_details());
    }

    std::optional<Duration> claim(Service& service) {
        Claim wanted = claim_of(request_);
        std::vector<std::string> plans{request_.work_plan_id()};
        if (plans.front().empty()) plans = turns_->order(service.list_plans(), request_);
        std::optional<Duration> next;
        for (const std::string& plan : plans) {
            WriteNodes write;
            write.plan = plan;
            write.actor = call_->actor({});
            write.op_id = request_.op_id();
            write.claim = wanted;
            const WriteResult result = service.write_nodes(write);
            if (result.moved) call_->host().watchers().moved(plan, result.plan.version);
            if (result.next_ready_in)
                next = std::min(next.value_or(*result.next_ready_in), *result.next_ready_in);
            if (result.replayed) response_.set_replayed(true);
            take(service, result);
            wanted.at_most -= static_cast<std::int32_t>(result.claimed.size());
            if (!result.claimed.empty()) turns_->served(plan);
            if (wanted.at_most <= 0) break;
        }
        return next;
    }

    /// Adds what was claimed, with the checks that it works for.
    void take(Service& service, const WriteResult& result) {
        for (const ClaimedAttempt& claimed : result.claimed) {
            auto& wire = *response_.add_claimed();
            write(claimed, result.plan.id, JsonForm::both, wire);
            write(result.plan, *wire.mutable_work_plan());
            write(call_->host().options().lost_after / 4, *wire.mutable_heartbeat_every());
            add_checks(service, result.plan.id, claimed.stage.id, wire);
        }
    }

    static void add_checks(Service& service, const std::string& plan, const std::string& stage,
                           v1::ClaimedAttempt& wire) {
        class Checks final : public NodeSink {
        public:
            Checks(v1::ClaimedAttempt& wire, std::string plan) : wire_(wire), plan_(std::move(plan)) {}
            void plan(const WorkPlan& /*plan*/) override {}
            void check(const Check& check) override {
                write(check, plan_, JsonForm::both, *wire_.add_checks());
            }
            void stage(const Stage& found) override {
                for (const Assignment& a : found.assignments)
                    assigned.push_back({NodeType::check, a.target_check_id});
            }
            std::vector<RefText> assigned;

        private:
            v1::ClaimedAttempt& wire_;
            std::string plan_;
        };
        Checks sink(wire, plan);
        QueryNodes query;
        query.plan = plan;
        query.refs = {{NodeType::stage, stage}};
        query.parts = kBareNodes;
        query.parts.assignments = true;
        service.query(query, sink);
        if (sink.assigned.empty()) return;
        query.refs = sink.assigned;
        query.parts = {};
        service.query(query, sink);
    }

    CallPtr call_;
    const v1::ClaimAttemptsRequest& request_;
    v1::ClaimAttemptsResponse& response_;
    std::shared_ptr<Turns> turns_;
    bool ended_ = false;
};

}  // namespace

grpc::ServerUnaryReactor* WorkerHandlers::ClaimAttempts(Context* context,
                                                        const v1::ClaimAttemptsRequest* request,
                                                        v1::ClaimAttemptsResponse* response) {
    return unary(host_, context, "ClaimAttempts", *request, [=, this](const CallPtr& call) {
        call->authorise(Scope::work, request->work_plan_id());
        static_cast<void>(claim_of(*request));  // what it cannot be is said before anything is ended
        const auto attempt = std::make_shared<ClaimTry>(call, *request, *response, turns_);
        const auto claim = [=](const std::shared_ptr<LongPoll>& poll, bool last) {
            call->change(request->ByteSizeLong(), [=](turboci::Service& service) {
                const auto next = attempt->run(service, last);
                if (next) poll->again(*next);
            });
        };
        LongPoll::start(call, request->work_plan_id(), read(request->wait()), claim);
    });
}

grpc::ServerUnaryReactor* WorkerHandlers::EndAttempt(Context* context, const v1::EndAttemptRequest* request,
                                                     v1::EndAttemptResponse* response) {
    return unary(host_, context, "EndAttempt", *request, [=](const CallPtr& call) {
        const AttemptToken token = require_token(request->attempt_token(), call->host().store_identity());
        call->authorise_attempt(Scope::work, token.plan, request->attempt_token());
        write_for(call, token, write_of(*request, token, call->fields()), request->ByteSizeLong(), response);
    });
}

grpc::ServerUnaryReactor* WorkerHandlers::HeartbeatAttempt(Context* context,
                                                           const v1::HeartbeatAttemptRequest* request,
                                                           v1::HeartbeatAttemptResponse* response) {
    return unary(host_, context, "HeartbeatAttempt", *request, [=](const CallPtr& call) {
        const AttemptToken token = require_token(request->attempt_token(), call->host().store_identity());
        call->authorise_attempt(Scope::work, token.plan, request->attempt_token());
        v1::WriteNodesRequest wire;
        auto& stage = *wire.add_stages();
        stage.set_id(token.stage);
        auto& attempt = *stage.mutable_current_attempt();
        attempt.set_idx(token.idx);
        attempt.set_heartbeat(true);
        if (request->has_progress()) *attempt.mutable_progress() = request->progress();
        attempt.set_details_json(request->details_json());
        write_for(call, token, read(wire, call->fields()), request->ByteSizeLong(), response);
    });
}

grpc::ServerUnaryReactor* WorkerHandlers::ReportResult(Context* context,
                                                       const v1::ReportResultRequest* request,
                                                       v1::ReportResultResponse* response) {
    return unary(host_, context, "ReportResult", *request, [=](const CallPtr& call) {
        const AttemptToken token = require_token(request->attempt_token(), call->host().store_identity());
        call->authorise_attempt(Scope::work, token.plan, request->attempt_token());
        WriteNodes write;
        write.op_id = request->op_id();
        write.inside = AttemptRef{token.stage, token.idx};
        add_result(request->result(), token, call->fields(), write);
        write_for(call, token, std::move(write), request->ByteSizeLong(), response);
    });
}

grpc::ServerUnaryReactor* WorkerHandlers::AppendLog(Context* context, const v1::AppendLogRequest* request,
                                                    v1::AppendLogResponse* response) {
    return unary(host_, context, "AppendLog", *request, [=](const CallPtr& call) {
        const AttemptToken token = require_token(request->attempt_token(), call->host().store_identity());
        call->authorise_attempt(Scope::work, token.plan, request->attempt_token());
        call->change(request->ByteSizeLong(), [=](turboci::Service& service) {
            response->set_next_seq(
                service.append_output({request->attempt_token(), request->seq(), request->data()}));
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* WorkerHandlers::Beat(Context* context, const v1::BeatRequest* request,
                                               v1::BeatResponse* response) {
    return unary(host_, context, "Beat", *request, [=](const CallPtr& call) {
        call->authorise(Scope::work, {});
        if (request->worker_uid().empty()) throw Error(ErrorCode::invalid_argument, "worker_uid: is empty");
        std::vector<AttemptToken> held;
        for (const std::string& token : request->held())
            held.push_back(require_token(token, call->host().store_identity()));
        call->change(request->ByteSizeLong(), [=](turboci::Service& service) {
            bool drain = call->host().is_draining();
            if (request->ended())
                service.end_beats(request->worker_uid());
            else
                drain = service.beat(read(*request)) || drain;
            for (const AttemptToken& token : held) *response->add_attempts() = status_of(service, token);
            const auto by = std::chrono::system_clock::now() + call->host().options().lost_after;
            write(std::chrono::time_point_cast<Duration>(by), *response->mutable_beat_by());
            response->set_drain(drain);
            call->finish();
        });
    });
}

}  // namespace turboci::rpc
