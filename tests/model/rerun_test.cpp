// SPDX-License-Identifier: Apache-2.0
// What holds of a rerun whatever the plan: random definitions, of which everything is done as far as it goes.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "operation.hpp"
#include "service/local_service.hpp"
#include "store/memory/memory_store.hpp"
#include "support/catch.hpp"
#include "support/fake_clock.hpp"
#include "support/node_list.hpp"
#include "turboci/verdict.hpp"

using namespace turboci;
using namespace turboci::model;

namespace {

using Refs = std::set<NodeRef>;

/// The nodes of a random sequence, each as it is written first.
WriteNodes random_definitions(std::uint64_t seed) {
    RandomChoices choices(seed);
    WriteNodes all;
    std::set<std::string> checks, stages, limits;
    for (const Operation& operation : generate(choices)) {
        if (operation.kind != OperationKind::write) continue;
        for (const auto& limit : operation.request.limits)
            if (limits.insert(limit.name).second) all.limits.push_back({limit.name, 9});
        for (CheckWrite write : operation.request.checks) {
            write.results.clear();
            write.skip = false;
            write.state = State::planned;
            if (checks.insert(write.id).second) all.checks.push_back(write);
        }
        for (StageWrite write : operation.request.stages) {
            write.attempt.reset();
            write.cancel = write.skip = false;
            if (stages.insert(write.id).second) all.stages.push_back(write);
        }
    }
    all.actor = "ann";
    return all;
}

/// A plan that is created and run.
class Course {
public:
    Course() : store_(std::make_shared<memory::Shared>(), {.clock = &clock_}), service_(store_) {}

    /// Is that a plan?
    bool create(const WriteNodes& nodes) {
        CreatePlan request;
        request.id = "p";
        request.nodes = nodes;
        try {
            service_.create_plan(request);
            return true;
        } catch (const Error&) {
            return false;
        }
    }

    /// Everything that becomes ready is completed, and checks that nobody answers pass.
    void pass(const std::string& plan) {
        for (bool moves = true; moves;) {
            clock_.advance(std::chrono::hours(1));
            WriteNodes write;
            write.plan = plan;
            write.actor = "ann";
            const test::NodeList now = nodes(plan);
            std::set<std::string> asked;
            for (const Stage& s : now.stages) {
                for (const auto& a : s.assignments) asked.insert(a.target_check_id);
                if (s.state == State::attempting) write.stages.push_back(end_of(s.id, true));
            }
            for (const Check& c : now.checks) {
                if (c.state != State::waiting || asked.contains(c.id)) continue;
                CheckWrite over;
                over.id = c.id;
                over.state = State::final;
                write.checks.push_back(over);
            }
            moves = !write.stages.empty() || !write.checks.empty();
            if (moves) service_.write_nodes(write);
        }
    }

    void fail(const std::string& plan, const std::string& stage) {
        WriteNodes write;
        write.plan = plan;
        write.stages.push_back(end_of(stage, false));
        service_.write_nodes(write);
    }

    RerunResult rerun(const std::string& plan, const std::string& id,
                      const std::optional<WriteNodes>& files = {}) {
        RerunPlan request;
        request.plan = plan;
        request.id = id;
        request.redefines = files.has_value();
        if (files) request.definitions = *files;
        return service_.rerun_plan(request);
    }

    [[nodiscard]] test::NodeList nodes(const std::string& plan) {
        test::NodeList seen;
        QueryNodes all;
        all.plan = plan;
        service_.query(all, seen);
        return seen;
    }

    [[nodiscard]] Verdict verdict(const std::string& plan) {
        Judge judge(Judge::Scope::whole_plan);
        const test::NodeList now = nodes(plan);
        for (const Check& c : now.checks) judge.check(c);
        for (const Stage& s : now.stages) judge.stage(s);
        return judge.judgement().verdict;
    }

private:
    static StageWrite end_of(const std::string& id, bool passes) {
        StageWrite write;
        write.id = id;
        write.attempt.emplace().state = passes ? AttemptState::complete : AttemptState::incomplete;
        write.attempt->no_retry = !passes;
        return write;
    }

