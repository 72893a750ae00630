// SPDX-License-Identifier: Apache-2.0
// What goes to the wire and back is what it was.
#include "grpc/convert.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "unit/grpc/random_values.hpp"
#include "unit/grpc/shown_nodes.hpp"

namespace turboci::rpc {

namespace {

constexpr std::uint32_t kSeeds = 150;

/// The message as its receiver gets it.
template <class Wire>
Wire sent(const Wire& wire) {
    Wire received;
    REQUIRE(received.ParseFromString(wire.SerializeAsString()));
    return received;
}

/// Calls `test` with other values each time.
void with_random_values(const std::function<void(RandomValues&)>& test) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        CAPTURE(seed);
        RandomValues random(seed);
        test(random);
    }
}

template <class Wire, class Value>
Value there_and_back(const Value& value) {
    Wire wire;
    write(value, wire);
    return read(sent(wire));
}

}  // namespace

TEST_CASE("A write is the same after it went over the wire") {
    with_random_values([](RandomValues& random) {
        const WriteNodes request = random.write_nodes();
        v1::WriteNodesRequest wire;
        write(request, wire);
        FieldNames names;
        const WriteNodes read_back = read(sent(wire), names);
        CHECK(shown_request(read_back) == shown_request(request));
        CHECK(read_back.files == std::vector<std::string>{"<request>"});
    });
}

TEST_CASE("A creation is the same after it went over the wire, labels in their order") {
    with_random_values([](RandomValues& random) {
        CreatePlan request{random.text(), {}, random.write_nodes()};
        request.nodes.plan.clear();
        request.nodes.if_version.reset();
        for (int i = random.number(0, 3); i > 0; --i)
            request.labels.emplace_back(std::to_string(i) + random.text(), random.text());
        v1::CreateWorkPlanRequest wire;
        write(request, wire);
        FieldNames names;
        const CreatePlan read_back = read(sent(wire), names);
        CHECK(ShownNodes::of(read_back) == ShownNodes::of(request));
        CHECK(shown_request(read_back.nodes) == shown_request(request.nodes));
    });
}

TEST_CASE("A rerun is the same after it went over the wire") {
    with_random_values([](RandomValues& random) {
        RerunPlan request{random.text(), random.text(), {},
                          random.flip(), random.flip(), random.write_nodes()};
        request.again = random.list(3, [&] { return random.ref_text(); });
        v1::RerunWorkPlanRequest wire;
        write(request, wire);
        FieldNames names;
        const RerunPlan read_back = read(sent(wire), names);
        CHECK(ShownNodes::of(read_back) == ShownNodes::of(request));
        CHECK(shown_request(read_back.definitions) == shown_request(request.definitions));
    });
}

TEST_CASE("A query is the same after it went over the wire, and leaves nothing to filter") {
    with_random_values([](RandomValues& random) {
        const QueryNodes request = random.query();
        v1::QueryNodesRequest wire;
        write(request, wire);
        const QueryRead read_back = read(sent(wire));
        CHECK(ShownNodes::of(read_back.nodes) == ShownNodes::of(request));
        CHECK(read_back.filter.empty());
        CHECK_FALSE(read_back.nothing);
    });
}

TEST_CASE("Small requests are the same after they went over the wire") {
    with_random_values([](RandomValues& random) {
        PrunePlans prune;
        prune.keep = random.maybe([&] { return random.any_number(); });
        prune.older_than = random.maybe([&] { return random.duration(); });
        prune.only = random.maybe([&] { return random.list(2, [&] { return random.text(); }); });
        prune.dry_run = random.flip();
        CHECK(ShownNodes::of(there_and_back<v1::PruneWorkPlansRequest>(prune)) == ShownNodes::of(prune));
        const ClaimFilter filter = random.filter();
        CHECK(ShownNodes::of(there_and_back<v1::ClaimFilter>(filter)) == ShownNodes::of(filter));
        ReadLog log{random.text(), {}, random.any_number()};
        log.ref = random.maybe([&] { return random.ref_text(); });
        CHECK(ShownNodes::of(there_and_back<v1::ReadRecordRequest>(log)) == ShownNodes::of(log));
    });
}

