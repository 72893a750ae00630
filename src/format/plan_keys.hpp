// SPDX-License-Identifier: Apache-2.0
// The grammar of plan files as tables: which keys each kind of map has and what their values look like.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace turboci {

/// A place in a plan file: what the innermost map or list is.
enum class Place : std::uint8_t {
    file,  ///< around the documents
    document,
    checks,
    check,
    results,
    result,
    failure,
    stages,
    stage,
    retry,
    attempt,
    progress,
    message,
    assignments,
    assignment,
    group,    ///< the map that is a whole `dependencies`
    member,   ///< a map in a list of members: an edge or a group
    members,  ///< a list of members
    labels,
    defaults,
    matrix,  ///< dealt with by PlanExpander
    json,    ///< carried, not looked into
    skip,    ///< reported already
};

/// What a value may be.
enum class Form : std::uint8_t {
    text,      ///< a string; a plain YAML scalar is taken as written
    boolean,   ///< true or false
    integer,   ///< of 64 bits
    duration,  ///< a string such as 30s
    object,    ///< any map, carried as JSON
    value,     ///< anything, carried as JSON and understood when it is whole
    labels,    ///< a map of scalars
    map,       ///< a map with keys of its own
    list,      ///< a list; null is an empty one
    text_or_map,
    failure,    ///< a string, null, or a map with a message
    predicate,  ///< a list, a group, or null
    document,   ///< a map; null is an empty one
};

/// Where a value goes.
enum class Slot : std::uint8_t {
    none,
    reason,
    actor,
    if_version,
    op_id,
    limits,
    check_id,
    check_kind,
    check_options,
    check_state,
    check_required,
    check_dependencies,
    check_condition,
    check_skip,
    result_data,
    result_failure,
    result_finalize,
    result_owner_type,
    result_owner_id,
    result_stage,
    result_attempt,
    stage_id,
    stage_args,
    stage_dependencies,
    stage_timeout,
    stage_heartbeat,
    stage_silence,
    stage_runner,
    stage_uses,
    stage_condition,
    stage_group,
    stage_cancel,
    stage_skip,
    retry_max,
    retry_backoff,
    retry_max_backoff,
    retry_on,
    retry_on_interrupt,
    attempt_idx,
    attempt_state,
    attempt_uid,
    attempt_details,
    attempt_failure,
    attempt_no_retry,
    attempt_heartbeat,
    progress_item,
    progress_message,
    progress_details,
    assignment_item,
    assignment_check,
    assignment_goal,
    failure_message,
    member_item,
    member_node,
    member_state,
    member_when,
    member_all,
    member_any,
    member_at_least,
    member_of,
};

/// A key of a map, or (with the list's name) an item of a list.
struct KeyRule {
    std::string_view name;
    Form form;
    Slot slot = Slot::none;
    Place inside = Place::skip;  ///< what its map or list is
    bool required = false;
};

/// The keys of a map at `place`, in the order of the documentation; empty where any key goes.
[[nodiscard]] std::span<const KeyRule> plan_keys(Place place) noexcept;
/// What is called `name` in other systems, or there only in another place: its name or place here
/// ("args.command" for a stage's "run"); empty if that is not known.
[[nodiscard]] std::string_view plan_key_elsewhere(Place place, std::string_view name) noexcept;
/// What the items of a list at `place` are; nullptr if it is no list.
[[nodiscard]] const KeyRule* plan_item(Place place) noexcept;
/// "a string", "a list": what a value of this form must be, for messages.
[[nodiscard]] std::string_view describe(Form form) noexcept;

}  // namespace turboci
