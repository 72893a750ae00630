// SPDX-License-Identifier: Apache-2.0
// The columns of the rows that are read in more than one place, and how their values stand in the tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/database.hpp"
#include "turboci/store.hpp"

// Each in the one order in which everybody reads them.
#define TURBOCI_NODE_COLUMNS                                                                              \
    "node_key, plan_key, type, id, kind, state, outcome, concluded_reason, version, updated_at, history," \
    " group_kind, threshold, unresolved, satisfied, resolution, dependencies_since, attempt, "            \
    "has_continuation, required, skip_cause"
#define TURBOCI_BODY_COLUMNS                                                                               \
    "json, max_retries, backoff, timeout, heartbeat, created_by, created_by_attempt, message, condition,"  \
    " silence, runner, uses, max_backoff, retry_on, on_interrupt, carried_from_id, carried_from_identity," \
    " carried_from_version"
#define TURBOCI_GROUP_COLUMNS \
    "owner_key, role, group_no, parent, kind, threshold, unresolved, satisfied, resolution, since"
#define TURBOCI_EDGE_COLUMNS "owner_key, role, position, group_no, target_key, target_type, on_state, on_when"
#define TURBOCI_ATTEMPT_COLUMNS                                                                        \
    "stage_key, idx, plan_key, state, process_uid, details, failure, not_before, last_heartbeat, "     \
    "created_at,"                                                                                      \
    " updated_at, ready_at, started_at, deadline, no_retry, runner_host, runner_boot_id, runner_pid, " \
    "runner_start, holder, cause, exit_code, signal, log_path, stopping_since, stopping_by, "          \
    "stopping_reason,"                                                                                 \
    " stopping_cause, stopping_inside, ended_at, retries, interruptions, class, log_bytes, log_dropped"
#define TURBOCI_RESULT_COLUMNS \
    "check_key, id, owner_type, owner_id, data, failure, created_at, finalized_at, stage_key, attempt"

namespace turboci::sqlite {

/// A state from its number; STORE if the type has no such state.
[[nodiscard]] State decode_state(NodeType type, std::int64_t number);
[[nodiscard]] std::optional<Outcome> decode_outcome(std::int64_t number);  ///< 0 is none

/// A history packed into a few bytes: for each entry the state's number (one byte), then version and time
/// as LEB128 numbers, both as differences from the entry before.
class PackedHistory {
public:
    PackedHistory(NodeType type, const StateHistory& history);
    [[nodiscard]] std::span<const std::byte> bytes() const { return {buffer_.data(), size_}; }

private:
    void put(std::uint64_t value);
    std::array<std::byte, std::size_t{4} * 21> buffer_{};
    std::size_t size_ = 0;
};
/// Replaces `history`. STORE if the bytes are not what PackedHistory makes.
void unpack_history(NodeType type, std::span<const std::byte> bytes, StateHistory& history);
/// How far a target in `state` has come, for `edge`, whose row is there: target_furthest and reached_at.
/// STORE if the bytes are not what PackedHistory makes.
void read_reached(NodeType type, State state, std::span<const std::byte> history, EdgeRecord& edge);
void read_reached(NodeType type, State state, const StateHistory& history, EdgeRecord& edge);

/// The attempts that an operation took as text: "STAGE_KEY:IDX", blanks between.
[[nodiscard]] std::string pack_claimed(const std::vector<OperationRow::Taken>& claimed);
/// STORE if the text is not what pack_claimed() makes.
[[nodiscard]] std::vector<OperationRow::Taken> unpack_claimed(std::string_view text);

/// The columns of a group's count, from `column` on: kind, threshold, unresolved, satisfied, resolution.
template <class Row>
[[nodiscard]] GroupCount read_count(const Columns<Row>& row, int column) {
    GroupCount count;
    count.kind = row.enumeration(column, GroupKind::all, GroupKind::at_least);
    count.threshold = row.small(column + 1);
    count.unresolved = row.small(column + 2);
    count.satisfied = row.small(column + 3);
    count.resolution = row.enumeration(column + 4, Resolution::unresolved, Resolution::unsatisfied);
    return count;
}

/// The last of the enumeration.
inline constexpr ConcludedReason kLastReason = ConcludedReason::skipped;

// These fill a row from a statement that returns its columns; they keep the memory that it has. STORE if a
// value makes no sense.
/// A statement may return NULL for a history that is not wanted: then it is empty.
void read_node(const Query& row, NodeRow& node);
/// The node of a key; false: there is none.
[[nodiscard]] bool read_node(Database& db, NodeKey key, NodeRow& node);
/// TURBOCI_BODY_COLUMNS begin at `column`.
void read_body(const Query& row, int column, NodeBody& body);
void read_group(const Query& row, GroupRow& group);
void read_edge(const Query& row, EdgeRow& edge);
void read_attempt(const Query& row, AttemptRow& attempt);  ///< `progress` is left empty
void read_result(const Query& row, ResultRow& result);

}  // namespace turboci::sqlite