TEST_CASE("Nodes and plans are the same after they went over the wire, JSON byte for byte") {
    with_random_values([](RandomValues& random) {
        const Check check = random.check();
        const Stage stage = random.stage();
        const WorkPlan plan = random.plan();
        for (const JsonForm form : {JsonForm::both, JsonForm::text_only}) {
            v1::Check check_wire;
            write(check, "p", form, check_wire);
            CHECK(ShownNodes::of(read(sent(check_wire))) == ShownNodes::of(check));
            CHECK(check_wire.work_plan_id() == "p");
            CHECK(check_wire.has_options() == (form == JsonForm::both && !check.options.empty()));
            v1::Stage stage_wire;
            write(stage, "p", form, stage_wire);
            CHECK(ShownNodes::of(read(sent(stage_wire))) == ShownNodes::of(stage));
            CHECK(stage_wire.has_args() == (form == JsonForm::both && !stage.args.empty()));
        }
        CHECK(ShownNodes::of(there_and_back<v1::WorkPlan>(plan)) == ShownNodes::of(plan));
    });
}

TEST_CASE("A node of which nothing was read is the same after it went over the wire") {
    v1::Check check;
    write(Check{}, "", JsonForm::both, check);
    CHECK(ShownNodes::of(read(sent(check))) == ShownNodes::of(Check{}));
    v1::Stage stage;
    write(Stage{}, "", JsonForm::both, stage);
    CHECK(ShownNodes::of(read(sent(stage))) == ShownNodes::of(Stage{}));
}

TEST_CASE("The answer to a write is the same after it went over the wire") {
    with_random_values([](RandomValues& random) {
        const auto refs = [&] { return random.list(3, [&] { return random.ref(); }); };
        WriteResult result;
        result.plan = random.plan();
        result.created = refs();
        result.changed = refs();
        result.advanced = random.list(2, [&] {
            const NodeRef node = random.ref();
            return Advance{node, random.state(node.type), random.state(node.type),
                           random.maybe([&] { return random.outcome(); })};
        });
        result.warnings = random.list(2, [&] { return random.text(); });
        result.claimed = random.list(2, [&] {
            ClaimedAttempt claimed{random.stage(), random.number(1, 3), random.text()};
            return claimed;
        });
        result.ended = random.list(2, [&] {
            AttemptEnd end{random.text(), random.number(1, 9), random.attempt_state(), {}, {}, {}};
            end.cause = random.maybe([&] { return random.cause(); });
            end.failure = random.maybe([&] { return random.text(); });
            end.next_in = random.maybe([&] { return random.duration(); });
            return end;
        });
        result.next_ready_in = random.maybe([&] { return random.duration(); });
        result.moved = random.flip();
        result.relabelled = random.flip();
        result.replayed = random.flip();
        v1::WriteNodesResponse wire;
        write(result, JsonForm::both, wire);
        CHECK(ShownNodes::of(read(sent(wire))) == ShownNodes::of(result));

        const RerunResult rerun{random.plan(),   refs(),        refs(),       refs(),
                                result.warnings, random.flip(), random.flip()};
        CHECK(ShownNodes::of(there_and_back<v1::RerunWorkPlanResponse>(rerun)) == ShownNodes::of(rerun));
    });
}

