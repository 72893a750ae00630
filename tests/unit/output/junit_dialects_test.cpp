// SPDX-License-Identifier: Apache-2.0
// What is no plain JUnit: each spelling is understood, counted as an error, or refused. None passes unread.
#include "format/junit.hpp"
#include "support/catch.hpp"
#include "turboci/error.hpp"

using namespace turboci;

namespace {

JunitReport report_of(std::string_view xml) { return read_junit(xml, "r.xml"); }

/// "3 tests, 1 failed, 1 error, 1 skipped, 1 flaky", or why it is refused.
std::string told(std::string_view xml) {
    try {
        const JunitReport r = report_of(xml);
        return std::to_string(r.tests) + " tests, " + std::to_string(r.failures) + " failed, " +
               std::to_string(r.errors) + " errors, " + std::to_string(r.skipped) + " skipped, " +
               std::to_string(r.flaky_total) + " flaky";
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find("r.xml") != std::string::npos);
        return error.details().at(0).message;
    }
}

std::string case_with(std::string_view attributes, std::string_view inside = "") {
    return "<testsuite name='s'><testcase name='c' " + std::string(attributes) + ">" + std::string(inside) +
           "</testcase></testsuite>";
}

enum class Answer { passed, flaky, skipped, failed, error };

Answer answer_of(std::string_view xml) {
    const JunitReport report = report_of(xml);
    if (report.errors > 0) return Answer::error;
    if (report.failures > 0) return Answer::failed;
    if (report.skipped > 0) return Answer::skipped;
    return report.flaky_total > 0 ? Answer::flaky : Answer::passed;
}

std::string first_message(std::string_view xml) { return report_of(xml).failing.at(0).message; }

}  // namespace

TEST_CASE("A case's attributes are read in every spelling", "[junit]") {
    const auto word = GENERATE("status", "result", "outcome", "Status", "RESULT", "x:outcome");
    const auto with = [&](std::string_view value) {
        return answer_of(case_with(std::string(word) + "='" + std::string(value) + "'"));
    };
    for (const char* value :
         {"", "run", "completed", "passed", "Passed", "PASS", "Success", " ok ", "xfail"}) {
        INFO(value);
        CHECK(with(value) == Answer::passed);
    }
    for (const char* value : {"fail", "Failed", "FAILURE", "failed ", "error", "timed_out", "timedout",
                              "Timed Out", "panicked", "aborted", "XPASS", "not ok"}) {
        INFO(value);
        CHECK(with(value) == Answer::failed);
    }
    for (const char* value : {"skipped", "Skip", "notrun", "NotRun", "not-executed", "disabled", "suppressed",
                              "pending", "Ignored"}) {
        INFO(value);
        CHECK(with(value) == Answer::skipped);
    }
    CHECK(with("flaky") == Answer::flaky);
    for (const char* value : {"weird", "bad", "-", "?", "1", "passedfailed", "pass, fail"}) {
        INFO(value);
        CHECK(with(value) == Answer::error);
    }
}

TEST_CASE("Truth values and counts of a case are read", "[junit]") {
    CHECK(answer_of(case_with("success='True' executed='yes' failed='false' errors='0'")) == Answer::passed);
    for (const char* bad : {"success='False'", "passed='no'", "failed='TRUE'", "failures='1'", "errors=' 2 '",
                            "error='yes'", "failure='+1'"}) {
        INFO(bad);
        CHECK(answer_of(case_with(bad)) == Answer::failed);
    }
    CHECK(answer_of(case_with("executed='False'")) == Answer::skipped);
    for (const char* strange : {"success='maybe'", "executed='x'", "failures='-1'", "errors='few'"}) {
        INFO(strange);
        CHECK(answer_of(case_with(strange)) == Answer::error);
    }
    // Of what disagrees the worst counts.
    CHECK(answer_of(case_with("status='passed' result='failed'")) == Answer::failed);
    CHECK(answer_of(case_with("status='failed'", "<skipped/>")) == Answer::failed);
    CHECK(answer_of(case_with("status='passed'", "<failure/>")) == Answer::failed);
    CHECK(answer_of(case_with("status='passed'", "<skipped/>")) == Answer::skipped);
    CHECK(answer_of(case_with("status='weird'", "<failure/>")) == Answer::failed);
}

