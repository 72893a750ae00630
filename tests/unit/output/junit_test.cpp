// SPDX-License-Identifier: Apache-2.0
#include "format/junit.hpp"

#include "output_samples.hpp"
#include "support/catch.hpp"
#include "support_run.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

struct Counts {
    std::int64_t tests, failures, errors, skipped;
    bool operator==(const Counts&) const = default;
    friend std::ostream& operator<<(std::ostream& out, const Counts& c) {
        return out << c.tests << " tests, " << c.failures << " failures, " << c.errors << " errors, "
                   << c.skipped << " skipped";
    }
};

Counts counts(const JunitReport& report) {
    return {report.tests, report.failures, report.errors, report.skipped};
}

JunitReport read(std::string_view xml) { return read_junit(xml, "r.xml"); }

/// Where and why `xml` is refused, "LINE:COL: MESSAGE".
std::string refusal(std::string_view xml) {
    try {
        static_cast<void>(read(xml));
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::invalid_argument);
        REQUIRE(error.details().size() == 1);
        const ErrorDetail& detail = error.details()[0];
        CHECK(detail.file == "r.xml");
        return std::to_string(detail.line) + ":" + std::to_string(detail.column) + ": " + detail.message;
    }
    return "accepted";
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

}  // namespace

TEST_CASE("pytest's reports are read", "[junit]") {
    const JunitReport report = read(R"(<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="2" tests="5" time="0.061" timestamp="2024-01-01T00:00:00" hostname="h">
<testcase classname="tests.test_a" name="test_ok" time="0.001" />
<testcase classname="tests.test_a" name="test_bad[1-&lt;x&gt;]" time="0.002"><failure message="AssertionError: assert 1 == 2&#10;  where 1">def test_bad():
&gt;       assert 1 == 2</failure></testcase>
<testcase classname="tests.test_a" name="test_fixture" time="0.003"><error message="failed on setup with &quot;E&quot;">text</error></testcase>
<testcase classname="tests.test_a" name="test_skip" time="0.000"><skipped type="pytest.skip" message="no">x</skipped></testcase>
<testcase classname="tests.test_a" name="test_xfail" time="0.000"><skipped type="pytest.xfail" message="" /></testcase>
</testsuite></testsuites>)");
    CHECK(counts(report) == Counts{5, 1, 1, 2});
    CHECK(report.seconds == Approx(0.006));
    CHECK_FALSE(report.passed());
    REQUIRE(report.failing.size() == 2);
    CHECK(report.failing[0].suite == "tests.test_a");
    CHECK(report.failing[0].name == "test_bad[1-<x>]");
    CHECK(report.failing[0].message == "AssertionError: assert 1 == 2 where 1");
    CHECK(report.failing[1].message == "failed on setup with \"E\"");
    CHECK(failure_of(report) ==
          "2 of 5 tests failed: tests.test_a.test_bad[1-<x>]: AssertionError: assert 1 == 2 where 1 (and 1 "
          "more)");
}

TEST_CASE("Surefire's reruns and flaky failures are no failures", "[junit]") {
    const JunitReport report = read(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="x.xsd" version="3.0" name="com.x.FooTest" time="1,234.5" tests="4" errors="0" skipped="1" failures="1">
  <properties><property name="java.version" value="17"/></properties>
  <testcase name="flaky" classname="com.x.FooTest" time="1,000.25"><flakyFailure message="once" type="E"><stackTrace>t</stackTrace></flakyFailure><flakyError message="twice"/></testcase>
  <testcase name="broken" classname="com.x.FooTest" time="0.1"><failure message="expected:&lt;1&gt;" type="AssertionFailedError">trace</failure><rerunFailure message="again"/><rerunError message="again"/></testcase>
  <testcase name="ignored" classname="com.x.FooTest" time="0"><skipped/></testcase>
  <testcase name="fine" classname="com.x.FooTest" time="0.1"><system-out><![CDATA[<failure message="not this"/>]]></system-out></testcase>
</testsuite>)");
    CHECK(counts(report) == Counts{4, 1, 0, 1});
    CHECK(report.seconds == Approx(1000.45));
    REQUIRE(report.failing.size() == 1);
    CHECK(report.failing[0].name == "broken");
    CHECK(report.failing[0].message == "expected:<1>");
    REQUIRE(report.flaky_total == 1);
    CHECK(report.flaky.at(0).suite == "com.x.FooTest");
    CHECK(report.flaky.at(0).name == "flaky");
    CHECK(report.flaky.at(0).message == "once");
}

