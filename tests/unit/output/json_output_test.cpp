// SPDX-License-Identifier: Apache-2.0
#include "format/json_output.hpp"

#include <chrono>

#include "output_samples.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

template <typename... T>
std::string json_of(const T&... value) {
    std::string out;
    append_json(out, value...);
    return out;
}

}  // namespace

TEST_CASE("A plan's JSON has every key", "[json]") {
    CHECK(
        json_of(plan()) ==
        R"({"id":"p","version":7,"labels":{"branch":"main"},"from":null,"limits":{},"cancelled":null,"created_at":"2026-01-02T03:04:05.000006Z",)"
        R"("updated_at":"2026-01-02T03:04:06.000000Z","counts":[)"
        R"({"type":"check","state":"FINAL","outcome":"passed","count":2},)"
        R"({"type":"stage","state":"PLANNED","outcome":null,"count":1}]})");
}

TEST_CASE("A bare check's JSON has every key, empty lists and nulls", "[json]") {
    Check check;
    check.id = "a\"b";
    check.created_at = check.updated_at = at(0);
    check.version = 1;
    CHECK(
        json_of(check) ==
        R"({"id":"a\"b","kind":"","state":"PLANNING","outcome":null,"skip_cause":null,"required":true,"condition":null,)"
        R"("options":{},"dependencies":)"
        R"({"predicate":"AND","threshold":0,"edges":[],"groups":[],"resolution":"SATISFIED"},)"
        R"("results":[],"carried_from":null,"created_by":null,"version":1,"created_at":"2026-01-02T03:04:05.000006Z",)"
        R"("updated_at":"2026-01-02T03:04:05.000006Z","state_history":[]})");
}

TEST_CASE("A full check's JSON tells its results and its history", "[json]") {
    Check check;
    check.id = "c";
    check.kind = "test";
    check.state = State::final;
    check.outcome = Outcome::failed;
    check.options.text = R"({"b":1,"a":[1.50,"x"]})";
    check.created_at = check.updated_at = at(0);
    check.state_history = {{State::planning, 1, at(0)}, {State::final, 2, at(1'000'000)}};
    Result good;
    good.id = 1;
    good.owner_type = OwnerType::stage_attempt;
    good.owner_id = "p:s:1";
    good.created_at = at(0);
    Result bad = good;
    bad.id = 2;
    bad.owner_type = OwnerType::actor;
    bad.owner_id = "me";
    bad.failure = "no\n";
    bad.finalized_at = at(0);
    bad.data.text = R"({"n":12345678901234567890123})";
    check.results = {good, bad};
    const std::string text = json_of(check);
    CHECK(text.find(R"("options":{"b":1,"a":[1.50,"x"]})") != std::string::npos);
    CHECK(text.find(R"({"id":1,"owner_type":"stage_attempt","owner_id":"p:s:1","data":{},"failure":null,)"
                    R"("created_at":"2026-01-02T03:04:05.000006Z","finalized_at":null})") !=
          std::string::npos);
    CHECK(text.find(R"({"id":2,"owner_type":"actor","owner_id":"me","data":{"n":12345678901234567890123},)"
                    R"("failure":{"message":"no\n"},"created_at":"2026-01-02T03:04:05.000006Z",)"
                    R"("finalized_at":"2026-01-02T03:04:05.000006Z"})") != std::string::npos);
    CHECK(text.ends_with(R"("state_history":[)"
                         R"({"state":"PLANNING","version":1,"at":"2026-01-02T03:04:05.000006Z"},)"
                         R"({"state":"FINAL","version":2,"at":"2026-01-02T03:04:06.000006Z"}]})"));
}