TEST_CASE("What made a case fail is told", "[junit]") {
    CHECK(first_message(case_with("status='Failed'")) == "status Failed");
    CHECK(first_message(case_with("errors=' 2 '")) == "errors 2");
    CHECK(first_message(case_with("result='weird' status='failed'")) == "status failed");
    CHECK(first_message("<testsuite>\n" + case_with("result='weird'") + "</testsuite>") ==
          "r.xml:2: result=\"weird\" is not understood");
    CHECK(first_message("<testsuite>\n\n" + case_with("", "<crash/>") + "</testsuite>") ==
          "r.xml:3: <crash> is not understood");
    CHECK(first_message("<testsuite>\n<crash/></testsuite>") == "r.xml:2: <crash> is not understood");
    CHECK(first_message("<testsuite>\n<testsuite failures='-3'/></testsuite>") ==
          "r.xml:2: failures=\"-3\" is no count");
}

TEST_CASE("Elements are known in every spelling", "[junit]") {
    for (const char* name : {"failure", "Failure", "FAILURE", "x:failure", "rerunFailure", "rerunError"}) {
        INFO(name);
        CHECK(answer_of(case_with("", "<" + std::string(name) + "/>")) == Answer::failed);
    }
    for (const char* name : {"error", "Error", "a:error", "exception", "crash", "x:assert"}) {
        INFO(name);
        CHECK(answer_of(case_with("", "<" + std::string(name) + "/>")) == Answer::error);
    }
    for (const char* name : {"flakyFailure", "flakyError", "FlakyFailure", "s:flakyError"}) {
        INFO(name);
        CHECK(answer_of(case_with("", "<" + std::string(name) + "/>")) == Answer::flaky);
    }
    for (const char* name : {"skipped", "Skipped", "x:skipped", "ignored"}) {
        INFO(name);
        CHECK(answer_of(case_with("", "<" + std::string(name) + "/>")) == Answer::skipped);
    }
    for (const char* name : {"properties", "system-out", "x:system-err", "attachments", "tags", "warning"}) {
        INFO(name);
        CHECK(answer_of(case_with("", "<" + std::string(name) + "/>")) == Answer::passed);
    }
    CHECK(told("<x:testsuites><y:TestSuite><TestCase><x:failure/></TestCase></y:TestSuite></x:testsuites>") ==
          "1 tests, 1 failed, 0 errors, 0 skipped, 0 flaky");
}

TEST_CASE("Cases count wherever they stand", "[junit]") {
    const std::string bad = "<testcase name='b'><failure/></testcase>";
    const std::string one_failed = "1 tests, 1 failed, 0 errors, 0 skipped, 0 flaky";
    CHECK(told("<testsuite><group>" + bad + "</group></testsuite>") == one_failed);
    CHECK(told("<testsuite><a><b><c>" + bad + "</c></b></a></testsuite>") == one_failed);
    CHECK(told("<testsuite><properties>" + bad + "</properties></testsuite>") == one_failed);
    CHECK(told("<testsuite><testcase name='outer'>" + bad + "</testcase></testsuite>") ==
          "2 tests, 1 failed, 0 errors, 0 skipped, 0 flaky");
    CHECK(told("<testsuite><testcase name='outer'><testsuite>" + bad +
               "</testsuite></testcase></testsuite>") == "2 tests, 1 failed, 0 errors, 0 skipped, 0 flaky");
    CHECK(told("<testsuite><testcase><results><failure/></results></testcase></testsuite>") == one_failed);
    CHECK(told("<testsuite><results><failure/></results></testsuite>") ==
          "0 tests, 0 failed, 1 errors, 0 skipped, 0 flaky");
    // A case that holds another keeps its own answer.
    CHECK(told("<testsuite><testcase><failure/><testcase><error/></testcase></testcase></testsuite>") ==
          "2 tests, 1 failed, 1 errors, 0 skipped, 0 flaky");
    CHECK(report_of("<testsuite name='s'><g name='g'>" + bad + "</g></testsuite>").failing.at(0).suite ==
          "s");
    // What a program printed is no report.
    CHECK(answer_of(case_with("", "<system-out>" + bad + "</system-out>")) == Answer::passed);
}