TEST_CASE("GoogleTest's reports are read", "[junit]") {
    const JunitReport report = read(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" time="0.01" timestamp="2024-01-01T00:00:00" name="AllTests">
  <testsuite name="MathTest" tests="4" failures="1" disabled="1" skipped="1" errors="0" time="0.01">
    <testcase name="Adds" status="run" result="completed" time="0.001" classname="MathTest" />
    <testcase name="Divides" status="run" result="completed" time="0.002" classname="MathTest">
      <failure message="a.cc:5&#x0A;Expected equality" type=""><![CDATA[a.cc:5
Expected equality]]></failure>
      <failure message="a.cc:9&#x0A;Second" type=""><![CDATA[a.cc:9]]></failure>
    </testcase>
    <testcase name="DISABLED_Off" status="notrun" result="suppressed" time="0" classname="MathTest" />
    <testcase name="Skips" status="run" result="skipped" time="0" classname="MathTest"><skipped message="a.cc:7"/></testcase>
  </testsuite>
</testsuites>)");
    CHECK(counts(report) == Counts{4, 1, 0, 2});
    CHECK(report.failing_total == 1);
    CHECK(report.failing.at(0).message == "a.cc:5 Expected equality");
}

TEST_CASE("Catch2 counts assertions, we count cases", "[junit]") {
    const JunitReport report = read(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="test_x" errors="1" failures="3" tests="40" hostname="tbd" time="0.5" timestamp="2024-01-01T00:00:00Z">
    <testcase classname="test_x.global" name="A sentence" time="0.25"/>
    <testcase classname="test_x.global" name="Another/section" time="0.125">
      <failure message="1 == 2" type="CHECK">
FAILED:
  CHECK( 1 == 2 )
at x.cpp:7
      </failure>
      <error message="boom" type="TEST_CASE">throws</error>
    </testcase>
    <testcase classname="test_x.global" name="Third" time="0">
      <failure type="REQUIRE">

FAILED: deep
      </failure>
    </testcase>
    <system-out/><system-err/>
  </testsuite>
</testsuites>)");
    CHECK(counts(report) == Counts{3, 1, 1, 0});
    REQUIRE(report.failing.size() == 2);
    CHECK(report.failing[0].message == "boom");
    CHECK(report.failing[1].message == "FAILED: deep");
}

TEST_CASE("CTest's reports are read", "[junit]") {
    const JunitReport report = read(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux-g++" tests="4" failures="1" disabled="1" skipped="1" hostname="h" time="3" timestamp="2024-01-01T00:00:00">
	<testcase name="good" classname="good" time="1" status="run"><system-out>ok</system-out></testcase>
	<testcase name="bad" classname="bad" time="2" status="fail"><failure message="Failed"/><system-out>FAILED
</system-out></testcase>
	<testcase name="lost" classname="lost" time="0" status="notrun"><skipped message="Unable to find executable"/></testcase>
	<testcase name="off" classname="off" time="0" status="disabled"/>
	<testcase name="silent" classname="silent" time="0" status="fail"/>
</testsuite>)");
    CHECK(counts(report) == Counts{5, 2, 1, 1});
    CHECK(report.failing.at(0).message == "Failed");
    CHECK(report.failing.at(1).message == "Unable to find executable");
    CHECK(report.failing.at(2).message == "status fail");
    // What asked to be skipped is no failure.
    CHECK(read("<testsuite><testcase name='x' status='notrun'><skipped "
               "message='SKIP_RETURN_CODE=77'/></testcase>"
               "<testcase name='y' status='notrun' result='suppressed'/></testsuite>")
              .passed());
}

TEST_CASE("Suites may be nested", "[junit]") {
    const JunitReport report = read(
        "<testsuites><testsuite name='a'><testsuite name='b'><testcase name='x'/><testcase "
        "name='y'><failure/>"
        "</testcase></testsuite><testcase name='z'/></testsuite><testsuite name='c'/></testsuites>");
    CHECK(counts(report) == Counts{3, 1, 0, 0});
    CHECK(report.failing.at(0).suite == "b");
    CHECK(report.failing.at(0).message.empty());
    CHECK(failure_of(report) == "1 of 3 tests failed: b.y");
}

TEST_CASE("Cases win over attributes that disagree", "[junit]") {
    CHECK(counts(read("<testsuite tests='9' failures='9' errors='9'><testcase name='x'><failure/></testcase>"
                      "</testsuite>")) == Counts{1, 1, 0, 0});
    CHECK(counts(
              read("<testsuite tests='1' failures='0'><testcase name='x'><error/></testcase></testsuite>")) ==
          Counts{1, 0, 1, 0});
}

TEST_CASE("A suite that says that some failed has failed, though no case shows it", "[junit]") {
    const JunitReport report =
        read("<testsuite name='s' tests='3' failures='2'><testcase name='x'/></testsuite>");
    CHECK(counts(report) == Counts{1, 2, 0, 0});
    CHECK(report.failing.at(0).message == "2 failures and 0 errors that no case shows");
    CHECK_FALSE(read("<testsuites failures='5'><testsuite><testcase/></testsuite></testsuites>").passed());
}

