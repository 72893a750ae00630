// SPDX-License-Identifier: Apache-2.0
// Domain values as JSON text: the stable contract of `-o json` and `-o jsonl`.
#pragma once

#include <string>

#include "turboci/requests.hpp"

namespace turboci {

// Each appends one compact JSON object to `out`, on one line. Keys are always present, lists are [] when
// empty, what is absent is null, references are "check:ID" or "stage:ID", times are RFC 3339 with
// microseconds, durations are as in plan files ("30s"). Bad UTF-8 becomes U+FFFD. What is free text (kind,
// actor, reason) is "" when not given.

/// {"id","version","labels","created_at","updated_at","counts":[{"type","state","outcome","count"}…]}
void append_json(std::string& out, const WorkPlan& plan);
/// {"predicate":"AND|OR|THRESHOLD","threshold","edges":[{"target_type","target_id","on_state","when",
/// "resolved","satisfied","resolved_at"}…],"groups":[…],"resolution"}. `threshold` is the number of members
/// that must be satisfied, whatever the predicate. `when` is null for edges on an earlier state than FINAL.
void append_json(std::string& out, const Predicate& predicate);
/// {"id","kind","state","outcome","options","dependencies","results":[{"id","owner_type","owner_id","data",
/// "failure":null|{"message"},"created_at","finalized_at"}…],"version","created_at","updated_at",
/// "state_history":[{"state","version","at"}…]}
void append_json(std::string& out, const Check& check);
/// {"id","state","outcome","concluded_reason","args","dependencies","assignments":[{"target_check_id",
/// "goal_state"}…],"retry":{"max_retries","backoff"},"timeout","heartbeat","continuation_group",
/// "attempts":[…],"version","created_at","updated_at","state_history"}
void append_json(std::string& out, const Stage& stage);
/// {"idx","state","process_uid","details","progress":[{"message","timestamp","details"}…],"failure",
/// "not_before","last_heartbeat","created_at","updated_at"}
void append_json(std::string& out, const Attempt& attempt);
/// {"plan","created":[REF…],"changed":[REF…],"advanced":[{"node","from","to"}…],"warnings":[…]}
void append_json(std::string& out, const WriteResult& result);
/// {"plan","carried":[REF…],"begun":[REF…],"ended":[REF…],"nothing_to_do","warnings":[…]}
void append_json(std::string& out, const RerunResult& result);
/// {"plan","stage","attempt"}
void append_json(std::string& out, const ClaimedAttempt& claimed, const WorkPlan& plan);
/// {"version","time","actor","reason","op_id","by","node","changes"}; op_id is null when there is none,
/// node is null for a change of the plan itself.
void append_json(std::string& out, const LogEntry& entry);
/// {"plan","node":N,"because":[N…],"root_causes":[REF…],"truncated"} where N is {"node":REF,"state",
/// "outcome","concluded_reason","dependencies","continuation_group","notes":[…]}; the edges of its
/// predicates tell "target_state" and "target_outcome" as well.
void append_json(std::string& out, const Explanation& explanation);
/// {"plan","totals":{"checks","stages","final_checks","final_stages","passed_checks","failed_checks",
/// "skipped_checks","passed_stages","failed_stages","skipped_stages","cancelled_stages"},"ready":[REF…],
/// "running":[REF…],"failed":[{"node":REF,"message"}…],"open_checks":[REF…]}
void append_json(std::string& out, const PlanSummary& summary);
/// {"error":{"code","message","details":[{"file","line","column","message"}…]}}; the message holds the
/// remedy too, file, line and column are null when unknown.
void append_json(std::string& out, const Error& error);

/// A query's answer as one document: {"plan":{…},"checks":[…],"stages":[…]}. Takes the plan first, then
/// checks, then stages, as a query hands them out.
class JsonSink : public NodeSink {
public:
    void plan(const WorkPlan& plan) override;
    void check(const Check& check) override;
    void stage(const Stage& stage) override;
    /// The document, compact. Call once, at the end.
    [[nodiscard]] std::string take();

private:
    void begin_stages();

    std::string out_;
    bool in_stages_ = false;
    bool first_ = true;
};

/// The same document with two spaces of indentation, for `-o json`. Linear, without recursion. No newline
/// at the end.
[[nodiscard]] std::string indent_json(std::string_view compact);
/// The same document as YAML (through yaml-cpp's emitter), for `-o yaml`; ends with a newline. Strings that
/// another reader could take for something else are quoted; numbers keep their value exactly. INTERNAL if
/// `compact` is not JSON.
[[nodiscard]] std::string json_to_yaml(std::string_view compact);

}  // namespace turboci