TEST_CASE("The counts of a suite are read as runners write them", "[junit]") {
    for (const char* name : {"failures", "errors", "failed", "Failures", "error"}) {
        for (const char* text : {"2", "+2", " 2 ", "2.0", "\t2", "02", "1,002"}) {
            INFO(name << "=" << text);
            const std::string attribute = std::string(name) + "='" + text + "'";
            CHECK_FALSE(report_of("<testsuite tests='3' " + attribute + "/>").passed());
            CHECK_FALSE(report_of("<testsuite tests='1' " + attribute + "><testcase/></testsuite>").passed());
            CHECK_FALSE(
                report_of("<testsuites " + attribute + "><testsuite><testcase/></testsuite></testsuites>")
                    .passed());
        }
        for (const char* text : {"-3", "x", "0x2", "1e3", "2 of 3", "0.5", "NaN", "--", "two"}) {
            INFO(name << "=" << text);
            const std::string attribute = std::string(name) + "='" + text + "'";
            CHECK(answer_of("<testsuite tests='3' " + attribute + "/>") == Answer::error);
            CHECK(answer_of("<testsuite " + attribute + "><testcase/></testsuite>") == Answer::error);
        }
        for (const char* text : {"0", "", " 0 ", "+0", "0.0", "000"}) {
            INFO(name << "=" << text);
            CHECK(report_of("<testsuite tests='3' " + std::string(name) + "='" + text + "'/>").passed());
        }
    }
    CHECK(told("<testsuite tests='-1'/>") == "0 tests, 0 failed, 1 errors, 0 skipped, 0 flaky");
    CHECK(told("<testsuite tests=' +4 ' skipped='1' disabled='1'/>") ==
          "4 tests, 0 failed, 0 errors, 2 skipped, 0 flaky");
    // Catch2 counts assertions, PHPUnit counts them beside; the cases are what they are.
    CHECK(told("<testsuite tests='40' failures='3' assertions='40'><testcase/><testcase><failure/></testcase>"
               "</testsuite>") == "2 tests, 1 failed, 0 errors, 0 skipped, 0 flaky");
    CHECK(answer_of("<testsuite result='Failure'><testcase/></testsuite>") == Answer::error);
    CHECK(answer_of("<testsuite result='Success' executed='True'><testcase/></testsuite>") == Answer::passed);
}

TEST_CASE("A document is one report, whole, and in an encoding that is known", "[junit]") {
    const std::string good = "<testsuite><testcase name='ok'/></testsuite>";
    const std::string passes = "1 tests, 0 failed, 0 errors, 0 skipped, 0 flaky";
    const std::string nul(1, '\0');
    CHECK(told(good + "\n\n<!-- note --><?pi x?>\n") == passes);
    CHECK(told(good + "\nFAILED") == "has text behind its root element");
    CHECK(told(good + "<![CDATA[x]]>") == "has text behind its root element");
    CHECK(told("make: entering\n" + good) == "is not XML: it begins with text");
    CHECK(told(good + good) == "has more than one root element");
    CHECK(told(good + "<?xml version='1.0'?>" + good) == "has more than one root element");
    CHECK(told(good + nul + "<testsuite failures='1'/>") == "has a NUL character");
    CHECK(told(good + nul) == "has a NUL character");
    CHECK(told("<testsuite>" + nul + "<testcase/></testsuite>") == "has a NUL character");
    CHECK(told("") == "is not XML: it has no element");
    CHECK(told(" \n") == "is not XML: it has no element");
    CHECK(told("<?xml version='1.0'?><!-- x -->") == "is not XML: it has no element");
    for (std::size_t size = 1; size < good.size(); ++size) {
        INFO(size);
        CHECK(told(good.substr(0, size)).starts_with("is not XML"));
    }
    CHECK(told("<testsuite failures='1' failures='0'><testcase/></testsuite>") ==
          "has an element with two attributes for one thing: failures");
    CHECK(told(case_with("status='failed' Status='passed'")) ==
          "has an element with two attributes for one thing: Status");
    CHECK(told("\xef\xbb\xbf" + good) == passes);
    CHECK(told("\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n" + good) == passes);
    for (const char* encoding : {"utf-8", "US-ASCII", "ISO-8859-1", "windows-1252", "Shift_JIS", "GBK"}) {
        INFO(encoding);
        CHECK(told("<?xml version='1.0' encoding='" + std::string(encoding) + "'?>" + good) == passes);
    }
    for (const char* encoding : {"UTF-7", "ISO-2022-JP", "EBCDIC-CP-US", "x"}) {
        INFO(encoding);
        CHECK(told("<?xml version='1.0' encoding='" + std::string(encoding) + "'?>" + good) ==
              "is in an unknown encoding: " + std::string(encoding));
    }
}

