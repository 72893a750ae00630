// SPDX-License-Identifier: Apache-2.0
#include "grpc/claims.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "format/node_collector.hpp"
#include "grpc/answers.hpp"

namespace turboci::rpc {

namespace {

bool is_named(const WorkPlan& plan, const v1::ClaimAttemptsRequest& request) {
    return request.plans().empty() || std::ranges::any_of(request.plans(), [&](const std::string& pattern) {
               return ::fnmatch(pattern.c_str(), plan.id.c_str(), 0) == 0;
           });
}

}  // namespace

AttemptToken require_token(const std::string& text, const std::string& store) {
    auto token = parse_attempt_token(text);
    if (!token) throw Error(ErrorCode::invalid_argument, "attempt_token: is not one that turboci made");
    if (token->store != store)
        throw Error(ErrorCode::conflict, "attempt_token: is of another store").because("ATTEMPT_GONE");
    return std::move(*token);
}

void add_result(const v1::AttemptResult& result, const AttemptToken& token, FieldNames& fields,
                WriteNodes& request) {
    v1::WriteNodesRequest wire;
    auto& check = *wire.add_checks();
    check.set_id(result.check_id());
    *check.add_results() = result.result();
    if (result.final()) check.set_state(v1::CHECK_STATE_FINAL);
    WriteNodes read_back = read(wire, fields);
    CheckWrite write = read_back.checks[0];
    for (ResultWrite& one : write.results) one.owner = AttemptRef{token.stage, token.idx};
    request.checks.push_back(write);
}

WriteNodes write_of(const v1::EndAttemptRequest& request, const AttemptToken& token, FieldNames& fields) {
    v1::WriteNodesRequest wire;
    auto& stage = *wire.add_stages();
    stage.set_id(token.stage);
    auto& attempt = *stage.mutable_current_attempt();
    attempt.set_state(request.state());
    attempt.set_idx(token.idx);
    attempt.set_no_retry(request.no_retry());
    attempt.set_details_json(request.details_json());
    if (request.has_failure()) *attempt.mutable_failure() = request.failure();
    auto& holder = *attempt.mutable_holder();
    holder.set_identity(token.holder);
    holder.set_cause(request.cause());
    if (request.has_exit_code()) holder.set_exit_code(request.exit_code());
    if (request.has_signal()) holder.set_signal(request.signal());
    holder.set_log_json(request.log_json());
    WriteNodes write = read(wire, fields);
    write.plan = token.plan;
    write.plan_identity = token.plan_identity;
    write.op_id = request.op_id();
    if (request.state() != v1::ATTEMPT_STATE_COMPLETE && request.state() != v1::ATTEMPT_STATE_INCOMPLETE)
        throw Error(ErrorCode::invalid_argument, "state: must be COMPLETE or INCOMPLETE");
    for (const auto& result : request.results()) add_result(result, token, fields, write);
    return write;
}

v1::AttemptStatus status_of(Service& service, const AttemptToken& token) {
    QueryNodes query;
    query.plan = token.plan;
    query.refs = {{NodeType::stage, token.stage}};
    query.skip_absent = true;
    NodeCollector found;
    service.query(query, found);
    v1::AttemptStatus status;
    status.set_version(found.plan().version);
    if (found.stages().empty()) return status;
    const Stage& stage = found.stages().front();
    for (const Attempt& attempt : stage.attempts) {
        if (attempt.idx != token.idx) continue;
        v1::Attempt wire;
        write(attempt, JsonForm::text_only, wire);
        status.set_state(wire.state());
        status.set_held_by(attempt.process_uid);
        if (wire.has_stopping()) *status.mutable_stopping() = wire.stopping();
        if (wire.has_timeout_at()) *status.mutable_timeout_at() = wire.timeout_at();
        const auto& silence = stage.heartbeat;
        if (silence && attempt.last_heartbeat && !is_ended(attempt.state))
            write(*attempt.last_heartbeat + *silence, *status.mutable_heartbeat_by());
    }
    return status;
}

Claim claim_of(const v1::ClaimAttemptsRequest& request) {
    Claim claim;
    claim.at_most = request.at_most() == 0 ? 1 : request.at_most();
    claim.process_uid = request.process_uid();
    claim.holder = request.worker_uid();
    if (request.exact()) claim.stages.assign(request.only().begin(), request.only().end());
    ClaimFilter& filter = claim.filter;
    filter.only.assign(request.only().begin(), request.only().end());
    filter.except.assign(request.except().begin(), request.except().end());
    filter.match.assign(request.match().begin(), request.match().end());
    if (!request.runners().empty()) filter.runners.assign(request.runners().begin(), request.runners().end());
    if (request.exact() && request.only().empty())
        throw Error(ErrorCode::invalid_argument, "exact: needs stages that are named");
    if (request.exact() && request.work_plan_id().empty())
        throw Error(ErrorCode::invalid_argument, "exact: needs the plan of the stages");
    return claim;
}

std::vector<std::string> Turns::order(const std::vector<WorkPlan>& plans,
                                      const v1::ClaimAttemptsRequest& request) const {
    std::vector<std::string> ids;
    for (const WorkPlan& plan : plans) {
        const PlanTotals sum = totals(plan);
        if (sum.final_stages < sum.stages && has_labels(plan, request.labels()) && is_named(plan, request))
            ids.push_back(plan.id);
    }
    const auto last = std::ranges::find(ids, last_);
    if (last != ids.end()) std::rotate(ids.begin(), last + 1, ids.end());
    return ids;
}

}  // namespace turboci::rpc
