// SPDX-License-Identifier: Apache-2.0
// Plans written as JUnit.
#include "format/junit.hpp"
#include "output_samples.hpp"
#include "support/catch.hpp"
#include "support_run.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

Result result_of(OwnerType type, std::string owner, std::optional<std::string> failure) {
    Result result;
    result.owner_type = type;
    result.owner_id = std::move(owner);
    result.failure = std::move(failure);
    return result;
}

Attempt attempt_of(std::int32_t idx, AttemptState state, std::int64_t from, std::int64_t to) {
    Attempt attempt;
    attempt.idx = idx;
    attempt.state = state;
    attempt.started_at = at(from);
    attempt.ended_at = at(to);
    return attempt;
}

Check skipped_check(std::string id, SkipCause cause) {
    Check skipped = check(std::move(id), "", State::final, Outcome::skipped);
    skipped.skip_cause = cause;
    return skipped;
}

/// A stage that failed in its second attempt, after 2 s and 1.5 s of work and a long pause.
Stage failed_stage(std::string id, std::vector<Assignment> assignments) {
    Stage failed = stage(std::move(id), State::final, Outcome::failed);
    failed.assignments = std::move(assignments);
    failed.attempts = {attempt_of(1, AttemptState::incomplete, 0, 2'000'000),
                       attempt_of(2, AttemptState::incomplete, 60'000'000, 61'500'000)};
    failed.attempts[1].failure = "exit status 1";
    return failed;
}

/// A plan in which each kind of case occurs.
NodeCollector everything() {
    NodeCollector graph;
    graph.plan(plan());
    graph.check(check("good", "test", State::final, Outcome::passed));
    Check failed = check("a<b>&\"'", "", State::final, Outcome::failed);
    failed.results = {result_of(OwnerType::stage_attempt, "p:s:x:1", "first try"),
                      result_of(OwnerType::stage_attempt, "p:s:x:2", "line 1\nline 2 ]]> \x1b"),
                      result_of(OwnerType::actor, "p:s:x:0", "by hand")};
    graph.check(failed);
    graph.check(check("open", "", State::waiting));
    Check broken = skipped_check("broken", SkipCause::upstream);
    broken.results = {result_of(OwnerType::orchestrator, "orchestrator", "check:good did not fail")};
    graph.check(broken);
    graph.check(skipped_check("not needed", SkipCause::not_needed));
    Check optional = check("optional", "", State::final, Outcome::failed);
    optional.required = false;
    optional.results = {result_of(OwnerType::actor, "me", "style")};
    graph.check(optional);
    graph.stage(failed_stage("answered", {{"a<b>&\"'", State::final}}));
    graph.stage(failed_stage("alone", {{"good", State::planned}}));
    Stage gone = stage("gone", State::final, Outcome::cancelled);
    gone.concluded_reason = ConcludedReason::cancelled;
    gone.concluded_message = "not today";
    graph.stage(gone);
    graph.stage(stage("works", State::attempting));
    Stage aside = failed_stage("aside", {{"optional", State::planned}});
    graph.stage(aside);
    // Its check has passed all the same, so it has to speak for itself.
    graph.stage(failed_stage("contradicted", {{"good", State::final}}));
    return graph;
}

std::string written_tail(const Stage& stage, const Attempt& attempt) {
    return stage.id + " says\n\x1b[31mattempt\x1b[0m\t" + std::to_string(attempt.idx) + "\r\n";
}

/// The suites of a report, each as a document of its own.
std::vector<std::string> suites_of(const std::string& report) {
    std::vector<std::string> suites;
    for (std::size_t begin = report.find("<testsuite "); begin != std::string::npos;
         begin = report.find("<testsuite ", begin + 1)) {
        const std::string_view end = "</testsuite>";
        suites.push_back(report.substr(begin, report.find(end, begin) + end.size() - begin));
    }
    return suites;
}

}  // namespace

