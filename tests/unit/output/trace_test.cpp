// SPDX-License-Identifier: Apache-2.0
#include "format/trace.hpp"

#include <map>
#include <nlohmann/json.hpp>

#include "format/report_times.hpp"
#include "output_samples.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::samples;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

/// An attempt that could begin, began and ended at these seconds; -1: not yet.
Attempt attempt(std::int64_t ready, std::int64_t began, std::int64_t ended, std::int32_t idx = 1) {
    Attempt one;
    one.idx = idx;
    one.created_at = one.updated_at = at(ready * kSecond);
    one.state = ended >= 0   ? AttemptState::complete
                : began >= 0 ? AttemptState::running
                             : AttemptState::pending;
    if (began >= 0) one.started_at = at(began * kSecond);
    if (ended >= 0) one.ended_at = at(ended * kSecond);
    return one;
}

Stage timed(std::string id, std::vector<Attempt> attempts, std::vector<std::string> needs = {}) {
    Stage one = stage(std::move(id), State::final, Outcome::passed);
    one.attempts = std::move(attempts);
    std::vector<Edge> edges;
    for (std::string& need : needs)
        edges.push_back(
            edge(NodeType::stage, std::move(need), State::final, When::success, Resolution::satisfied));
    if (!edges.empty()) one.dependencies = group(GroupKind::all, std::move(edges), Resolution::satisfied);
    return one;
}

NodeCollector plan_of(std::vector<Stage> stages, std::int64_t updated = 0) {
    NodeCollector graph;
    WorkPlan with_time = plan();
    with_time.updated_at = at(updated * kSecond);
    graph.plan(with_time);
    for (const Stage& one : stages) graph.stage(one);
    return graph;
}

}  // namespace

TEST_CASE("A trace tells when each attempt waited and when it worked", "[trace]") {
    Stage flaky = timed("flaky", {attempt(2, 3, 5), attempt(5, 6, 9, 2)}, {"fetch"});
    flaky.attempts[0].state = AttemptState::incomplete;
    flaky.attempts[0].cause = Cause::failed;
    flaky.attempts[0].failure = "exit status 1";
    const std::string text =
        trace_json(plan_of({timed("fetch", {attempt(0, 0, 2)}), timed("other", {attempt(0, 1, 2)}), flaky}));
    CHECK(text ==
          "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"plan\":\"p\",\"verdict\":\"done, no check answered\","
          "\"began_at\":\"2026-01-02T03:04:05.000006Z\"},\"traceEvents\":[\n"
          R"({"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":"attempts"}},
{"ph":"M","pid":1,"tid":1,"name":"thread_name","args":{"name":"lane 1"}},
{"ph":"M","pid":1,"tid":2,"name":"thread_name","args":{"name":"lane 2"}},
{"ph":"X","pid":1,"tid":1,"ts":0,"dur":2000000,"cat":"attempt","name":"fetch","args":{"attempt":1,"state":"COMPLETE","critical":true}},
{"ph":"X","pid":1,"tid":2,"ts":1000000,"dur":1000000,"cat":"attempt","name":"other","args":{"attempt":1,"state":"COMPLETE"}},
{"ph":"X","pid":1,"tid":1,"ts":3000000,"dur":2000000,"cat":"attempt","name":"flaky","args":{"attempt":1,"state":"INCOMPLETE","cause":"failed","failure":"exit status 1","critical":true}},
{"ph":"X","pid":1,"tid":1,"ts":6000000,"dur":3000000,"cat":"attempt","name":"flaky","args":{"attempt":2,"state":"COMPLETE","critical":true}},
{"ph":"M","pid":2,"tid":0,"name":"process_name","args":{"name":"waiting"}},
{"ph":"M","pid":2,"tid":1,"name":"thread_name","args":{"name":"lane 1"}},
{"ph":"X","pid":2,"tid":1,"ts":0,"dur":1000000,"cat":"waiting","name":"other","args":{"attempt":1,"state":"COMPLETE"}},
{"ph":"X","pid":2,"tid":1,"ts":2000000,"dur":1000000,"cat":"waiting","name":"flaky","args":{"attempt":1,"state":"INCOMPLETE","cause":"failed","critical":true}},
{"ph":"X","pid":2,"tid":1,"ts":5000000,"dur":1000000,"cat":"waiting","name":"flaky","args":{"attempt":2,"state":"COMPLETE","critical":true}},
{"ph":"M","pid":3,"tid":0,"name":"process_name","args":{"name":"critical path"}},
{"ph":"M","pid":3,"tid":1,"name":"thread_name","args":{"name":"critical path"}},
{"ph":"X","pid":3,"tid":1,"ts":0,"dur":2000000,"cat":"attempt","name":"fetch","args":{"attempt":1,"state":"COMPLETE","critical":true}},
{"ph":"X","pid":3,"tid":1,"ts":3000000,"dur":2000000,"cat":"attempt","name":"flaky","args":{"attempt":1,"state":"INCOMPLETE","cause":"failed","failure":"exit status 1","critical":true}},
{"ph":"X","pid":3,"tid":1,"ts":6000000,"dur":3000000,"cat":"attempt","name":"flaky","args":{"attempt":2,"state":"COMPLETE","critical":true}}
]}
)");
}

