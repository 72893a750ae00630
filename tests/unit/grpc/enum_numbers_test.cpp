// SPDX-License-Identifier: Apache-2.0
// A number that an enum does not have is refused wherever there is an enum. Fields are found by reflection,
// so that those that are added are looked at, too.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <functional>
#include <set>
#include <string>

#include "grpc/convert.hpp"
#include "grpc/enums.hpp"
#include "support/catch.hpp"
#include "unit/grpc/random_values.hpp"

namespace turboci::rpc {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

/// Calls `visit(message, field, index, path)` for each enum of a message and of those in it; index -1: not
/// repeated.
using Visit = std::function<void(Message&, const FieldDescriptor&, int, const std::string&)>;

/// Numbers of states, whose type is told beside them.
bool is_state_number(const FieldDescriptor& field) {
    static const std::set<std::string> kNames{"state", "on_state", "target_state", "from", "to"};
    return field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 && kNames.contains(field.name());
}

void for_each_enum(Message& message, const std::string& prefix, const Visit& visit) {
    const auto& reflection = *message.GetReflection();
    const auto& type = *message.GetDescriptor();
    for (int f = 0; f < type.field_count(); ++f) {
        const FieldDescriptor& field = *type.field(f);
        const bool is_enum = field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM || is_state_number(field);
        if (field.is_map() || (!is_enum && field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)) continue;
        const std::string path = prefix + field.name();
        const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
        for (int i = 0; i < count; ++i) {
            const std::string at = field.is_repeated() ? path + '[' + std::to_string(i) + ']' : path;
            if (is_enum)
                visit(message, field, field.is_repeated() ? i : -1, at);
            else if (field.is_repeated())
                for_each_enum(*reflection.MutableRepeatedMessage(&message, &field, i), at + '.', visit);
            else if (reflection.HasField(message, &field))
                for_each_enum(*reflection.MutableMessage(&message, &field), at + '.', visit);
        }
    }
}

int get(const Message& message, const FieldDescriptor& field, int index) {
    const auto& reflection = *message.GetReflection();
    if (index >= 0) return reflection.GetRepeatedEnumValue(message, &field, index);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) return reflection.GetInt32(message, &field);
    return reflection.GetEnumValue(message, &field);
}

void set(Message& message, const FieldDescriptor& field, int index, int number) {
    const auto& reflection = *message.GetReflection();
    if (index >= 0)
        reflection.SetRepeatedEnumValue(&message, &field, index, number);
    else if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32)
        reflection.SetInt32(&message, &field, number);
    else
        reflection.SetEnumValue(&message, &field, number);
}

/// Puts numbers that are none in the place of each enum, one at a time, and expects `read` to refuse them.
/// `ignored` are fields that a request does not give. Returns the types that were met.
template <class Wire>
std::set<std::string> expect_refused(Wire& wire, ErrorCode code, const std::set<std::string>& ignored,
                                     const std::function<std::string()>& read_fields) {
    std::set<std::string> met;
    for_each_enum(wire, "",
                  [&](Message& message, const FieldDescriptor& field, int index, const std::string& path) {
                      if (ignored.contains(field.name())) return;
                      met.insert(field.enum_type() ? field.enum_type()->name() : "state");
                      const int before = get(message, field, index);
                      for (const int number : {15, -1, 1'000'000}) {
                          CAPTURE(path, number);
                          set(message, field, index, number);
                          try {
                              const std::string fields = read_fields();
                              FAIL_CHECK("was read: " + fields);
                          } catch (const Error& error) {
                              CHECK(error.code() == code);
                              CHECK(std::string(error.what()).find(path) != std::string::npos);
                          }
                          set(message, field, index, before);
                      }
                  });
    return met;
}

/// Reads a request; an error tells its fields in its text.
template <class Wire>
std::function<std::string()> reading_request(const Wire& wire) {
    return [&wire]() -> std::string {
        FieldNames names;
        try {
            static_cast<void>(read(wire, names));
        } catch (const Error& error) {
            std::string fields;
            for (const auto& detail : error.details()) fields += std::string(names.name(detail.line)) + '\n';
            throw Error(error.code(), fields);
        }
        return "all of it";
    };
}

template <class Wire>
std::function<std::string()> reading_answer(const Wire& wire) {
    return [&wire]() -> std::string {
        static_cast<void>(read(wire));
        return "all of it";
    };
}

constexpr std::uint32_t kFewSeeds = 12;

}  // namespace