TEST_CASE("A plan is a report of its checks and of the stages that no check answers for", "[junit]") {
    const NodeCollector graph = everything();
    const std::string xml = junit_xml(graph, written_tail);
    const std::string log =
        "&#10;&#10;--- last output of stage:answered, attempt 2 ---&#10;answered says&#10;attempt 2";
    CHECK(xml ==
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<testsuites name=\"p\" tests=\"11\" failures=\"5\" errors=\"0\" time=\"17.500\">\n"
          "  <testsuite name=\"p.checks\" tests=\"6\" failures=\"2\" errors=\"0\" skipped=\"3\" "
          "time=\"7.000\">\n"
          "    <testcase classname=\"p.checks.test\" name=\"good\" time=\"3.500\"/>\n"
          "    <testcase classname=\"p.checks\" name=\"a&lt;b&gt;&amp;&quot;'\" time=\"3.500\">\n"
          "      <failure type=\"failed\" message=\"line 1\">line 1&#10;line 2 ]]&gt; \xef\xbf\xbd&#10;by "
          "hand" +
              log +
              "</failure>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.checks\" name=\"open\" time=\"0.000\">\n"
              "      <skipped message=\"not final: WAITING\"/>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.checks\" name=\"broken\" time=\"0.000\">\n"
              "      <failure type=\"skipped\" message=\"skipped: check:good did not fail\">skipped: "
              "check:good did "
              "not fail</failure>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.checks\" name=\"not needed\" time=\"0.000\">\n"
              "      <skipped message=\"skipped\"/>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.checks\" name=\"optional\" time=\"0.000\">\n"
              "      <skipped message=\"not required: style\"/>\n"
              "    </testcase>\n"
              "  </testsuite>\n"
              "  <testsuite name=\"p.stages\" tests=\"5\" failures=\"3\" errors=\"0\" skipped=\"2\" "
              "time=\"10.500\">\n"
              "    <testcase classname=\"p.stages\" name=\"alone\" time=\"3.500\">\n"
              "      <failure type=\"failed\" message=\"exit status 1\">exit status 1&#10;&#10;--- last "
              "output of "
              "stage:alone, attempt 2 ---&#10;alone says&#10;attempt 2</failure>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.stages\" name=\"gone\" time=\"0.000\">\n"
              "      <failure type=\"cancelled\" message=\"not today\">not today</failure>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.stages\" name=\"works\" time=\"0.000\">\n"
              "      <skipped message=\"not final: ATTEMPTING\"/>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.stages\" name=\"aside\" time=\"3.500\">\n"
              "      <skipped message=\"not required: exit status 1\"/>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.stages\" name=\"contradicted\" time=\"3.500\">\n"
              "      <failure type=\"failed\" message=\"exit status 1\">exit status 1&#10;&#10;--- last "
              "output of "
              "stage:contradicted, attempt 2 ---&#10;contradicted says&#10;attempt 2</failure>\n"
              "    </testcase>\n"
              "  </testsuite>\n"
              "</testsuites>\n");
    const JunitReport back = read_junit(xml, "own.xml");
    CHECK(back.tests == 11);
    CHECK(back.failures == 5);
    CHECK(back.skipped == 5);
}

TEST_CASE("A report of a plan says no exactly where the verdict does", "[junit]") {
    const std::vector<std::pair<std::optional<Outcome>, std::optional<SkipCause>>> ways{
        {{}, {}},
        {Outcome::passed, {}},
        {Outcome::failed, {}},
        {Outcome::skipped, SkipCause::upstream},
        {Outcome::skipped, SkipCause::not_needed},
        {Outcome::cancelled, {}}};
    for (const auto& [check_outcome, check_cause] : ways) {
        if (check_outcome == Outcome::cancelled) continue;
        for (const auto& [outcome, cause] : ways) {
            for (const bool required : {true, false}) {
                for (const int assigned : {0, 1, 2}) {
                    NodeCollector graph;
                    graph.plan(plan());
                    Check c = check("c", "", check_outcome ? State::final : State::waiting, check_outcome);
                    c.skip_cause = check_cause;
                    c.required = required;
                    c.results = {result_of(OwnerType::actor, "me", "no")};
                    c.results[0].data.text =
                        R"({"junit":{"failing":[{"suite":"s","name":"n","message":"m"}]}})";
                    graph.check(c);
                    Stage s = stage("s", outcome ? State::final : State::attempting, outcome);
                    s.skip_cause = cause;
                    if (assigned > 0) s.assignments = {{"c", assigned == 1 ? State::final : State::planned}};
                    graph.stage(s);
                    const bool no = PlanReport(graph).judgement().verdict == Verdict::failed;
                    CHECK(read_junit(junit_xml(graph), "own.xml").passed() == !no);
                }
            }
        }
    }
}