TEST_CASE("Explanations, summaries and the record are the same after they went over the wire") {
    with_random_values([](RandomValues& random) {
        const auto refs = [&] { return random.list(3, [&] { return random.ref(); }); };
        const auto explained = [&] {
            ExplainedNode node;
            node.ref = random.ref();
            node.state = random.state(node.ref.type);
            node.outcome = random.maybe([&] { return random.outcome(); });
            node.dependencies = random.predicate();
            if (node.ref.type == NodeType::stage) {
                node.concluded_reason = ConcludedReason::condition_false;
                node.continuation_group = random.predicate();
            }
            node.notes = random.list(2, [&] { return random.text(); });
            return node;
        };
        const Explanation explanation{random.plan(), explained(), random.list(3, explained), refs(),
                                      random.flip()};
        CHECK(ShownNodes::of(there_and_back<v1::ExplainNodeResponse>(explanation)) ==
              ShownNodes::of(explanation));

        PlanSummary summary;
        summary.plan = random.plan();
        summary.verdict = random.pick(std::array{Verdict::passed, Verdict::failed, Verdict::pending});
        summary.ready = refs();
        summary.running = refs();
        summary.failed = random.list(2, [&] { return PlanSummary::Failure{random.ref(), random.text()}; });
        summary.open_checks = refs();
        CHECK(ShownNodes::of(there_and_back<v1::SummarizeWorkPlanResponse>(summary)) ==
              ShownNodes::of(summary));

        LogEntry entry{random.any_number(),
                       random.time(),
                       random.text(),
                       random.text(),
                       random.text(),
                       random.flip() ? Mover::writer : Mover::orchestrator,
                       {},
                       random.json()};
        entry.node = random.maybe([&] { return random.ref(); });
        CHECK(ShownNodes::of(there_and_back<v1::RecordEntry>(entry)) == ShownNodes::of(entry));
    });
}

TEST_CASE("A claimed attempt brings the attempt itself") {
    RandomValues random(1);
    ClaimedAttempt claimed{random.stage(), 7, "token"};
    claimed.stage.attempts = {random.attempt()};
    claimed.stage.attempts[0].idx = 7;
    v1::ClaimedAttempt wire;
    write(claimed, "p", JsonForm::both, wire);
    CHECK(ShownNodes::of(read(wire.attempt())) == ShownNodes::of(claimed.stage.attempts[0]));
}

TEST_CASE(
    "Every position of a request that was read has its own, in the order of the request that was written") {
    with_random_values([](RandomValues& random) {
        const WriteNodes request = random.write_nodes();
        v1::WriteNodesRequest wire;
        write(request, wire);
        FieldNames names;
        const WriteNodes read_back = read(wire, names);
        int written = 0;
        visit_positions(request, [&](const Position&) { ++written; });
        std::vector<std::string> fields;
        visit_positions(read_back, [&](const Position& at) {
            CHECK(at.file == 0);
            CHECK(at.column == 1);
            fields.emplace_back(names.name(at.line));
        });
        CHECK(static_cast<int>(fields.size()) == written);
        std::ranges::sort(fields);
        CHECK(std::ranges::adjacent_find(fields) == fields.end());
        CHECK((fields.empty() || !fields.front().empty()));
    });
}

TEST_CASE("A position tells the field that it was read from") {
    WriteNodes request;
    CheckWrite check;
    check.id = "c";
    check.dependencies.emplace().groups.emplace_back().edges.push_back({{NodeType::stage, "s"}, {}, {}, {}});
    check.condition.emplace().emplace_back();
    check.results.emplace_back();
    request.checks.push_back(CheckWrite{});
    request.checks.push_back(check);
    StageWrite stage;
    stage.assignments.emplace().emplace_back();
    stage.attempt.emplace();
    request.stages.push_back(stage);
    v1::WriteNodesRequest wire;
    write(request, wire);
    FieldNames names;
    std::vector<std::string> fields;
    visit_positions(read(wire, names), [&](const Position& at) { fields.emplace_back(names.name(at.line)); });
    CHECK(fields ==
          std::vector<std::string>{"limits", "checks[0]", "checks[0].id", "checks[1]", "checks[1].id",
                                   "checks[1].dependencies", "checks[1].dependencies.groups[0]",
                                   "checks[1].dependencies.groups[0].dependencies[0].target_id",
                                   "checks[1].conditions[0]", "checks[1].results[0]", "stages[0]",
                                   "stages[0].id", "stages[0].assignments[0]", "stages[0].current_attempt"});
}

}  // namespace turboci::rpc
