// SPDX-License-Identifier: Apache-2.0
// The wire and our values, both ways. No rule of the model is here: what the service refuses is not looked
// at.
//
// read() of a request throws INVALID_ARGUMENT with all its problems: numbers that an enum does not have, what
// contradicts itself, times and JSON that are none. read() of an answer throws STORE: its server is not ours.
// `v1` is turboci::v1, the generated code.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grpc/field_names.hpp"
#include "turboci/check.hpp"
#include "turboci/json_text.hpp"
#include "turboci/node.hpp"
#include "turboci/requests.hpp"
#include "turboci/stage.hpp"
#include "turboci/time.hpp"
#include "turboci/v1/admin.pb.h"
#include "turboci/v1/plans.pb.h"
#include "turboci/v1/service.pb.h"
#include "turboci/v1/worker.pb.h"
#include "turboci/work_plan.hpp"

namespace turboci::rpc {

/// How JSON is written: as Struct with the text beside it, or as text alone. A Struct is left out where the
/// text is nested too deep for it.
enum class JsonForm { both, text_only };

/// Calls `visit` for each position of a request, always in the same order.
void visit_positions(const WriteNodes& request, const std::function<void(const Position&)>& visit);

// ------------------------------------------------------------------------------------ values
void write(Timestamp time, google::protobuf::Timestamp& wire);
void write(Duration duration, google::protobuf::Duration& wire);
[[nodiscard]] Timestamp read(const google::protobuf::Timestamp& wire);
[[nodiscard]] Duration read(const google::protobuf::Duration& wire);
/// False, and the Struct is empty, if the text is nested too deep for one.
bool write(const JsonText& json, google::protobuf::Struct& wire);
[[nodiscard]] JsonText read(const google::protobuf::Struct& wire);
void write(const NodeRef& ref, v1::NodeRef& wire);
void write(const RefText& ref, v1::NodeRef& wire);  ///< a bare one has no type
[[nodiscard]] NodeRef read(const v1::NodeRef& wire);
[[nodiscard]] RefText read_ref(const v1::NodeRef& wire);

// ------------------------------------------------------------------------------------ requests
/// The Positions of what is read are numbers of `names`, and its only file is kRequestFile.
[[nodiscard]] CreatePlan read(const v1::CreateWorkPlanRequest& wire, FieldNames& names);
void write(const CreatePlan& request, v1::CreateWorkPlanRequest& wire);
[[nodiscard]] WriteNodes read(const v1::WriteNodesRequest& wire, FieldNames& names);
void write(const WriteNodes& request, v1::WriteNodesRequest& wire);
[[nodiscard]] RerunPlan read(const v1::RerunWorkPlanRequest& wire, FieldNames& names);
void write(const RerunPlan& request, v1::RerunWorkPlanRequest& wire);
[[nodiscard]] PrunePlans read(const v1::PruneWorkPlansRequest& wire);
void write(const PrunePlans& request, v1::PruneWorkPlansRequest& wire);
[[nodiscard]] ClaimFilter read(const v1::ClaimFilter& wire);
void write(const ClaimFilter& filter, v1::ClaimFilter& wire);
[[nodiscard]] ReadLog read(const v1::ReadRecordRequest& wire);
void write(const ReadLog& request, v1::ReadRecordRequest& wire);
[[nodiscard]] Beat read(const v1::BeatRequest& wire);
void write(const Beat& beat, v1::BeatRequest& wire);

/// What a public client asks for and QueryNodes cannot say: filters that concern nodes of one type alone.
/// Applied to what the query finds.
struct StateFilter {
    std::vector<State> checks, stages;              ///< empty: any state
    std::vector<std::string> check_ids, stage_ids;  ///< empty: any
    std::vector<std::string> runners;               ///< of stages; empty: any
    [[nodiscard]] bool empty() const noexcept;
    [[nodiscard]] bool takes(const Check& check) const;
    [[nodiscard]] bool takes(const Stage& stage) const;
};
struct QueryRead {
    QueryNodes nodes;
    StateFilter filter;
    bool nothing = false;  ///< no type of node is wanted
    JsonForm form = JsonForm::both;
};
[[nodiscard]] QueryRead read(const v1::QueryNodesRequest& wire);
[[nodiscard]] QueryRead read(const v1::QueryNodesRequest& wire, FieldNames& names);
void write(const QueryNodes& request, v1::QueryNodesRequest& wire);

// ------------------------------------------------------------------------------------ nodes
/// The verdict and when something is due are the caller's to fill.
void write(const WorkPlan& plan, v1::WorkPlan& wire);
[[nodiscard]] WorkPlan read(const v1::WorkPlan& wire);
void write(const Check& check, std::string_view plan_id, JsonForm form, v1::Check& wire);
[[nodiscard]] Check read(const v1::Check& wire);
void write(const Stage& stage, std::string_view plan_id, JsonForm form, v1::Stage& wire);
[[nodiscard]] Stage read(const v1::Stage& wire);
void write(const Attempt& attempt, JsonForm form, v1::Attempt& wire);
[[nodiscard]] Attempt read(const v1::Attempt& wire);

// ------------------------------------------------------------------------------------ answers
/// Without `checks` and `stages`, which are the caller's to fill, and `attempt`.
void write(const WriteResult& result, JsonForm form, v1::WriteNodesResponse& wire);
[[nodiscard]] WriteResult read(const v1::WriteNodesResponse& wire);
void write(const RerunResult& result, v1::RerunWorkPlanResponse& wire);
[[nodiscard]] RerunResult read(const v1::RerunWorkPlanResponse& wire);
void write(const ClaimedAttempt& claimed, std::string_view plan_id, JsonForm form, v1::ClaimedAttempt& wire);
[[nodiscard]] ClaimedAttempt read(const v1::ClaimedAttempt& wire);
void write(const AttemptEnd& end, v1::AttemptEnd& wire);
[[nodiscard]] AttemptEnd read(const v1::AttemptEnd& wire);
void write(const Explanation& explanation, v1::ExplainNodeResponse& wire);
[[nodiscard]] Explanation read(const v1::ExplainNodeResponse& wire);
void write(const PlanSummary& summary, v1::SummarizeWorkPlanResponse& wire);
[[nodiscard]] PlanSummary read(const v1::SummarizeWorkPlanResponse& wire);
void write(const LogEntry& entry, v1::RecordEntry& wire);
[[nodiscard]] LogEntry read(const v1::RecordEntry& wire);
void write(const Worker& worker, v1::Worker& wire);
[[nodiscard]] Worker read(const v1::Worker& wire);

}  // namespace turboci::rpc