TEST_CASE("Dependencies name the group, what it needs, and how far each edge is", "[json]") {
    Predicate any = group(GroupKind::any, {edge(NodeType::stage, "x")}, Resolution::unresolved);
    Predicate root =
        group(GroupKind::at_least,
              {edge(NodeType::check, "a", State::final, When::failure, Resolution::satisfied),
               edge(NodeType::check, "b", State::waiting, When::success, Resolution::unsatisfied)},
              Resolution::unresolved, 2);
    root.edges[0].resolved_at = at(0);
    root.groups.push_back(any);
    CHECK(json_of(root) ==
          R"({"predicate":"THRESHOLD","threshold":2,"edges":[)"
          R"({"target_type":"check","target_id":"a","on_state":"FINAL","when":"failure","resolved":true,)"
          R"("satisfied":true,"resolved_at":"2026-01-02T03:04:05.000006Z"},)"
          R"({"target_type":"check","target_id":"b","on_state":"WAITING","when":null,"resolved":true,)"
          R"("satisfied":false,"resolved_at":null}],"groups":[)"
          R"({"predicate":"OR","threshold":1,"edges":[)"
          R"({"target_type":"stage","target_id":"x","on_state":"FINAL","when":"success","resolved":false,)"
          R"("satisfied":false,"resolved_at":null}],"groups":[],"resolution":"UNRESOLVED"}],)"
          R"("resolution":"UNRESOLVED"})");
}

TEST_CASE("A stage's JSON has its policy and its attempts", "[json]") {
    const std::string text = json_of(stage_with_attempts());
    CHECK(
        text ==
        R"({"id":"s","state":"ATTEMPTING","outcome":null,"skip_cause":null,"concluded_reason":null,)"
        R"("concluded_message":null,"args":{"command":"true"},)"
        R"("dependencies":{"predicate":"AND","threshold":0,"edges":[],"groups":[],"resolution":"SATISFIED"},)"
        R"("assignments":[{"target_check_id":"c","goal_state":"FINAL"}],)"
        R"("retry":{"max_retries":2,"backoff":"1500ms","max_backoff":"24h","on":["failed","timeout","silent"],)"
        R"("on_interrupt":"again"},"timeout":"5m","heartbeat":null,"silence":null,"runner":"",)"
        R"("uses":{},"condition":null,)"
        R"("continuation_group":{"predicate":"AND","threshold":0,"edges":[],"groups":[],)"
        R"("resolution":"SATISFIED"},"attempts":[)"
        R"({"idx":1,"state":"INCOMPLETE","cause":"failed","process_uid":"w1","details":{"k":"v"},"progress":[)"
        R"({"message":"half","timestamp":"2026-01-02T03:04:05.000006Z","details":{}}],)"
        R"("failure":{"message":"exit 1"},"exit_code":1,"signal":null,"log":{"path":"p.db.logs/p/s.1.log"},)"
        R"("stopping":{"since":"2026-01-02T03:04:05.000006Z","by":"ann","reason":"late","cause":"failed"},)"
        R"("not_before":null,"started_at":"2026-01-02T03:04:05.000006Z",)"
        R"("ended_at":"2026-01-02T03:04:05.000006Z",)"
        R"("last_heartbeat":"2026-01-02T03:04:05.000006Z",)"
        R"("created_at":"2026-01-02T03:04:05.000006Z","updated_at":"2026-01-02T03:04:05.000006Z"},)"
        R"({"idx":2,"state":"PENDING","cause":null,"process_uid":null,"details":{},"progress":[],"failure":null,)"
        R"("exit_code":null,"signal":null,"log":null,"stopping":null,)"
        R"("not_before":"2026-01-02T03:04:06.500006Z","started_at":null,"ended_at":null,"last_heartbeat":null,)"
        R"("created_at":"2026-01-02T03:04:05.000006Z","updated_at":"2026-01-02T03:04:05.000006Z"}],)"
        R"("carried_from":null,"created_by":null,"version":3,"created_at":"2026-01-02T03:04:05.000006Z",)"
        R"("updated_at":"2026-01-02T03:04:05.000006Z","state_history":[]})");
}

