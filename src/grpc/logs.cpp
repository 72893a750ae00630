// SPDX-License-Identifier: Apache-2.0
// What attempts printed, to whoever asks for it.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "format/node_collector.hpp"
#include "grpc/answers.hpp"
#include "grpc/enums.hpp"
#include "grpc/plans.hpp"
#include "grpc/streams.hpp"
#include "service/judge.hpp"

namespace turboci::rpc {

namespace {

using server::Scope;
using LogStream = AnswerStream<v1::ReadLogsResponse>;

constexpr Duration kPause = std::chrono::milliseconds(250);

/// The output of some attempts, as it is or as it comes.
class LogReading {
public:
    LogReading(const v1::ReadLogsRequest& request, FieldNames& fields)
        : request_(request), selection_(rpc::read(request.selection(), fields).nodes) {
        for (const auto& attempt : request.attempts())
            selection_.refs.push_back({NodeType::stage, attempt.stage_id()});
        selection_.types = {NodeType::stage};
        selection_.skip_absent = false;
        selection_.parts = kBareNodes;
        selection_.parts.attempts = true;
    }

    std::optional<Duration> run(server::Reader& reader, const LogStream::Put& put) {
        NodeCollector found;
        reader.service->query(selection_, found);
        require_named(found.stages());
        bool over = true;
        for (const Stage& stage : found.stages()) {
            for (const Attempt* attempt : wanted(stage)) show(*reader.service, stage, *attempt, put);
            over = over && (request_.attempts_size() > 0 ? has_shown_all(stage) : is_over(stage));
        }
        if (over || !request_.follow()) return std::nullopt;
        return kPause;
    }

private:
    struct Place {
        std::int64_t offset = 0;
        bool begun = false, ended = false;
    };
    using Name = std::pair<std::string, std::int32_t>;

    [[nodiscard]] bool is_named(const Stage& stage, const Attempt& attempt) const {
        return std::ranges::any_of(request_.attempts(), [&](const v1::AttemptRef& name) {
            return name.stage_id() == stage.id && name.idx() == attempt.idx;
        });
    }
    void require_named(const std::vector<Stage>& stages) const {
        for (const v1::AttemptRef& name : request_.attempts()) {
            const bool is_there = std::ranges::any_of(stages, [&](const Stage& stage) {
                return stage.id == name.stage_id() &&
                       std::ranges::find(stage.attempts, name.idx(), &Attempt::idx) != stage.attempts.end();
            });
            if (!is_there)
                throw Error(ErrorCode::not_found,
                            fmt::format("there is no stage:{} attempt {}", name.stage_id(), name.idx()));
        }
    }
    [[nodiscard]] bool has_output(const Stage& stage, const Attempt& attempt) const {
        return attempt.log || places_.contains({stage.id, attempt.idx}) ||
               (request_.follow() && attempt.state == AttemptState::running);
    }
    static bool is_over(const Stage& stage) {
        return stage.state == State::final || stage.state == State::awaiting_group;
    }

    /// Those that were named; else the last one that printed something, and what follows it.
    [[nodiscard]] std::vector<const Attempt*> wanted(const Stage& stage) {
        std::vector<const Attempt*> all;
        for (const Attempt& attempt : stage.attempts) {
            const bool fits = request_.attempts_size() > 0
                                  ? is_named(stage, attempt)
                                  : has_output(stage, attempt) &&
                                        (!request_.failed() || attempt.state == AttemptState::incomplete);
            if (fits) all.push_back(&attempt);
        }
        if (request_.attempts_size() > 0 || all.empty()) return all;
        const auto first = first_.try_emplace(stage.id, all.back()->idx).first;
        std::erase_if(all, [idx = first->second](const Attempt* attempt) { return attempt->idx < idx; });
        return all;
    }
    [[nodiscard]] bool has_shown_all(const Stage& stage) const {
        return std::ranges::all_of(request_.attempts(), [&](const v1::AttemptRef& name) {
            if (name.stage_id() != stage.id) return true;
            const auto place = places_.find({stage.id, name.idx()});
            return place == places_.end() || place->second.ended;
        });
    }