TEST_CASE("No two bars of a trace overlap in a lane", "[trace]") {
    std::vector<Stage> stages;
    for (std::int64_t i = 0; i < 60; ++i)
        stages.push_back(timed("s" + std::to_string(i), {attempt(i % 7, i % 11 + 7, i % 11 + 8 + i % 13)}));
    const Json trace = Json::parse(trace_json(plan_of(stages)));
    std::map<std::pair<int, int>, std::vector<std::pair<std::int64_t, std::int64_t>>> lanes;
    for (const Json& event : trace["traceEvents"]) {
        if (event["ph"] != "X") continue;
        lanes[{event["pid"], event["tid"]}].push_back(
            {event["ts"], event["ts"].get<std::int64_t>() + event["dur"].get<std::int64_t>()});
    }
    std::size_t bars = 0;
    for (auto& [lane, spans] : lanes) {
        std::ranges::sort(spans);
        bars += spans.size();
        for (std::size_t i = 1; i < spans.size(); ++i) CHECK(spans[i].first >= spans[i - 1].second);
    }
    CHECK(bars >= 120);
}

TEST_CASE("A trace is JSON whatever ids and messages hold", "[trace]") {
    const std::string id = "\"}]</script>\\\xff\xe2\x80\xae\n";
    Stage hostile = timed(id, {attempt(0, 1, 2)});
    hostile.attempts[0].failure = "\x1b[31m\"\x01";
    const Json trace = Json::parse(trace_json(plan_of({hostile})));
    CHECK(trace["traceEvents"].back()["args"]["failure"] == "\x1b[31m\"\x01");
    CHECK(trace["traceEvents"].back()["name"].get<std::string>().starts_with("\"}]</script>\\"));
    CHECK(Json::parse(trace_json(plan_of({})))["traceEvents"].empty());
}

TEST_CASE("What is not over goes on to when the plan was last heard of", "[trace]") {
    Stage running = timed("running", {attempt(0, 1, -1)});
    Stage pending = timed("pending", {attempt(4, -1, -1)});
    const NodeCollector graph = plan_of({running, pending}, 10);
    const ReportTimes times(graph);
    REQUIRE(times.spans().size() == 3);
    CHECK(times.spans()[1].end == at(10 * kSecond));
    CHECK(times.spans()[1].open);
    CHECK(times.spans()[2].waiting);
    CHECK(times.spans()[2].open);
    CHECK(times.spans()[2].end == at(10 * kSecond));
    CHECK(times.worked() == std::chrono::seconds(9));
    CHECK(times.end() == at(10 * kSecond));
}

TEST_CASE("What was carried over took no time in this plan", "[trace]") {
    Stage carried = timed("carried", {attempt(-100, -90, -80)});
    carried.attempts[0].started_at = at(-90 * kSecond);
    carried.attempts[0].ended_at = at(-80 * kSecond);
    carried.carried_from = CarriedFrom{};
    const NodeCollector graph = plan_of({carried, timed("new", {attempt(0, 0, 1)}, {"carried"})}, 1);
    const ReportTimes times(graph);
    REQUIRE(times.spans().size() == 1);
    CHECK(times.begin() == at(0));
    CHECK(times.critical_path().stages == std::vector<std::string>{"new"});
}
