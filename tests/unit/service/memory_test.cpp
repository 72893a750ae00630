// SPDX-License-Identifier: Apache-2.0
// The rules give the same answers on the store in memory as on SQLite.
#include "format/json_output.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using namespace std::chrono_literals;
using turboci::test::World;

namespace {

/// What happens to a plan, step by step, and after each step all that readers see of it.
class Story {
public:
    explicit Story(World& world) : w_(world) {}

    void tell() {
        create();
        run();
        retry();
        finish();
        add("tick", w_.tick());
        show_reasons();
        show_log();
    }
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

private:
    template <class Value>
    void add(const std::string& what, const Value& value) {
        std::string json = what + ": ";
        append_json(json, value);
        lines_.push_back(std::move(json));
    }

    void step(const std::string& what, const WriteResult& result) {
        add(what, result);
        for (ClaimedAttempt claimed : result.claimed) {
            claimed.token.clear();  // is random
            add("claimed", claimed, result.plan);
        }
        JsonSink all;
        QueryNodes q;
        q.plan = "p";
        w_.service->query(q, all);
        lines_.push_back(all.take());
        add("summary", w_.service->summarize("p", 10));
        w_.clock.advance(1s);
    }
    void add(const std::string& what, const ClaimedAttempt& claimed, const WorkPlan& plan) {
        std::string json = what + ": ";
        append_json(json, claimed, plan);
        lines_.push_back(std::move(json));
    }
    void refused(const std::string& yaml) { add("refused", w_.refusal(yaml)); }

    void create() {
        step("create", w_.write(R"(
plan: {branch: main}
checks:
  - {id: built, kind: build, state: PLANNED, options: {level: 2}}
  - {id: tested, state: PLANNED, dependencies: [built]}
  - {id: reviewed, dependencies: {at_least: 2, of: [built, 'stage:build', 'check:tested']}}
  - {id: rolled-back, state: PLANNED, dependencies: [{node: 'check:tested', when: failure}]}
  - {id: told, state: PLANNED, dependencies: {any: [built, {all: [tested, rolled-back]}]}}
stages:
  - {id: build, args: {command: make}, assignments: [built], retry: {max_retries: 2, backoff: 10s}}
  - {id: test, assignments: [tested], timeout: 1h, dependencies: [built], continuation_group: [part-1, part-2]}
  - {id: part-1, dependencies: [{node: 'stage:test', on_state: ATTEMPTING}]}
  - {id: part-2, dependencies: [{node: 'stage:test', on_state: ATTEMPTING}]}
  - {id: undo, assignments: [rolled-back], dependencies: [{node: 'check:tested', when: failure}]}
)"));
        refused("checks: [{id: x, dependencies: [nowhere]}]");
        refused("stages: [{id: build, args: {command: other}, assignments: [tested]}]");
    }
    void run() {
        step("claim", w_.claim("build"));
        step("progress", w_.write("stages: [{id: build, attempt: {details: {a: 1}, progress: [one, two]}}]"));
        add("dry run", [&] {
            WriteNodes r = World::request("checks: [{id: dry}]");
            r.dry_run = true;
            return w_.write(r);
        }());
        WriteNodes twice = World::request("checks: [{id: once}]");
        twice.op_id = "op";
        step("first", w_.write(twice));
        step("again", w_.write(twice));
    }
    void retry() {
        step("fail", w_.fail("build"));
        add("too early", w_.refusal(claim_of("build")));
        w_.clock.advance(10s);
        step("claim again", w_.claim("build"));
        step("answer", w_.write("checks: [{id: built, result: {data: {ok: true}}}]"));
        step("complete", w_.complete("build"));
    }
    void finish() {
        step("test", w_.claim("test"));
        step("part", w_.claim("part-1"));
        step("part done", w_.complete("part-1"));
        step("other part fails", (w_.claim("part-2"), w_.fail("part-2")));
        step("test done", w_.complete("test"));
        step("cancel", w_.write("stages: [{id: undo, cancel: true}]"));
    }
    static WriteNodes claim_of(const std::string& stage) {
        WriteNodes r = World::request("{}");
        Claim& wanted = r.claim.emplace();
        wanted.stages = {stage};
        wanted.process_uid = "w";
        return r;
    }
    void show_reasons() {
        for (const char* check : {"built", "tested", "reviewed", "rolled-back", "told", "once"})
            add("explain", w_.service->explain("p", {NodeType::check, check}));
        for (const char* stage : {"build", "test", "part-2", "undo"})
            add("explain", w_.service->explain("p", {NodeType::stage, stage}));
    }
    void show_log() {
        const auto visit = [&](const LogEntry& entry) { add("log", entry); };
        w_.service->read_log({.plan = "p", .ref = {}, .since = 0}, visit);
        w_.service->read_log({.plan = "p", .ref = parse_ref("stage:build"), .since = 3}, visit);
        for (const std::string& fault : w_.service->check_states()) lines_.push_back(fault);
    }

    World& w_;
    std::vector<std::string> lines_;
};

std::string exported_by(World& w) {
    std::string text;
    w.service->export_plan("p", [&](std::string_view line) { text += std::string(line) + "\n"; });
    return text;
}

}  // namespace

TEST_CASE("The rules do the same on the store in memory as on SQLite") {
    World on_disk("");
    World in_memory("memory:");
    Story expected(on_disk), found(in_memory);
    expected.tell();
    found.tell();
    CHECK(expected.lines().size() > 50);
    REQUIRE(found.lines().size() == expected.lines().size());
    for (std::size_t i = 0; i < expected.lines().size(); ++i) CHECK(found.lines()[i] == expected.lines()[i]);
    CHECK(in_memory.state("check:built") == "FINAL passed");
    CHECK(in_memory.state("check:tested") == on_disk.state("check:tested"));
}

TEST_CASE("A plan goes from SQLite into a store in memory and back without a change") {
    World on_disk("");
    Story(on_disk).tell();
    const std::string text = exported_by(on_disk);
    World in_memory("memory:");
    in_memory.service->delete_plan("p", true);
    in_memory.service->import_plan(text, "plan.export");
    CHECK(exported_by(in_memory) == text);
    World back;
    back.service->delete_plan("p", true);
    back.service->import_plan(exported_by(in_memory), "plan.export");
    CHECK(exported_by(back) == text);
}
