// SPDX-License-Identifier: Apache-2.0
#include "format/plan_keys.hpp"

#include <array>

namespace turboci {

namespace {

// name, form, slot, inside, required
constexpr std::array kDocument{
    KeyRule{"checks", Form::list, Slot::none, Place::checks},
    KeyRule{"stages", Form::list, Slot::none, Place::stages},
    KeyRule{"reason", Form::text, Slot::reason},
    KeyRule{"actor", Form::text, Slot::actor},
    KeyRule{"if_version", Form::integer, Slot::if_version},
    KeyRule{"op_id", Form::text, Slot::op_id},
    KeyRule{"plan", Form::labels, Slot::none, Place::labels},
    KeyRule{"limits", Form::value, Slot::limits, Place::json},
    KeyRule{"defaults", Form::map, Slot::none, Place::defaults},
};
constexpr std::array kDefaults{
    KeyRule{"check", Form::map, Slot::none, Place::check},
    KeyRule{"stage", Form::map, Slot::none, Place::stage},
};
constexpr std::array kCheck{
    KeyRule{"id", Form::text, Slot::check_id, Place::skip, true},
    KeyRule{"kind", Form::text, Slot::check_kind},
    KeyRule{"options", Form::object, Slot::check_options, Place::json},
    KeyRule{"state", Form::text, Slot::check_state},
    KeyRule{"required", Form::boolean, Slot::check_required},
    KeyRule{"dependencies", Form::predicate, Slot::check_dependencies},
    KeyRule{"condition", Form::value, Slot::check_condition, Place::json},
    KeyRule{"if", Form::value, Slot::check_condition, Place::json},
    KeyRule{"skip", Form::boolean, Slot::check_skip},
    KeyRule{"result", Form::map, Slot::none, Place::result},
    KeyRule{"results", Form::list, Slot::none, Place::results},
    KeyRule{"matrix", Form::map, Slot::none, Place::matrix},
};
constexpr std::array kResult{
    KeyRule{"data", Form::object, Slot::result_data, Place::json},
    KeyRule{"failure", Form::failure, Slot::result_failure, Place::failure},
    KeyRule{"finalize", Form::boolean, Slot::result_finalize},
    KeyRule{"owner_type", Form::text, Slot::result_owner_type},
    KeyRule{"owner_id", Form::text, Slot::result_owner_id},
    KeyRule{"stage", Form::text, Slot::result_stage},
    KeyRule{"attempt", Form::integer, Slot::result_attempt},
};
constexpr std::array kFailure{
    KeyRule{"message", Form::text, Slot::failure_message, Place::skip, true},
};
constexpr std::array kStage{
    KeyRule{"id", Form::text, Slot::stage_id, Place::skip, true},
    KeyRule{"args", Form::object, Slot::stage_args, Place::json},
    KeyRule{"dependencies", Form::predicate, Slot::stage_dependencies},
    KeyRule{"assignments", Form::list, Slot::none, Place::assignments},
    KeyRule{"retry", Form::map, Slot::none, Place::retry},
    KeyRule{"timeout", Form::duration, Slot::stage_timeout},
    KeyRule{"heartbeat", Form::duration, Slot::stage_heartbeat},
    KeyRule{"silence", Form::duration, Slot::stage_silence},
    KeyRule{"runner", Form::text, Slot::stage_runner},
    KeyRule{"uses", Form::value, Slot::stage_uses, Place::json},
    KeyRule{"condition", Form::value, Slot::stage_condition, Place::json},
    KeyRule{"if", Form::value, Slot::stage_condition, Place::json},
    KeyRule{"continuation_group", Form::predicate, Slot::stage_group},
    KeyRule{"cancel", Form::boolean, Slot::stage_cancel},
    KeyRule{"skip", Form::boolean, Slot::stage_skip},
    KeyRule{"attempt", Form::map, Slot::none, Place::attempt},
    KeyRule{"matrix", Form::map, Slot::none, Place::matrix},
};
constexpr std::array kRetry{
    KeyRule{"max_retries", Form::integer, Slot::retry_max},
    KeyRule{"backoff", Form::duration, Slot::retry_backoff},
    KeyRule{"max_backoff", Form::duration, Slot::retry_max_backoff},
    KeyRule{"on", Form::value, Slot::retry_on, Place::json},
    KeyRule{"on_interrupt", Form::text, Slot::retry_on_interrupt},
};
constexpr std::array kAttempt{
    KeyRule{"idx", Form::integer, Slot::attempt_idx},
    KeyRule{"state", Form::text, Slot::attempt_state},
    KeyRule{"process_uid", Form::text, Slot::attempt_uid},
    KeyRule{"details", Form::object, Slot::attempt_details, Place::json},
    KeyRule{"progress", Form::list, Slot::none, Place::progress},
    KeyRule{"failure", Form::failure, Slot::attempt_failure, Place::failure},
    KeyRule{"no_retry", Form::boolean, Slot::attempt_no_retry},
    KeyRule{"heartbeat", Form::boolean, Slot::attempt_heartbeat},
};
constexpr std::array kMessage{
    KeyRule{"message", Form::text, Slot::progress_message, Place::skip, true},
    KeyRule{"details", Form::object, Slot::progress_details, Place::json},
};
constexpr std::array kAssignment{
    KeyRule{"target_check_id", Form::text, Slot::assignment_check, Place::skip, true},
    KeyRule{"goal_state", Form::text, Slot::assignment_goal},
};
constexpr std::array kMember{
    KeyRule{"node", Form::text, Slot::member_node},
    KeyRule{"on_state", Form::text, Slot::member_state},
    KeyRule{"when", Form::text, Slot::member_when},
    KeyRule{"all", Form::list, Slot::member_all, Place::members},
    KeyRule{"any", Form::list, Slot::member_any, Place::members},
    KeyRule{"at_least", Form::integer, Slot::member_at_least},
    KeyRule{"of", Form::list, Slot::member_of, Place::members},
};

struct Elsewhere {
    std::string_view theirs;
    std::string_view ours;
};
constexpr std::array kNodeElsewhere{
    Elsewhere{"needs", "dependencies"},
    Elsewhere{"depends_on", "dependencies"},
    Elsewhere{"depends-on", "dependencies"},
    Elsewhere{"dependsOn", "dependencies"},
    Elsewhere{"deps", "dependencies"},
    Elsewhere{"requires", "dependencies"},
    Elsewhere{"name", "id"},
    Elsewhere{"strategy", "matrix"},
};
constexpr std::array kStageElsewhere{
    Elsewhere{"command", "args.command"},
    Elsewhere{"cmd", "args.command"},
    Elsewhere{"run", "args.command"},
    Elsewhere{"script", "args.command"},
    Elsewhere{"env", "args.env"},
    Elsewhere{"environment", "args.env"},
    Elsewhere{"variables", "args.env"},
    Elsewhere{"cwd", "args.cwd"},
    Elsewhere{"working-directory", "args.cwd"},
    Elsewhere{"working_directory", "args.cwd"},
    Elsewhere{"shell", "args.shell"},
    Elsewhere{"retries", "retry"},
    Elsewhere{"checks", "assignments"},
};
constexpr std::array kDefaultsElsewhere{
    Elsewhere{"checks", "check"},
    Elsewhere{"stages", "stage"},
};
constexpr std::array kDocumentElsewhere{
    Elsewhere{"jobs", "stages"},
    Elsewhere{"tasks", "stages"},
    Elsewhere{"labels", "plan"},
};

std::string_view find_ours(std::span<const Elsewhere> table, std::string_view theirs) noexcept {
    for (const Elsewhere& e : table)
        if (e.theirs == theirs) return e.ours;
    return {};
}

constexpr KeyRule kDocumentItem{"a plan file", Form::document, Slot::none, Place::document};
constexpr KeyRule kCheckItem{"checks", Form::map, Slot::none, Place::check};
constexpr KeyRule kResultItem{"results", Form::map, Slot::none, Place::result};
constexpr KeyRule kStageItem{"stages", Form::map, Slot::none, Place::stage};
constexpr KeyRule kProgressItem{"progress", Form::text_or_map, Slot::progress_item, Place::message};
constexpr KeyRule kAssignmentItem{"assignments", Form::text_or_map, Slot::assignment_item, Place::assignment};
constexpr KeyRule kMemberItem{"dependencies", Form::text_or_map, Slot::member_item, Place::member};

}  // namespace

std::span<const KeyRule> plan_keys(Place place) noexcept {
    switch (place) {
        case Place::document:
            return kDocument;
        case Place::defaults:
            return kDefaults;
        case Place::check:
            return kCheck;
        case Place::result:
            return kResult;
        case Place::failure:
            return kFailure;
        case Place::stage:
            return kStage;
        case Place::retry:
            return kRetry;
        case Place::attempt:
            return kAttempt;
        case Place::message:
            return kMessage;
        case Place::assignment:
            return kAssignment;
        case Place::group:
        case Place::member:
            return kMember;
        default:
            return {};
    }
}

const KeyRule* plan_item(Place place) noexcept {
    switch (place) {
        case Place::file:
            return &kDocumentItem;
        case Place::checks:
            return &kCheckItem;
        case Place::results:
            return &kResultItem;
        case Place::stages:
            return &kStageItem;
        case Place::progress:
            return &kProgressItem;
        case Place::assignments:
            return &kAssignmentItem;
        case Place::members:
            return &kMemberItem;
        default:
            return nullptr;
    }
}

std::string_view plan_key_elsewhere(Place place, std::string_view name) noexcept {
    if (place == Place::document) return find_ours(kDocumentElsewhere, name);
    if (place == Place::defaults) return find_ours(kDefaultsElsewhere, name);
    if (place != Place::check && place != Place::stage) return {};
    const auto ours = place == Place::stage ? find_ours(kStageElsewhere, name) : std::string_view();
    return ours.empty() ? find_ours(kNodeElsewhere, name) : ours;
}

std::string_view describe(Form form) noexcept {
    switch (form) {
        case Form::text:
            return "a string";
        case Form::boolean:
            return "true or false";
        case Form::integer:
            return "an integer";
        case Form::duration:
            return "a duration such as 500ms, 30s, 10m or 2h";
        case Form::object:
        case Form::labels:
        case Form::map:
            return "a map";
        case Form::value:
            return "a value";
        case Form::list:
            return "a list";
        case Form::text_or_map:
            return "a string or a map";
        case Form::failure:
            return "a string, null, or a map with 'message'";
        case Form::predicate:
            return "a list, or a map with 'all', 'any', or 'at_least' and 'of'";
        case Form::document:
            return "a map with keys such as 'checks' and 'stages'";
    }
    return "something else";
}

}  // namespace turboci