TEST_CASE("A write's answer lists what it did", "[json]") {
    WriteResult result;
    result.plan = plan();
    CHECK(json_of(result).ends_with(R"("created":[],"changed":[],"advanced":[],"warnings":[]})"));
    result.created = {{NodeType::check, "a"}, {NodeType::stage, "b"}};
    result.changed = {{NodeType::check, "c"}};
    Advance& advance = result.advanced.emplace_back();
    advance.node = {NodeType::check, "a"};
    advance.from = State::planned;
    advance.to = State::waiting;
    result.warnings = {"never"};
    CHECK(json_of(result).ends_with(R"("created":["check:a","stage:b"],"changed":["check:c"],)"
                                    R"("advanced":[{"node":"check:a","from":"PLANNED","to":"WAITING"}],)"
                                    R"("warnings":["never"]})"));
}

TEST_CASE("A claim's answer repeats the attempt that was claimed", "[json]") {
    const ClaimedAttempt claimed{stage_with_attempts(), 2};
    const std::string text = json_of(claimed, plan());
    CHECK(text.starts_with(R"({"plan":{"id":"p",)"));
    CHECK(text.find(R"("stage":{"id":"s",)") != std::string::npos);
    CHECK(text.find(R"(,"attempt":{"idx":2,"state":"PENDING",)") != std::string::npos);
    CHECK_THROWS_AS(json_of(ClaimedAttempt{stage_with_attempts(), 9}, plan()), Error);
}

TEST_CASE("A log entry says null for the plan itself and for no op_id", "[json]") {
    LogEntry entry;
    entry.version = 4;
    entry.time = at(0);
    entry.actor = "ci";
    entry.changes.text = R"({"state":{"from":"PLANNED","to":"WAITING"}})";
    CHECK(json_of(entry) ==
          R"({"version":4,"time":"2026-01-02T03:04:05.000006Z","actor":"ci","reason":"","op_id":null,)"
          R"("by":"writer","node":null,"changes":{"state":{"from":"PLANNED","to":"WAITING"}}})");
    entry.node = NodeRef{NodeType::stage, "s"};
    entry.op_id = "o";
    entry.by = Mover::orchestrator;
    CHECK(json_of(entry).find(R"("op_id":"o","by":"orchestrator","node":"stage:s")") != std::string::npos);
}

TEST_CASE("An explanation shows how its targets stand", "[json]") {
    Explanation why;
    why.plan = plan();
    why.node.ref = {NodeType::check, "c"};
    why.node.notes = {"waits for check:a"};
    why.node.dependencies = group(GroupKind::all, {edge(NodeType::check, "a")}, Resolution::unresolved);
    why.node.dependencies.edges[0].target_state = State::final;
    why.node.dependencies.edges[0].target_outcome = Outcome::failed;
    why.because = {why.node};
    why.root_causes = {{NodeType::check, "a"}};
    const std::string text = json_of(why);
    CHECK(
        text.find(R"("node":{"node":"check:c","state":"PLANNING","outcome":null,"concluded_reason":null,)") !=
        std::string::npos);
    CHECK(text.find(R"("resolved_at":null,"target_state":"FINAL","target_outcome":"failed"})") !=
          std::string::npos);
    CHECK(text.ends_with(R"("notes":["waits for check:a"]}],"root_causes":["check:a"],"truncated":false})"));
}

TEST_CASE("A summary has totals and lists", "[json]") {
    PlanSummary summary;
    summary.plan = plan();
    summary.ready = {{NodeType::stage, "s"}};
    summary.failed = {{{NodeType::check, "c"}, "broken"}};
    const std::string text = json_of(summary);
    CHECK(text.find(
              R"("totals":{"checks":2,"stages":1,"final_checks":2,"final_stages":0,"passed_checks":2,)") !=
          std::string::npos);
    CHECK(
        text.ends_with(R"("ready":["stage:s"],"running":[],"failed":[{"node":"check:c","message":"broken"}],)"
                       R"("open_checks":[]})"));
}