TEST_CASE("The cases of an imported report are handed on", "[junit]") {
    NodeCollector graph;
    graph.plan(plan());
    Check failed = check("unit", "", State::final, Outcome::failed);
    failed.results = {result_of(OwnerType::actor, "me", "1 of 3 tests failed")};
    failed.results[0].data.text =
        R"({"junit":{"tests":3,"failing":[{"suite":"t.a","name":"bad","message":"1 == 2"},5,{"name":7}],)"
        R"("flaky":[{"suite":"","name":"once","message":"m"}]}})";
    graph.check(failed);
    Check overruled = failed;
    overruled.id = "overruled";
    overruled.outcome = Outcome::passed;
    overruled.results[0].failure.reset();
    graph.check(overruled);
    const std::string xml = junit_xml(graph);
    CHECK(has(xml,
              "  <testsuite name=\"p.unit\" tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"0\" "
              "time=\"0.000\">\n"
              "    <testcase classname=\"t.a\" name=\"bad\" time=\"0.000\">\n"
              "      <failure type=\"failed\" message=\"1 == 2\">1 == 2</failure>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.unit\" name=\"unit\" time=\"0.000\">\n"
              "      <failure type=\"failed\" message=\"\"></failure>\n"
              "    </testcase>\n"
              "    <testcase classname=\"p.unit\" name=\"once\" time=\"0.000\"/>\n"));
    CHECK(has(xml, "<skipped message=\"the check did not fail: 1 == 2\"/>"));
    CHECK(read_junit(xml, "own.xml").failures == 3);
}

TEST_CASE("Reports of plans are valid by the schemas of Jenkins and Surefire", "[junit]") {
    if (!can_run("xmllint --version")) return;
    NodeCollector graph = everything();
    Check imported = check("imported", "test", State::final, Outcome::failed);
    imported.results = {result_of(OwnerType::actor, "me", "1 of 2 failed")};
    imported.results[0].data.text =
        R"({"junit":{"failing":[{"suite":"a","name":"b","message":"c"}],"flaky":[{"suite":"","name":"d","message":""}]}})";
    graph.check(imported);
    const std::string report = junit_xml(graph, written_tail);
    const auto errors = [](const char* schema, const std::string& text) {
        const auto said = run_with_input(
            std::string("xmllint --noout --schema '") + TURBOCI_SCHEMA_DIR + "/" + schema + "' -", text);
        return said.status == 0 ? std::string() : said.err;
    };
    CHECK(errors("junit-jenkins.xsd", report) == "");
    CHECK(errors("junit-jenkins.xsd", junit_xml(NodeCollector{})) == "");
    // Surefire knows no more than one suite in a document.
    const std::vector<std::string> suites = suites_of(report);
    REQUIRE(suites.size() == 3);
    for (const std::string& suite : suites) CHECK(errors("junit-surefire.xsd", suite) == "");
    // The schemas refuse what they do not know.
    for (const char* schema : {"junit-jenkins.xsd", "junit-surefire.xsd"}) {
        CAPTURE(schema);
        const std::string head = "<testsuite name='a' tests='1' failures='0' errors='0' skipped='0' ";
        CHECK(errors(schema, head + "time='1.5'><testcase name='t' time='0'/></testsuite>") == "");
        CHECK(errors(schema, head + "time='1.2345'/>") != "");
        CHECK(errors(schema, head + "time='1' colour='red'/>") != "");
        CHECK(errors(schema, head + "time='1'><testcase time='0'/></testsuite>") != "");
    }
}

TEST_CASE("An empty plan is an empty report", "[junit]") {
    NodeCollector graph;
    graph.plan(plan());
    CHECK(read_junit(junit_xml(graph), "own.xml").passed());
    CHECK(read_junit(junit_xml(graph), "own.xml").tests == 0);
}