TEST_CASE("UTF-16 is read like UTF-8", "[junit]") {
    const auto wide = [](std::u16string_view text, bool little) {
        std::string out;
        for (const char16_t unit : text) {
            const char low = static_cast<char>(unit & 0xff);
            const char high = static_cast<char>(unit >> 8);
            (out += little ? low : high) += little ? high : low;
        }
        return out;
    };
    for (const bool little : {false, true}) {
        const std::u16string_view text =
            u"<testsuite><testcase name='\u00e9\U0001f600\xd800'><failure/></testcase></testsuite>";
        for (const std::u16string& mark : {std::u16string(), std::u16string(1, 0xfeff)}) {
            const JunitReport report = report_of(wide(mark + std::u16string(text), little));
            CHECK(report.failing.at(0).name == "\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd");
        }
        CHECK(told(wide(u"\ufeff<testsuite/>\0<x/>", little)).find("0 tests") ==
              0);  // ends at the literal's NUL
        CHECK(told(wide(std::u16string_view(u"\ufeff<testsuite/>\0<x/>", 18), little)) ==
              "has a NUL character");
        CHECK(told(wide(u"\ufeff<testsuite/>", little) + "x") == "is cut off in a character of UTF-16");
    }
    CHECK(told(std::string("\xff\xfe\0\0<\0\0\0", 8)) == "has a NUL character");
}

TEST_CASE("Flaky cases are named", "[junit]") {
    const JunitReport report = report_of(
        "<testsuite name='s'>"
        "<testcase name='once'><flakyFailure message='m1'/><flakyFailure message='m2'/></testcase>"
        "<testcase name='twice'><flakyError message='e'/><rerunFailure message='again'/></testcase>"
        "<testcase name='never'><failure message='f'/><rerunFailure message='again'/></testcase>"
        "<testcase name='both'><failure message='f'/><flakyFailure message='again'/></testcase>"
        "<testcase name='off'><flakyFailure message='f'/><skipped/></testcase></testsuite>");
    CHECK(report.tests == 5);
    CHECK(report.failures == 3);
    CHECK(report.skipped == 1);
    REQUIRE(report.flaky.size() == 1);
    CHECK(report.flaky[0].name == "once");
    CHECK(report.flaky[0].message == "m1");
    CHECK(report.failing.at(0).name == "twice");
    JunitReport sum = report;
    add_report(sum, report);
    CHECK(sum.flaky_total == 2);
    CHECK(sum.flaky.size() == 2);
    std::string json;
    append_json(json, report);
    CHECK(json.find(R"("flaky":[{"suite":"s","name":"once","message":"m1"}],"flaky_total":1})") !=
          std::string::npos);
}

TEST_CASE("Failures are counted in words that fit the numbers", "[junit]") {
    CHECK(failure_of(report_of("<testsuite failures='2'><testcase/></testsuite>"))
              .starts_with("2 of 2 tests failed"));
    CHECK(failure_of(report_of("<testsuite name='s' tests='1' failures='1'/>")) ==
          "1 of 1 test failed: s: 1 failure and 0 errors, without cases");
}

