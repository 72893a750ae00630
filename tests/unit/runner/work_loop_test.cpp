// SPDX-License-Identifier: Apache-2.0
// A worker over several plans, with a clock of its own.
#include "runner/work_loop.hpp"
#include "executor_fixture.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;
using Strings = std::vector<std::string>;

namespace {

/// Counts what is told of each plan.
class Audience final : public WorkListener {
public:
    void on_note(const std::string& text) override { notes.push_back(text); }
    std::unique_ptr<RunListener> plan(const std::string& id) override {
        class Ear final : public RunListener {
        public:
            Ear(Audience& audience, std::string plan) : audience_(audience), plan_(std::move(plan)) {}
            void on_start(const StageStart& start) override {
                audience_.starts.push_back(plan_ + "/" + start.stage);
            }
            void on_end(const StageEnd& end) override {
                audience_.ends.push_back(plan_ + "/" + end.stage + (end.failure ? "!" : ""));
            }
            void on_final(const NodeRef&, Outcome) override {}
            void on_note(const std::string& text) override { audience_.notes.push_back(plan_ + ": " + text); }
            void on_progress(const RunProgress&) override {}
            void on_summary(const RunSummary&) override {}

        private:
            Audience& audience_;
            std::string plan_;
        };
        return std::make_unique<Ear>(*this, id);
    }
    Strings starts, ends, notes;
};

/// The fixture's plan p, and others, before a worker.
struct Work {
    explicit Work(const std::string& yaml = {}) : f(yaml) {
        options.run = f.options;
        options.run.plan.clear();
        options.name = "w";
        options.once = true;
    }
    void plan(const std::string& id, const std::string& yaml) {
        CreatePlan create;
        create.id = id;
        Problems problems;
        read_plan_text({"test.yaml", yaml}, create.nodes, problems);
        problems.raise_if_any(create.nodes.files);
        f.endpoint->create_plan(create);
    }
    int run() { return WorkLoop(*f.endpoint, f.runner, f.clock, audience, options).run(); }
    [[nodiscard]] std::int64_t open_stages(const std::string& plan) const {
        const PlanTotals sum = totals(f.endpoint->get_plan(plan));
        return sum.stages - sum.final_stages;
    }

    RunFixture f;
    WorkOptions options;
    Audience audience;
};

constexpr const char* kTen = R"(
stages:
  - {id: "s{{n}}", matrix: {n: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}, args: {command: [ok, 10s]}}
)";

}  // namespace

TEST_CASE("A worker works off all plans, and a long one does not keep a short one waiting") {
    Work w(kTen);
    w.plan("q",
           "stages: [{id: a, args: {command: [ok, 1s]}}, {id: b, dependencies: [a], args: {command: [ok]}}]");
    CHECK(w.run() == 0);
    CHECK(w.open_stages("p") == 0);
    CHECK(w.open_stages("q") == 0);
    CHECK(w.f.runner.most_at_once == 2);
    const auto place = [&](const std::string& stage) {
        return std::ranges::find(w.audience.starts, stage) - w.audience.starts.begin();
    };
    CHECK(place("q/a") <= 2);
    CHECK(place("q/b") <= 4);
    CHECK(w.audience.ends.size() == 12);
    CHECK(w.f.endpoint->workers().empty());  // it is gone
}

TEST_CASE("A worker takes plans by their ids, and stages by their kinds") {
    Work w("stages: [{id: a, args: {command: [ok]}}]");
    w.plan("nightly-1",
           "stages: [{id: b, args: {command: [ok]}}, {id: g, runner: gpu, args: {command: [ok]}}]");
    w.plan("nightly-2", "stages: [{id: c, args: {command: [fail]}}, {id: person}]");
    w.options.plans = {"nightly-*", "other"};
    CHECK(w.run() == 0);
    std::ranges::sort(w.audience.ends);
    CHECK(w.audience.ends == Strings{"nightly-1/b", "nightly-2/c!"});
    w.options.run.runners = {"gpu"};
    CHECK(w.run() == 0);
    CHECK(w.audience.starts.back() == "nightly-1/g");
    CHECK(w.audience.starts.size() == 3);
}

TEST_CASE("A worker sees new work, and work that becomes ready later") {
    Work w("stages: [{id: a, retry: {max_retries: 1, backoff: 30s}, args: {command: [fail]}}]");
    w.options.once = false;
    w.f.runner.at.emplace(1h + 10s, [&] { w.plan("q", "stages: [{id: b, args: {command: [ok]}}]"); });
    w.f.runner.at.emplace(1h + 60s, [&] { w.f.runner.signals = {SIGTERM}; });
    CHECK(w.run() == 0);
    CHECK(w.audience.starts == Strings{"p/a", "q/b", "p/a"});
    CHECK_THAT(w.audience.notes.back(), Contains("nothing runs"));
}

