// SPDX-License-Identifier: Apache-2.0
#include "format/plan_defaults.hpp"

#include <optional>

#include "format/tape_walk.hpp"

namespace turboci {

namespace {

const KeyRule* rule_of(Place place, std::string_view name) noexcept {
    for (const KeyRule& rule : plan_keys(place))
        if (rule.name == name) return &rule;
    return nullptr;
}

/// Two names of one key are one key.
std::string_view canonical_name(Place place, std::string_view name) noexcept {
    const KeyRule* rule = rule_of(place, name);
    if (rule == nullptr || rule->slot == Slot::none) return name;
    for (const KeyRule& other : plan_keys(place))
        if (other.slot == rule->slot) return other.name;
    return name;
}

/// What maps that are the values of a key are, if they can be merged.
std::optional<Place> merged_place(Place place, std::string_view name) noexcept {
    if (place == Place::json) return Place::json;
    const KeyRule* rule = rule_of(place, name);
    if (rule == nullptr) return std::nullopt;
    if (rule->form == Form::object || rule->slot == Slot::stage_uses) return Place::json;
    if (rule->form == Form::map) return rule->inside;
    return std::nullopt;
}

}  // namespace

PlanDefaults::PlanDefaults(YamlTape tape) : tape_(std::move(tape)) {
    for (MapWalk walk(tape_, 0); walk.next();) {
        if (event_at(tape_, walk.value()).type != RawEvent::Type::map_start) continue;
        if (walk.key().text == "check") check_ = read_map(walk.value(), Place::check);
        if (walk.key().text == "stage") stage_ = read_map(walk.value(), Place::stage);
    }
}

std::unique_ptr<PlanDefaults::Map> PlanDefaults::read_map(std::size_t offset, Place place) const {
    auto map = std::make_unique<Map>();
    const bool is_node = place == Place::check || place == Place::stage;
    for (MapWalk walk(tape_, offset); walk.next();) {
        const std::string_view name = walk.key().text;
        // No default can say these, which was reported.
        if (is_node && (name == "id" || name == "matrix")) continue;
        map->numbers.emplace(canonical_name(place, name), map->entries.size());
        RawEvent key = walk.key();
        key.text = {};
        map->entries.push_back({key, std::string(name), walk.value()});
    }
    return map;
}

void PlanDefaults::merge(NodeType type, const YamlTape& tape, YamlTape& out) {
    std::size_t offset = 0;
    merge(*node(type), type == NodeType::check ? Place::check : Place::stage, tape, offset, out);
}

void PlanDefaults::merge(Map& map, Place place, const YamlTape& tape, std::size_t& offset, YamlTape& out) {
    RawEvent event;
    tape.read(offset, event);
    out.append(event);
    std::vector<bool> said(map.entries.size());
    for (;;) {
        tape.read(offset, event);
        if (event.type == RawEvent::Type::map_end) break;
        out.append(event);
        const auto number = map.numbers.find(canonical_name(place, event.text));
        if (number == map.numbers.end()) {
            copy_value(tape, offset, out);
            continue;
        }
        said[number->second] = true;
        const auto inside = merged_place(place, event.text);
        const std::size_t theirs = map.entries[number->second].value;
        const bool both_maps = event_at(tape, offset).type == RawEvent::Type::map_start &&
                               event_at(tape_, theirs).type == RawEvent::Type::map_start;
        if (!inside || !both_maps) {
            copy_value(tape, offset, out);
            continue;
        }
        auto& inner = map.inner[number->second];
        if (!inner) inner = read_map(theirs, *inside);
        merge(*inner, *inside, tape, offset, out);
    }
    for (std::size_t i = 0; i < map.entries.size(); ++i) {
        if (said[i]) continue;
        RawEvent key = map.entries[i].key;
        key.text = map.entries[i].name;
        out.append(key);
        std::size_t value = map.entries[i].value;
        copy_value(tape_, value, out);
    }
    out.append(event);  // the end of the map
}

}  // namespace turboci
