// SPDX-License-Identifier: Apache-2.0
// PlanReader: predicates and the owners of results.
#include <fmt/core.h>

#include <charconv>

#include "domain/quotes.hpp"
#include "format/plan_reader.hpp"
#include "format/scalars.hpp"

namespace turboci {

namespace {

// Bits of Frame::seen for the keys of Place::group and Place::member, in the order of their table.
constexpr std::uint32_t kNode = 1, kOnState = 2, kWhen = 4, kAll = 8, kAny = 16, kAtLeast = 32, kOf = 64;
constexpr std::uint32_t kEdgeKeys = kNode | kOnState | kWhen;

}  // namespace

PredicateSpec& PlanReader::predicate_of(Slot slot, Position at) {
    in_continuation_ = slot == Slot::stage_group;
    auto& field = slot == Slot::check_dependencies   ? check_.dependencies
                  : slot == Slot::stage_dependencies ? stage_.dependencies
                                                     : stage_.continuation_group;
    auto& predicate = field.emplace();
    predicate.at = at;
    return predicate;
}

RefText PlanReader::reference(std::string_view text) const {
    auto ref = parse_ref(written_.empty() ? text : written_);
    if (in_continuation_ && !ref.type) ref.type = NodeType::stage;
    return ref;
}

void PlanReader::open_group_list(const KeyRule& rule, Position at) {
    auto& group = members_.back().group;
    members_.back().has_list = true;
    group.kind = rule.slot == Slot::member_all   ? GroupKind::all
                 : rule.slot == Slot::member_any ? GroupKind::any
                                                 : GroupKind::at_least;
    push(Place::members, at);
    open_members(group);
}

void PlanReader::open_members(PredicateSpec& into) {
    top().into = &into;
    if (into.edges.empty()) into.edges.swap(spare_edges_);
}

/// Says what is wrong with the keys of a group; true if nothing is.
bool PlanReader::check_group(const Member& member, const Frame& frame) {
    const std::uint32_t seen = frame.seen;
    const int kinds = ((seen & kAll) != 0) + ((seen & kAny) != 0) + ((seen & (kAtLeast | kOf)) != 0);
    std::string_view wrong;
    if ((seen & kEdgeKeys) != 0 && kinds != 0) {
        wrong =
            "a member is either an edge ('node') or a group ('all', 'any', or 'at_least' and 'of'), not both";
    } else if ((seen & kEdgeKeys) != 0) {
        wrong = "an edge stands in a list: [{node: …}]";
    } else if (kinds == 0) {
        wrong = "a group needs 'all', 'any', or 'at_least' and 'of'";
    } else if (kinds > 1) {
        wrong = "a group has only one of 'all', 'any', or 'at_least' and 'of'";
    } else if ((seen & kAtLeast) != 0 && (seen & kOf) == 0) {
        wrong = "'at_least' needs 'of', the list of members";
    } else if ((seen & kOf) != 0 && (seen & kAtLeast) == 0) {
        wrong = "'of' needs 'at_least', the number of members";
    }
    if (!wrong.empty()) {
        problem(frame.at, std::string(wrong));
        return false;
    }
    if (!member.has_list) return false;  // reported
    // An empty root otherwise means "no dependencies", which is written as an empty list.
    if (frame.place == Place::group && member.group.kind == GroupKind::all && member.group.empty()) {
        problems_.add(ErrorCode::invalid_dependency, frame.at,
                      "a group is empty; write [] for no dependencies");
        return false;
    }
    return true;
}

void PlanReader::close_member(const Frame& frame) {
    Member member = std::move(members_.back());
    members_.pop_back();
    if (frame.place == Place::member && (frame.seen & ~kEdgeKeys) == 0) {
        if ((frame.seen & kNode) == 0) {
            problem(frame.at, "an edge needs 'node', a group needs 'all', 'any', or 'at_least' and 'of'");
        } else {
            member.into->edges.push_back(std::move(member.edge));
        }
        return;
    }
    if (!check_group(member, frame)) return;
    if (frame.place == Place::member) {
        member.into->groups.push_back(std::move(member.group));
    } else {
        *member.into = std::move(member.group);
    }
}

/// owner_id is "PLAN:STAGE:IDX" or "STAGE:IDX". Plan ids have no colon, stage ids may.
void PlanReader::close_owner() {
    auto& result = check_.results.back();
    if (owner_.stage || owner_.attempt) {
        if (owner_.type || owner_.id) {
            problem(owner_.stage ? owner_.stage_at : owner_.attempt_at,
                    "give either 'stage' and 'attempt' or 'owner_type' and 'owner_id'");
        } else if (!owner_.stage) {
            problem(owner_.attempt_at, "'attempt' needs 'stage'");
        } else if (!owner_.attempt) {
            problem(owner_.stage_at, "'stage' needs 'attempt', its number");
        } else {
            result.owner = AttemptRef{*owner_.stage, static_cast<std::int32_t>(*owner_.attempt)};
        }
        return;
    }
    if (!owner_.type && !owner_.id) return;
    if (owner_.type.value_or("") != "stage_attempt") {
        problem(owner_.type ? owner_.type_at : owner_.id_at,
                owner_.type
                    ? fmt::format("'owner_type' can only be stage_attempt, not {}; a result without it "
                                  "belongs to the actor of the write",
                                  in_quotes(*owner_.type))
                    : std::string("'owner_id' needs 'owner_type: stage_attempt'"));
        return;
    }
    if (!owner_.id) {
        problem(owner_.type_at, "'owner_type' needs 'owner_id' (PLAN:STAGE:IDX)");
        return;
    }
    std::string_view stage = *owner_.id;
    const auto colon = stage.rfind(':');
    std::int32_t idx = 0;
    if (colon != std::string_view::npos) {
        const auto number = stage.substr(colon + 1);
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), idx);
        if (error != std::errc() || end != number.data() + number.size()) idx = 0;
        stage = stage.substr(0, colon);
    }
    if (idx < 1) {
        problem(owner_.id_at,
                fmt::format("'owner_id' must be PLAN:STAGE:IDX, not {}", in_quotes(*owner_.id)));
        return;
    }
    result.owner = AttemptRef{std::string(stage), idx};
}

}  // namespace turboci