TEST_CASE("A first signal lets what runs go on to its end, and claims nothing more") {
    Work w(kTen);
    w.f.runner.at.emplace(1h + 1s, [&] { w.f.runner.signals = {SIGTERM}; });
    CHECK(w.run() == 0);
    CHECK(w.audience.ends.size() == 2);
    CHECK(w.open_stages("p") == 8);
    CHECK(w.f.runner.stopped.empty());
    CHECK_THAT(w.audience.notes.front(), Contains("2 stages go on to the end"));
}

TEST_CASE("A second signal ends what runs, which is taken up by others") {
    Work w("stages: [{id: a, args: {command: [ok, 10m]}}]");
    w.f.runner.at.emplace(1h + 1s, [&] { w.f.runner.signals = {SIGTERM}; });
    w.f.runner.at.emplace(1h + 2s, [&] { w.f.runner.signals = {SIGINT}; });
    CHECK(w.run() == 128 + SIGINT);
    CHECK(w.f.runner.stopped == Strings{"a"});
    CHECK(w.f.stage("a").attempts.at(0).cause == Cause::interrupted);
    CHECK(w.f.stage("a").attempts.at(1).state == AttemptState::pending);
}

TEST_CASE("A worker that is told to drain ends when what it runs has ended") {
    Work w(kTen);
    w.options.once = false;
    bool was_listed = false;
    w.f.runner.at.emplace(1h + 11s, [&] {
        const auto workers = w.f.endpoint->workers();
        was_listed = workers.size() == 1 && workers[0].name == "w" && workers[0].held == 2;
        w.f.endpoint->drain_worker("w");
    });
    CHECK(w.run() == 0);
    CHECK(was_listed);
    CHECK(w.open_stages("p") == 10 - static_cast<std::int64_t>(w.audience.ends.size()));
    CHECK(w.open_stages("p") > 0);
    CHECK_THAT(w.audience.notes.front(), Contains("told to drain"));
}

TEST_CASE("A worker goes on when the store answers again, before anybody calls it lost") {
    Work w(
        "stages: [{id: a, args: {command: [ok, 50s]}}, {id: b, dependencies: [a], args: {command: [ok]}}]");
    w.f.runner.at.emplace(1h + 5s, [&] { w.f.store->refuse = 15; });
    CHECK(w.run() == 0);
    CHECK(w.open_stages("p") == 0);
    CHECK_THAT(w.audience.notes.at(0), Contains("trying again"));
    CHECK(std::ranges::count(w.audience.notes, "the store answers again") == 1);
}

TEST_CASE("A worker stops what it runs when others may soon take it for lost") {
    Work w("stages: [{id: a, args: {command: [ok, 10m]}}]");
    w.f.runner.at.emplace(1h + 5s, [&] { w.f.store->refuse = 1'000'000; });
    w.f.runner.at.emplace(1h + 80s, [&] {
        w.f.store->refuse = 0;
        w.f.runner.signals = {SIGTERM};
    });
    w.options.once = false;
    CHECK(w.run() == 0);
    CHECK(w.f.runner.stopped == Strings{"a"});
}

TEST_CASE("A plan that is deleted under a worker is left, and others go on") {
    Work w("stages: [{id: a, args: {command: [ok, 10s]}}]");
    w.plan("q", "stages: [{id: b, args: {command: [ok, 30s]}}]");
    w.f.runner.at.emplace(1h + 1s, [&] { w.f.endpoint->delete_plan("p", true); });
    CHECK(w.run() == 0);
    CHECK(w.open_stages("q") == 0);
    CHECK(w.audience.ends == Strings{"q/b"});
}

TEST_CASE("What a dead worker held is found and taken up") {
    Work w("stages: [{id: a, args: {command: [ok]}}]");
    w.options.once = false;
    w.f.endpoint->set_runner_probe([](const RunnerIdentity&) { return Liveness::unknown; });
    w.f.attempt("a", AttemptState::running, "run:elsewhere:1:1", RunnerIdentity{"elsewhere", "boot", 1, 1});
    w.f.runner.at.emplace(1h + 75s, [&] { w.f.runner.signals = {SIGTERM}; });
    CHECK(w.run() == 0);
    CHECK(w.f.stage("a").attempts.at(0).cause == Cause::lost);
    CHECK(w.f.stage("a").outcome == Outcome::passed);
}