    test::FakeClock clock_;
    memory::MemoryStore store_;
    LocalService service_;
};

void add_targets(const Predicate& predicate, std::vector<NodeRef>& targets) {
    for (const Edge& e : predicate.edges) targets.push_back(e.target);
    for (const Predicate& inner : predicate.groups) add_targets(inner, targets);
}

/// What passed, and needs nothing but what passed: by its dependencies, and a check by the stages assigned.
Refs sound(const test::NodeList& plan) {
    std::map<NodeRef, std::vector<NodeRef>> needs;
    Refs found;
    for (const Check& c : plan.checks) {
        const NodeRef ref{NodeType::check, c.id};
        add_targets(c.dependencies, needs[ref]);
        if (c.outcome == Outcome::passed) found.insert(ref);
    }
    for (const Stage& s : plan.stages) {
        const NodeRef ref{NodeType::stage, s.id};
        add_targets(s.dependencies, needs[ref]);
        for (const auto& a : s.assignments) needs[{NodeType::check, a.target_check_id}].push_back(ref);
        if (s.outcome == Outcome::passed) found.insert(ref);
    }
    const auto is_lost = [&](const NodeRef& ref) {
        return std::ranges::any_of(needs[ref], [&](const NodeRef& other) { return !found.contains(other); });
    };
    while (std::erase_if(found, is_lost) > 0) {
    }
    return found;
}

constexpr std::uint64_t kPlans = 150;

/// Calls `test` with each random plan that can be created, after it was run; returns how many of them passed.
template <class Test>
int with_passed_plans(bool with_bad, const Test& test) {
    int passed = 0;
    for (std::uint64_t seed = 1; seed <= kPlans; ++seed) {
        WriteNodes definitions = random_definitions(seed);
        if (with_bad) {
            StageWrite bad;
            bad.id = "bad";
            definitions.stages.push_back(bad);
        }
        Course course;
        if (!course.create(definitions)) continue;
        INFO("seed " << seed << '\n' << describe(Operation{.request = definitions}));
        if (with_bad) course.fail("p", "bad");
        course.pass("p");
        if (!with_bad && course.verdict("p") != Verdict::passed) continue;
        ++passed;
        test(course, definitions);
    }
    return passed;
}

}  // namespace

TEST_CASE("A plan that passed has nothing to be done again, with its own definitions as files too") {
    const int passed = with_passed_plans(false, [](Course& course, const WriteNodes& definitions) {
        const auto before = course.nodes("p").work_plan.version;
        CHECK(course.rerun("p", "again").nothing_to_do);
        CHECK(course.rerun("p", "again", definitions).nothing_to_do);
        CHECK(course.nodes("p").work_plan.version == before);
    });
    CHECK(passed > 20);
}

TEST_CASE(
    "Where nothing has changed all is carried that passed and needs nothing else, until all has passed") {
    std::size_t carried = 0;
    const int plans = with_passed_plans(true, [&](Course& course, const WriteNodes& definitions) {
        const Refs kept = sound(course.nodes("p"));
        carried += kept.size();
        for (const bool files : {false, true}) {
            const std::string plan = files ? "third" : "again", from = files ? "again" : "p";
            if (files) course.fail(from, "bad");
            const RerunResult result =
                course.rerun(from, plan, files ? std::optional(definitions) : std::nullopt);
            CHECK(Refs(result.carried.begin(), result.carried.end()) == kept);
            CHECK(result.carried.size() + result.begun.size() ==
                  definitions.checks.size() + definitions.stages.size());
        }
        course.pass("third");
        const test::NodeList last = course.nodes("third");
        for (const Stage& s : last.stages) {
            if (!kept.contains({NodeType::stage, s.id})) continue;
            CHECK(s.version == 1);
            CHECK(s.carried_from->plan == "p");
        }
        if (course.verdict("third") == Verdict::passed) CHECK(course.rerun("third", "fourth").nothing_to_do);
    });
    CHECK(plans > 20);
    CHECK(carried > 100);
}
