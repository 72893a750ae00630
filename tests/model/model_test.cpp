// SPDX-License-Identifier: Apache-2.0
// Random sequences of requests on the product and on a model of its rules. The short form runs kShort of
// them; tests/model/run runs as many as wanted, by these variables of the environment:
//   TURBOCI_MODEL_SEQUENCES   how many
//   TURBOCI_MODEL_SEED        the first seed; each sequence has the seed after the one before it
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "bench.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"

using namespace turboci;
using namespace turboci::model;

namespace {

#if defined(__OPTIMIZE__)
constexpr std::uint64_t kShort = 2000;
#else
constexpr std::uint64_t kShort = test::kSanitized ? 100 : 400;
#endif
/// Some rules show rarely; a flaw is looked for until it is found.
constexpr std::uint64_t kForFlaws = 2000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

Operations sequence(std::uint64_t seed) {
    RandomChoices choices(seed);
    return generate(choices);
}

/// A plan that is created empty, and what is then asked of it by "ann", a second apart.
class Story {
public:
    Story() { next(); }
    void add(const CheckWrite& write) { next().checks.push_back(write); }
    void add(const StageWrite& write) { next().stages.push_back(write); }
    void again() { operations.push_back(operations.back()); }
    Operations operations;

private:
    WriteNodes& next() {
        Operation& operation = operations.emplace_back();
        operation.pause = std::chrono::seconds(1);
        operation.request.actor = "ann";
        return operation.request;
    }
};

}  // namespace

TEST_CASE("Sequences on which product and model once parted") {
    Bench bench;
    Story story;
    CheckWrite check;
    check.id = "a";
    SECTION("a null in options that are written again is what is so already") {
        check.options = JsonText{R"({"k":null})"};
        check.state = State::planned;
        story.add(check);
        story.again();
    }
    SECTION("nulls remove from the first data of a result, too") {
        CheckWrite planned = check;
        planned.state = State::planned;
        story.add(planned);
        check.results.emplace_back().data = JsonText{R"({"k":null,"l":1})"};
        story.add(check);
        story.again();
    }
    SECTION("a check that the orchestrator skips at once takes no result in the same write") {
        StageWrite stage;
        stage.id = "s";
        stage.cancel = true;
        story.add(stage);
        check.state = State::planned;
        check.dependencies.emplace().edges.emplace_back().target = {NodeType::stage, "s"};
        check.results.emplace_back().failure = "late";
        story.add(check);
    }
    if (bench.run(story.operations)) {
        INFO(bench.explain(story.operations));
        REQUIRE(false);
    }
    SUCCEED();
}

TEST_CASE("The product does what the model of its rules does") {
    const std::uint64_t first = from_environment("TURBOCI_MODEL_SEED", 1);
    const std::uint64_t count = from_environment("TURBOCI_MODEL_SEQUENCES", kShort);
    Bench bench;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Operations operations = sequence(seed);
        const auto parts = bench.run(operations, Flaw::none, seed % 5 == 0);
        if (!parts) continue;
        INFO("seed " << seed << " parts at " << parts->operation + 1 << ": " << parts->text
                     << "\nthe least that was found:\n"
                     << bench.explain(operations));
        REQUIRE(false);
    }
    SUCCEED();
}

namespace {

/// What a rerun came to, for counting.
std::vector<std::string> kinds_of(const Model& model, const Operation& operation, const Answer& a) {
    if (!a.errors.empty()) return {std::string(error_info(*a.errors.begin()).name)};
    if (a.replayed || a.nothing_to_do) return {a.replayed ? "replayed" : "nothing to do"};
    std::vector<std::string> kinds{"made"};
    const auto add = [&](bool is, const char* kind) {
        if (is) kinds.emplace_back(kind);
    };
    const ModelPlan& plan = model.plan(a.plan);
    add(!a.carried.empty() && !a.begun.empty(), "in part");
    add(!a.superseded.empty(), "supersedes");
    add(!model.plan(plan.from).from.empty(), "twice");
    add(operation.rerun.fork, "forked");
    add(!operation.rerun.again.empty() && !a.carried.empty(), "by name");
    add(operation.rerun.redefines && !a.carried.empty(), "from files");
    add(std::ranges::any_of(plan.stages, [](const auto& s) { return s.created_by.has_value(); }), "dynamic");
    return kinds;
}

}  // namespace

TEST_CASE("Random sequences start plans again in all ways, and often") {
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        Model model;
        ClockReading now{{}, std::chrono::seconds(1000), "boot-1"};
        for (Operation operation : sequence(seed)) {
            pass_time(now, operation);
            operation.request.plan = "p";
            const Answer a = answer(model, operation, now);
            if (operation.kind != OperationKind::rerun) continue;
            for (const std::string& kind : kinds_of(model, operation, a)) ++seen[kind];
        }
    }
    const auto least = [](const std::string& kind) { return kind == "made" ? 150 : 5; };
    for (const char* kind : {"made", "in part", "supersedes", "twice", "forked", "by name", "from files",
                             "dynamic", "nothing to do", "replayed", "CONFLICT", "NOT_FOUND"}) {
        INFO(kind);
        CHECK(seen[kind] >= least(kind));
        if (std::getenv("TURBOCI_MODEL_VERBOSE")) std::cerr << kind << ": " << seen[kind] << '\n';
    }
    CHECK(seen["INVALID_DEPENDENCY"] > 0);
}

TEST_CASE("Each rule of the model that is broken on purpose is noticed") {
    Bench bench;
    std::vector<Operations> sequences;
    std::vector<Tale> tales;
    const auto shown = [&](std::uint64_t seed, Flaw flaw) {
        while (sequences.size() < seed) {
            sequences.push_back(sequence(sequences.size() + 1));
            tales.push_back(tell(sequences.back()));
        }
        const Operations& operations = sequences[seed - 1];
        return shows(operations, tales[seed - 1], flaw) && bench.run(operations, flaw, false);
    };
    for (auto f = static_cast<std::uint8_t>(1); f < static_cast<std::uint8_t>(Flaw::last_flaw); ++f) {
        if (test::kSanitized && f % 8 != 0) continue;  // this tests the model more than the product
        const auto flaw = static_cast<Flaw>(f);
        // The model itself tells where the flaw shows; the product is asked only there.
        std::uint64_t seed = 1;
        while (seed <= kForFlaws && !shown(seed, flaw)) ++seed;
        INFO("flaw " << to_string(flaw) << " seed " << seed);
        CHECK(seed <= kForFlaws);
        if (std::getenv("TURBOCI_MODEL_VERBOSE")) std::cerr << to_string(flaw) << ": seed " << seed << '\n';
    }
}