    void show(Service& service, const Stage& stage, const Attempt& attempt, const LogStream::Put& put) {
        Place& place = places_[{stage.id, attempt.idx}];
        if (place.ended) return;
        ReadOutput wanted;
        wanted.plan = selection_.plan;
        wanted.stage = stage.id;
        wanted.idx = attempt.idx;
        wanted.offset = std::max(place.offset, request_.offset());
        if (!std::exchange(place.begun, true)) {
            if (request_.tail_lines() > 0) wanted.tail_lines = request_.tail_lines();
            if (request_.has_tail_bytes()) wanted.tail_bytes = request_.tail_bytes();
        }
        v1::ReadLogsResponse answer;
        answer.mutable_attempt()->set_stage_id(stage.id);
        answer.mutable_attempt()->set_idx(attempt.idx);
        try {
            service.read_output(wanted, [&](const OutputPart& part) {
                answer.set_offset(part.offset);
                answer.set_data(std::string(part.bytes));
                answer.set_next(part.next);
                place.offset = part.next;
                put(answer);
            });
        } catch (const Error& error) {
            // Who selects many of them takes those that are there.
            if (error.code() != ErrorCode::not_found || request_.attempts_size() > 0) throw;
        }
        if (!is_ended(attempt.state)) return;
        place.ended = true;
        answer.clear_data();
        answer.set_offset(place.offset);
        answer.set_next(place.offset);
        answer.set_end(true);
        put(answer);
    }

    v1::ReadLogsRequest request_;
    QueryNodes selection_;
    std::map<std::string, std::int32_t> first_;  ///< of the attempts of a stage that are shown
    std::map<Name, Place> places_;
};

}  // namespace

grpc::ServerWriteReactor<v1::ReadLogsResponse>* PlansHandlers::ReadLogs(Context* context,
                                                                        const v1::ReadLogsRequest* request) {
    return LogStream::start_following(
        host_, context, "ReadLogs", *request, [request](Call& call) -> LogStream::Follow {
            call.authorise(Scope::read, request->selection().work_plan_id());
            require_plan_id(request->selection().work_plan_id());
            if (request->tail_lines() < 0)
                throw Error(ErrorCode::invalid_argument, "tail_lines: is negative");
            const auto reading = std::make_shared<LogReading>(*request, call.fields());
            return [reading](server::Reader& reader, const LogStream::Put& put) {
                return reading->run(reader, put);
            };
        });
}

grpc::ServerUnaryReactor* PlansHandlers::Judge(Context* context, const v1::JudgeRequest* request,
                                               v1::JudgeResponse* response) {
    return unary(host_, context, "Judge", *request, [=](const CallPtr& call) {
        call->authorise(Scope::read, request->selection().work_plan_id());
        require_plan_id(request->selection().work_plan_id());
        if (request->allow_skipped() && !request->gate())
            throw Error(ErrorCode::invalid_argument, "allow_skipped: is for a gate alone");
        QueryNodes selection = rpc::read(request->selection(), call->fields()).nodes;
        call->read([=](server::Reader& reader) {
            const auto judgement = request->gate()
                                       ? judge_gate(*reader.service, selection, request->allow_skipped())
                                       : judge(*reader.service, selection);
            response->set_verdict(to_wire(kVerdicts, judgement.verdict));
            write(reader.service->get_plan(selection.plan), *response->mutable_work_plan());
            for (const auto* nodes : {&judgement.bad, &judgement.open})
                for (const NodeRef& ref : *nodes) {
                    auto& note = *response->add_reasons();
                    write(ref, *note.mutable_node());
                    note.set_text(nodes == &judgement.bad ? "did not pass" : "is open");
                }
            call->finish();
        });
    });
}

}  // namespace turboci::rpc
