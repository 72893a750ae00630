// SPDX-License-Identifier: Apache-2.0
// Requests to read.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "domain/quotes.hpp"
#include "grpc/parts.hpp"

namespace turboci::rpc {

namespace {

struct PartBit {
    std::uint32_t bit;
    bool NodeParts::*part;
};
constexpr std::array kPartBits{PartBit{1, &NodeParts::stamps},     PartBit{2, &NodeParts::body},
                               PartBit{4, &NodeParts::predicates}, PartBit{8, &NodeParts::assignments},
                               PartBit{16, &NodeParts::attempts},  PartBit{32, &NodeParts::progress},
                               PartBit{64, &NodeParts::results},   PartBit{128, &NodeParts::counts}};
constexpr std::uint32_t kNoParts = 256;  // 0 is everything

NodeParts read_parts(Reading& reading, std::uint32_t bits) {
    if (bits == 0) return {};
    if (bits >= 2 * kNoParts)
        reading.problem(Path{nullptr, "parts"}, fmt::format("{} has unknown bits", bits));
    NodeParts parts;
    for (const auto& [bit, part] : kPartBits) parts.*part = (bits & bit) != 0;
    return parts;
}

std::uint32_t part_bits(const NodeParts& parts) {
    std::uint32_t bits = 0;
    std::uint32_t all = 0;
    for (const auto& [bit, part] : kPartBits) {
        all |= bit;
        if (parts.*part) bits |= bit;
    }
    if (bits == all) return 0;
    return bits == 0 ? kNoParts : bits;
}

void add(std::vector<NodeType>& types, NodeType type) {
    if (std::ranges::find(types, type) == types.end()) types.push_back(type);
}

/// Types that are wanted: none is both of them, as in QueryNodes.
void read_types(Reading& reading, const v1::QueryNodesRequest& wire, QueryRead& read) {
    auto& types = read.nodes.types;
    for (int i = 0; i < wire.types_size(); ++i) {
        const Path at{nullptr, "types", i};
        const auto type = reading.value(at, kNodeTypes, wire.types(i));
        if (type)
            add(types, *type);
        else if (wire.types(i) == v1::NODE_TYPE_UNKNOWN)
            reading.problem(at, "is not given");
    }
    if (wire.include_checks()) add(types, NodeType::check);
    if (wire.include_stages()) add(types, NodeType::stage);
    read.nothing = types.empty();
    if (types.size() == 2) types.clear();
}

bool wants(const QueryRead& read, NodeType type) {
    return !read.nothing && (read.nodes.types.empty() || read.nodes.types.front() == type);
}

/// Public clients' lists of ids are filters of one type each: that there is none for the other type means all
/// of it. With `types`, ids select among all nodes.
void read_ids(const v1::QueryNodesRequest& wire, QueryRead& read) {
    const bool selects = !wire.types().empty() || !wire.bare_ids().empty();
    const bool checks = !wire.check_ids().empty() && (selects || wants(read, NodeType::check));
    const bool stages = !wire.stage_ids().empty() && (selects || wants(read, NodeType::stage));
    const bool one_of_both = checks != stages && read.nodes.types.empty() && !read.nothing;
    if (!selects && one_of_both) {
        read.filter.check_ids = texts(wire.check_ids());
        read.filter.stage_ids = texts(wire.stage_ids());
        return;
    }
    auto& refs = read.nodes.refs;
    if (checks)
        for (const auto& id : wire.check_ids()) refs.push_back({NodeType::check, id});
    if (stages)
        for (const auto& id : wire.stage_ids()) refs.push_back({NodeType::stage, id});
    for (const auto& id : wire.bare_ids()) refs.push_back({std::nullopt, id});
}

template <class Table, class Wire>
std::vector<State> read_states(Reading& reading, const char* field, const Table& table, const Wire& wire) {
    std::vector<State> states;
    for (int i = 0; i < wire.size(); ++i) {
        const Path at{nullptr, field, i};
        const auto number = static_cast<decltype(table.front().wire)>(wire.Get(i));
        if (const auto state = reading.value(at, table, number))
            states.push_back(*state);
        else if (wire.Get(i) == 0)
            reading.problem(at, "is not given");
    }
    return states;
}

void read_states(Reading& reading, const v1::QueryNodesRequest& wire, QueryRead& read) {
    read.filter.checks = read_states(reading, "check_states", kCheckStates, wire.check_states());
    read.filter.stages = read_states(reading, "stage_states", kStageStates, wire.stage_states());
    for (int i = 0; i < wire.states_size(); ++i) {
        if (const auto state = parse_state(wire.states(i)))
            read.nodes.states.push_back(*state);
        else
            reading.problem(Path{nullptr, "states", i},
                            fmt::format("{} is no state", in_quotes(wire.states(i))));
    }
    // The service need not bring what is in none of the states.
    const bool all_checks = wants(read, NodeType::check) && read.filter.checks.empty();
    const bool all_stages = wants(read, NodeType::stage) && read.filter.stages.empty();
    if (read.nothing || all_checks || all_stages || !read.nodes.states.empty()) return;
    for (const auto* states : {&read.filter.checks, &read.filter.stages})
        for (const State state : *states)
            if (std::ranges::find(read.nodes.states, state) == read.nodes.states.end())
                read.nodes.states.push_back(state);
}

QueryRead read(Reading& reading, const v1::QueryNodesRequest& wire) {
    QueryRead read;
    read.form = wire.json_only() ? JsonForm::text_only : JsonForm::both;
    auto& nodes = read.nodes;
    nodes.plan = wire.work_plan_id();
    read_types(reading, wire, read);
    read_ids(wire, read);
    read_states(reading, wire, read);
    nodes.kinds = texts(wire.kinds());
    for (int i = 0; i < wire.outcomes_size(); ++i) {
        const Path at{nullptr, "outcomes", i};
        if (const auto outcome = reading.value(at, kOutcomes, wire.outcomes(i)))
            nodes.outcomes.push_back(*outcome);
        else if (wire.outcomes(i) == v1::OUTCOME_UNKNOWN)
            reading.problem(at, "is not given");
    }
    nodes.match = texts(wire.match());
    nodes.ready = wire.ready();
    nodes.blocked = wire.blocked();
    if (wire.has_deps()) nodes.deps = wire.deps();
    if (wire.has_dependents()) nodes.dependents = wire.dependents();
    nodes.edges = wire.satisfied_edges() ? EdgeFilter::satisfied : EdgeFilter::all;
    nodes.skip_absent = !wire.named_must_exist();
    nodes.parts = read_parts(reading, wire.parts());
    read.filter.runners = texts(wire.runners());
    reading.raise_if_any();
    return read;
}

template <class Value>
bool fits(const std::vector<Value>& wanted, const Value& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

}  // namespace

bool StateFilter::empty() const noexcept {
    return checks.empty() && stages.empty() && check_ids.empty() && stage_ids.empty() && runners.empty();
}
bool StateFilter::takes(const Check& check) const {
    return fits(checks, check.state) && fits(check_ids, check.id);
}
bool StateFilter::takes(const Stage& stage) const {
    return fits(stages, stage.state) && fits(stage_ids, stage.id) && fits(runners, stage.runner);
}

QueryRead read(const v1::QueryNodesRequest& wire) {
    Reading reading(nullptr);
    return read(reading, wire);
}
QueryRead read(const v1::QueryNodesRequest& wire, FieldNames& names) {
    Reading reading(&names);
    return read(reading, wire);
}

void write(const QueryNodes& request, v1::QueryNodesRequest& wire) {
    wire.set_work_plan_id(request.plan);
    for (const auto& ref : request.refs) {
        if (!ref.type)
            wire.add_bare_ids(ref.id);
        else if (*ref.type == NodeType::check)
            wire.add_check_ids(ref.id);
        else
            wire.add_stage_ids(ref.id);
    }
    // Told in any case: that is what makes the ids a selection among all nodes.
    const bool all = request.types.empty();
    for (const auto& [ours, theirs] : kNodeTypes)
        if (all || std::ranges::find(request.types, ours) != request.types.end()) wire.add_types(theirs);
    for (const State state : request.states) wire.add_states(std::string(to_string(state)));
    write_texts(request.kinds, wire.mutable_kinds());
    for (const Outcome outcome : request.outcomes) wire.add_outcomes(to_wire(kOutcomes, outcome));
    write_texts(request.match, wire.mutable_match());
    wire.set_ready(request.ready);
    wire.set_blocked(request.blocked);
    if (request.deps) wire.set_deps(*request.deps);
    if (request.dependents) wire.set_dependents(*request.dependents);
    wire.set_satisfied_edges(request.edges == EdgeFilter::satisfied);
    wire.set_named_must_exist(!request.skip_absent);
    wire.set_parts(part_bits(request.parts));
}

ReadLog read(const v1::ReadRecordRequest& wire) {
    ReadLog request;
    request.plan = wire.work_plan_id();
    if (wire.has_node()) request.ref = read_ref(wire.node());
    request.since = wire.since_version();
    return request;
}

void write(const ReadLog& request, v1::ReadRecordRequest& wire) {
    wire.set_work_plan_id(request.plan);
    if (request.ref) write(*request.ref, *wire.mutable_node());
    wire.set_since_version(request.since);
}

}  // namespace turboci::rpc