TEST_CASE("An error is one object with its remedy and its places", "[json]") {
    const Error plain(ErrorCode::not_found, "no plan \"x\"", "see `plan list`");
    CHECK(json_of(plain) ==
          R"({"error":{"code":"NOT_FOUND","message":"no plan \"x\"; see `plan list`","details":[]}})");
    const Error placed(ErrorCode::invalid_argument, "bad", {},
                       {{"a.yaml", 3, 4, "wrong"}, {"", 0, 0, "odd"}});
    CHECK(json_of(placed) == R"({"error":{"code":"INVALID_ARGUMENT","message":"bad","details":[)"
                             R"({"file":"a.yaml","line":3,"column":4,"message":"wrong"},)"
                             R"({"file":null,"line":null,"column":null,"message":"odd"}]}})");
}

TEST_CASE("Times are those of format_timestamp, whatever their order", "[json]") {
    using namespace std::chrono;
    const Timestamp times[] = {
        at(0),
        Timestamp{},
        Timestamp{microseconds{-1}},
        sys_days{2024y / February / 29} + hours{23} + minutes{59} + seconds{59} + microseconds{999'999},
        sys_days{2024y / March / 1},
        sys_days{9999y / December / 31},
        at(0)};
    for (const Timestamp t : times) {
        WorkPlan when;
        when.created_at = t;
        CHECK(json_of(when).find("\"created_at\":\"" + format_timestamp(t) + "\"") != std::string::npos);
    }
}

TEST_CASE("Bad UTF-8 in data becomes a replacement character", "[json]") {
    Check check;
    check.id = "a\xff";
    CHECK(json_of(check).starts_with("{\"id\":\"a\xef\xbf\xbd\""));
}

TEST_CASE("A query's document has the plan, the checks and the stages", "[json]") {
    JsonSink empty;
    empty.plan(WorkPlan{});
    CHECK(empty.take().ends_with(R"(,"checks":[],"stages":[]})"));
    JsonSink sink;
    sink.plan(plan());
    Check check;
    check.id = "one";
    sink.check(check);
    check.id = "two";
    sink.check(check);
    sink.stage(stage_with_attempts());
    const std::string text = sink.take();
    CHECK(text.find(R"("checks":[{"id":"one",)") != std::string::npos);
    CHECK(text.find(R"(},{"id":"two",)") != std::string::npos);
    CHECK(text.find(R"(}],"stages":[{"id":"s",)") != std::string::npos);
}

TEST_CASE("Indented JSON is the same document", "[json]") {
    CHECK(indent_json("{}") == "{}");
    CHECK(indent_json("[]") == "[]");
    CHECK(indent_json("12") == "12");
    CHECK(indent_json(R"({"a":[1,{"b":"x,{}[]:\"\\"},[],{}],"c":null})") ==
          "{\n"
          "  \"a\": [\n"
          "    1,\n"
          "    {\n"
          "      \"b\": \"x,{}[]:\\\"\\\\\"\n"
          "    },\n"
          "    [],\n"
          "    {}\n"
          "  ],\n"
          "  \"c\": null\n"
          "}");
    CHECK(indent_json(" { \"a\" : [ ] , \"b\":1 } ") == "{\n  \"a\": [],\n  \"b\": 1\n}");
}

TEST_CASE("Indentation survives depth and broken text", "[json]") {
    constexpr std::size_t kDepth = 100'000;
    const std::string text = indent_json(std::string(kDepth, '[') + "1" + std::string(kDepth, ']'));
    CHECK(text.size() < kDepth * 2 * 210);
    CHECK(std::count(text.begin(), text.end(), ']') == kDepth);
    CHECK(indent_json("\"open") == "\"open");
    CHECK(indent_json("\"open\\") == "\"open\\");
    CHECK(indent_json("]}") == "\n]\n}");
}