TEST_CASE("Reports of many runners count right", "[junit]") {
    CHECK(told(R"(<testsuites name="jest tests" tests="3" failures="1" errors="0" time="1.2">
  <testsuite name="sum" errors="0" failures="1" skipped="1" timestamp="2024-01-01T00:00:00" time="0.5" tests="3">
    <testcase classname="sum adds" name="sum adds" time="0.003"></testcase>
    <testcase classname="sum fails" name="sum fails" time="0.003"><failure>Error: expect(received)</failure></testcase>
    <testcase classname="sum todo" name="sum todo" time="0"><skipped/></testcase>
  </testsuite></testsuites>)") == "3 tests, 1 failed, 0 errors, 1 skipped, 0 flaky");
    CHECK(told(R"(<testsuites tests="3" failures="1" errors="1">
	<testsuite name="example.com/pkg" tests="2" failures="1" errors="0" id="0" hostname="h" time="0.2" timestamp="t">
		<properties><property name="go.version" value="go1.22"></property></properties>
		<testcase name="TestA" classname="example.com/pkg" time="0.100"></testcase>
		<testcase name="TestB" classname="example.com/pkg" time="0.100"><failure message="Failed" type=""><![CDATA[x]]></failure></testcase>
		<system-out><![CDATA[o]]></system-out>
	</testsuite>
	<testsuite name="example.com/bad" tests="1" failures="0" errors="1" id="1" hostname="h" time="0">
		<testcase name="[build failed]" classname="example.com/bad" time="0.000"><error message="Build error"></error></testcase>
	</testsuite></testsuites>)") == "3 tests, 1 failed, 1 errors, 0 skipped, 0 flaky");
    CHECK(
        told(
            R"(<testsuites name="nextest-run" tests="3" failures="1" errors="0" uuid="u" timestamp="t" time="1">
    <testsuite name="crate" tests="3" disabled="0" errors="0" failures="1">
        <testcase name="a" classname="crate" timestamp="t" time="0.1"></testcase>
        <testcase name="b" classname="crate" timestamp="t" time="0.1"><flakyFailure timestamp="t" time="0.1" message="m" type="test failure"><system-out>o</system-out></flakyFailure></testcase>
        <testcase name="c" classname="crate" timestamp="t" time="0.1"><failure message="m" type="test failure">d</failure><rerunFailure timestamp="t" time="0.1" type="test failure"><system-err>e</system-err></rerunFailure></testcase>
    </testsuite></testsuites>)") == "3 tests, 1 failed, 0 errors, 0 skipped, 1 flaky");
    CHECK(
        told(
            R"(<testsuites><testsuite name="all" tests="4" assertions="5" errors="1" failures="1" skipped="1" time="0.1">
  <testsuite name="FooTest" file="/t/FooTest.php" tests="4" assertions="5" errors="1" failures="1" skipped="1" time="0.1">
    <testcase name="testA" class="FooTest" classname="FooTest" file="/t/FooTest.php" line="5" assertions="2" time="0.02"/>
    <testsuite name="FooTest::testB" tests="2" assertions="2" errors="0" failures="1" skipped="0" time="0.04">
      <testcase name="testB with data set #0" assertions="1" time="0.02"/>
      <testcase name="testB with data set #1" assertions="1" time="0.02"><failure type="E">x</failure></testcase>
    </testsuite>
    <testcase name="testC" class="FooTest"><error type="RuntimeException">boom</error></testcase>
    <testcase name="testD" class="FooTest"><skipped/></testcase>
    <testcase name="Warning"><warning type="PHPUnit\Framework\Warning">No tests found</warning></testcase>
  </testsuite></testsuite></testsuites>)") == "6 tests, 1 failed, 1 errors, 1 skipped, 0 flaky");
    CHECK(told(R"(<testsuites><testsuite name="a.tap" tests="3" failures="1" errors="0">
  <testcase name="#1 first"/><testcase name="#2 second"><failure type="fail">not ok</failure></testcase>
  <testcase name="#3 third # SKIP no"><skipped/></testcase><system-err/></testsuite></testsuites>)") ==
          "3 tests, 1 failed, 0 errors, 1 skipped, 0 flaky");
    CHECK(
        told(
            R"(<testsuites tests="3" disabled="1" errors="1" failures="0" time="2"><testsuite name="Ginkgo" package="/p" tests="3" disabled="1" skipped="0" errors="1" failures="0" time="2" timestamp="t"><properties><property name="SuiteSucceeded" value="false"></property></properties>
  <testcase name="a" classname="G" status="passed" time="1"><system-err>x</system-err></testcase>
  <testcase name="b" classname="G" status="pending" time="0"><skipped message="pending"></skipped></testcase>
  <testcase name="c" classname="G" status="panicked" time="1"><error message="boom" type="panicked">x</error></testcase></testsuite></testsuites>)") ==
        "3 tests, 0 failed, 1 errors, 1 skipped, 0 flaky");
    CHECK(
        told(
            R"(<testsuite errors="0" failures="1" tests="3" name="tst_foo"><properties><property value="5" name="QTestVersion"/></properties>
  <testcase result="pass" name="initTestCase"/><testcase result="xfail" name="known"><!-- m --></testcase>
  <testcase result="fail" name="broken"><failure message="m" result="fail"/></testcase><system-err/></testsuite>)") ==
        "3 tests, 1 failed, 0 errors, 0 skipped, 0 flaky");
}