TEST_CASE("A suite without cases is taken at its word", "[junit]") {
    const JunitReport report = read(
        "<testsuites failures='7'><testsuite name='s' tests='5' failures='2' errors='1' skipped='1' "
        "time='2.5'/></testsuites>");
    CHECK(counts(report) == Counts{5, 2, 1, 1});
    CHECK(report.seconds == 2.5);
    CHECK(failure_of(report) == "3 of 5 tests failed: s: 2 failures and 1 error, without cases");
    CHECK(counts(read("<testsuites failures='1'/>")) == Counts{0, 1, 0, 0});
    CHECK(counts(read("<testsuite failures='0' tests='99999999999999999999'/>")) ==
          Counts{1'000'000'000, 0, 0, 0});
    CHECK(counts(read("<testsuite name='broken'><error message='cannot load'/></testsuite>")) ==
          Counts{0, 0, 1, 0});
    CHECK(read("<testsuite/>").passed());
}

TEST_CASE("Only the first failing cases are kept, all are counted", "[junit]") {
    const JunitReport report =
        read("<testsuite>" + repeated("<testcase name='n'><failure message='m'/></testcase>", 250) +
             "</testsuite>");
    CHECK(report.failing.size() == kMaxFailing);
    CHECK(report.failing_total == 250);
    CHECK(report.failures == 250);
    JunitReport sum = report;
    add_report(sum, report);
    CHECK(sum.failing.size() == kMaxFailing);
    CHECK(sum.failing_total == 500);
    CHECK(sum.tests == 500);
}

TEST_CASE("Texts of a report are one clean line", "[junit]") {
    const std::string xml =
        "<testsuite><testcase classname='a&#1;b' name='\xff\xc2\x9b[31m'><failure message='" +
        repeated("\xc3\xa9", 600) + "'/></testcase></testsuite>";
    const JunitReport report = read(xml);
    REQUIRE(report.failing.size() == 1);
    CHECK(report.failing[0].suite ==
          "a\xef\xbf\xbd"
          "b");
    CHECK(report.failing[0].name == "\xef\xbf\xbd\xef\xbf\xbd[31m");
    CHECK(report.failing[0].message.size() <= kMaxJunitText);
    CHECK(report.failing[0].message.ends_with("é…"));
}

TEST_CASE("What is not XML is refused with its place", "[junit]") {
    CHECK(refusal("") == "1:1: is not XML: it has no element");
    CHECK(refusal("hello") == "1:1: is not XML: it begins with text");
    CHECK(refusal("<testsuite>\n  <testcase>\n</testsuite>").starts_with("3:"));
    CHECK(refusal("<testsuite>\n  é <testcase a=b/>\n</testsuite>").starts_with("2:"));
    CHECK(refusal("<testsuite>").starts_with("1:"));
    CHECK(refusal("{\"tests\": 1}") == "1:1: is not XML: it begins with text");
}

TEST_CASE("What is XML but no report is refused", "[junit]") {
    CHECK(refusal("<html><body/></html>") ==
          "1:2: is not a JUnit report: its root is <html>, not <testsuites> or <testsuite>");
    CHECK(refusal("<testsuite/>\n<testsuite/>") == "2:2: has more than one root element");
    CHECK(refusal("<" + std::string(500, 'x') + "/>").size() < 150);
}

TEST_CASE("Hostile XML is refused or harmless", "[junit]") {
    const std::string bomb =
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]>\n<testsuite><testcase "
        "name='&lol2;'/></testsuite>";
    CHECK(refusal(bomb).find("has a DOCTYPE, which is refused") != std::string::npos);
    CHECK(refusal("<!DOCTYPE testsuite SYSTEM \"file:///etc/passwd\"><testsuite/>").find("DOCTYPE") !=
          std::string::npos);
    CHECK(refusal("<testsuite/><!DOCTYPE x>").find("DOCTYPE") != std::string::npos);
    // Unknown entities stay what they are.
    CHECK(read("<testsuite><testcase name='&xxe;'><failure/></testcase></testsuite>").failing.at(0).name ==
          "&xxe;");
    CHECK(refusal(repeated("<testsuite>", 200) + repeated("</testsuite>", 200)).find("deeper than 100") !=
          std::string::npos);
    // Depth elsewhere costs nothing.
    const std::string deep = repeated("<a>", 300'000);
    CHECK(counts(read("<testsuite><testcase><system-out>" + deep + repeated("</a>", 300'000) +
                      "</system-out></testcase></testsuite>")) == Counts{1, 0, 0, 0});
    CHECK(refusal("<testsuite>" + repeated("<a/>", 5'000'001) + "</testsuite>") ==
          "0:0: has more than 5,000,000 elements and attributes");
    CHECK(refusal(std::string(kMaxJunitBytes + 1, ' ')) == "0:0: is larger than 64 MiB");
}

TEST_CASE("A report becomes JSON", "[junit]") {
    JunitReport report;
    std::string out;
    append_json(out, report);
    CHECK(
        out ==
        R"({"tests":0,"failures":0,"errors":0,"skipped":0,"seconds":0,"failing":[],"failing_total":0,"flaky":[],"flaky_total":0})");
    report = read(
        "<testsuite name='s'><testcase name='a\"' time='0.1'><failure message='m'/></testcase></testsuite>");
    out.clear();
    append_json(out, report);
    CHECK(
        out ==
        R"({"tests":1,"failures":1,"errors":0,"skipped":0,"seconds":0.1,"failing":[{"suite":"s","name":"a\"","message":"m"}],"failing_total":1,"flaky":[],"flaky_total":0})");
    CHECK(failure_of(read("<testsuite><testcase name='a'/></testsuite>")).empty());
}