TEST_CASE("Every enum of a request refuses numbers that it does not have") {
    std::set<std::string> met;
    for (std::uint32_t seed = 0; seed < kFewSeeds; ++seed) {
        RandomValues random(seed);
        RerunPlan request;
        request.redefines = true;
        request.again = {random.ref_text()};
        request.definitions = random.write_nodes();
        v1::RerunWorkPlanRequest wire;
        write(request, wire);
        met.merge(expect_refused(wire, ErrorCode::invalid_argument,
                                 {"resolution", "target_state", "target_outcome"}, reading_request(wire)));
        const CreatePlan create{"", {}, request.definitions};
        v1::CreateWorkPlanRequest create_wire;
        write(create, create_wire);
        met.merge(expect_refused(create_wire, ErrorCode::invalid_argument,
                                 {"resolution", "target_state", "target_outcome"},
                                 reading_request(create_wire)));
        v1::QueryNodesRequest query;
        write(random.query(), query);
        query.add_check_states(v1::CHECK_STATE_FINAL);
        query.add_stage_states(v1::STAGE_STATE_FINAL);
        met.merge(expect_refused(query, ErrorCode::invalid_argument, {}, reading_request(query)));
    }
    CHECK(met == std::set<std::string>{"AttemptCause", "AttemptState", "CheckState", "ExecutionMode",
                                       "NodeType", "OnInterrupt", "Outcome", "PredicateType", "StageState",
                                       "When", "state"});
}

TEST_CASE("Every enum of an answer refuses numbers that it does not have") {
    std::set<std::string> met;
    for (std::uint32_t seed = 0; seed < kFewSeeds; ++seed) {
        RandomValues random(seed);
        v1::Check check;
        write(random.check(), "p", JsonForm::text_only, check);
        met.merge(expect_refused(check, ErrorCode::store, {}, reading_answer(check)));
        v1::Stage stage;
        write(random.stage(), "p", JsonForm::text_only, stage);
        // Public servers have modes, and nobody here asks for them.
        met.merge(expect_refused(stage, ErrorCode::store, {"execution_mode"}, reading_answer(stage)));
        v1::SummarizeWorkPlanResponse summary;
        write(
            PlanSummary{
                random.plan(), {}, {random.ref()}, {random.ref()}, {{random.ref(), ""}}, {random.ref()}},
            summary);
        met.merge(expect_refused(summary, ErrorCode::store, {}, reading_answer(summary)));
        v1::WriteNodesResponse written;
        WriteResult result;
        result.created = {random.ref()};
        result.advanced = {Advance{{NodeType::stage, "s"}, State::planned, State::final, Outcome::passed}};
        write(result, JsonForm::text_only, written);
        // Whether the verdict of a plan is told depends on the call.
        met.merge(expect_refused(written, ErrorCode::store, {"verdict"}, reading_answer(written)));
        v1::AttemptEnd end;
        write(AttemptEnd{"s", 1, AttemptState::incomplete, Cause::failed, {}, {}}, end);
        met.merge(expect_refused(end, ErrorCode::store, {}, reading_answer(end)));
        v1::RecordEntry entry;
        write(LogEntry{1, {}, "", "", "", Mover::writer, random.ref(), {}}, entry);
        met.merge(expect_refused(entry, ErrorCode::store, {}, reading_answer(entry)));
    }
    CHECK(met == std::set<std::string>{"AttemptCause", "AttemptState", "ChangedBy", "CheckState",
                                       "ConcludedReason", "NodeType", "OnInterrupt", "Outcome",
                                       "PredicateType", "Resolution", "SkipCause", "StageState", "Verdict",
                                       "When", "state"});
}

TEST_CASE("Every value of an enum on the wire is one of ours, and none is two") {
    const auto whole = [](const auto& table, const google::protobuf::EnumDescriptor& type) {
        CAPTURE(type.name());
        CHECK(static_cast<int>(table.size()) == type.value_count() - 1);  // all but UNKNOWN
        for (int i = 0; i < type.value_count(); ++i) {
            using Wire = decltype(table.front().wire);
            const auto wire = static_cast<Wire>(type.value(i)->number());
            const auto ours = from_wire(table, wire);
            CHECK(ours.has_value() == (type.value(i)->number() != 0));
            if (ours) CHECK(to_wire(table, *ours) == wire);
        }
    };
    whole(kNodeTypes, *v1::NodeType_descriptor());
    whole(kOutcomes, *v1::Outcome_descriptor());
    whole(kSkipCauses, *v1::SkipCause_descriptor());
    whole(kVerdicts, *v1::Verdict_descriptor());
    whole(kGroupKinds, *v1::PredicateType_descriptor());
    whole(kWhens, *v1::When_descriptor());
    whole(kResolutions, *v1::Resolution_descriptor());
    whole(kAttemptStates, *v1::AttemptState_descriptor());
    whole(kCauses, *v1::AttemptCause_descriptor());
    whole(kOnInterrupts, *v1::OnInterrupt_descriptor());
    whole(kMovers, *v1::ChangedBy_descriptor());
    whole(kConcludedReasons, *v1::ConcludedReason_descriptor());
    whole(kCheckStates, *v1::CheckState_descriptor());
    whole(kStageStates, *v1::StageState_descriptor());
}

TEST_CASE("The states of nodes have their published numbers on the wire") {
    for (const auto& [ours, wire] : kCheckStates) CHECK(state_number(NodeType::check, ours) == wire);
    for (const auto& [ours, wire] : kStageStates) CHECK(state_number(NodeType::stage, ours) == wire);
}

}  // namespace turboci::rpc
