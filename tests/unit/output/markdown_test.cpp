// SPDX-License-Identifier: Apache-2.0
#include "format/markdown.hpp"

#include "format/terminal.hpp"
#include "output_samples.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

Check failed_check(std::string id, std::string message) {
    Check failed = check(std::move(id), "test", State::final, Outcome::failed);
    Result result;
    result.owner_id = "me";
    result.failure = std::move(message);
    failed.results = {result};
    return failed;
}

/// Counts what it collects, as a query does.
class CountedNodes : public NodeCollector {
public:
    CountedNodes() { NodeCollector::plan(samples::plan()); }
    NodeCollector& counted() {
        WorkPlan with_counts = samples::plan();
        with_counts.counts.clear();
        for (const Check& c : checks())
            with_counts.counts.push_back({NodeType::check, c.state, c.outcome, 1});
        for (const Stage& s : stages())
            with_counts.counts.push_back({NodeType::stage, s.state, s.outcome, 1});
        NodeCollector::plan(with_counts);
        return *this;
    }
};

Check skipped_as(SkipCause cause) {
    Check skipped = check("skipped", "", State::final, Outcome::skipped);
    skipped.skip_cause = cause;
    return skipped;
}

std::string heading_of(CountedNodes graph) {
    const std::string text = markdown_summary(graph.counted());
    return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("Data in Markdown is a code span that it cannot leave", "[markdown]") {
    CHECK(markdown_code("check:a") == "`check:a`");
    CHECK(markdown_code("a`b") == "``a`b``");
    CHECK(markdown_code("`") == "`` ` ``");
    CHECK(markdown_code("a``b`") == "``` a``b` ```");
    CHECK(markdown_code(" a") == "`  a `");
    CHECK(markdown_code("") == "`   `");
    CHECK(markdown_code("a\n\n# b") == "`a\\n\\n# b`");
    CHECK(markdown_code("\xff\xe2\x80\xae") == "`\\xff\\u{202e}`");
    CHECK(markdown_code("@team [x](http://y) <img> | *b* #1") == "`@team [x](http://y) <img> | *b* #1`");
}

TEST_CASE("A summary is sorted worst first", "[markdown]") {
    CountedNodes graph;
    graph.check(check("ok", "build", State::final, Outcome::passed));
    graph.check(failed_check("bad", "expected 1\n</details><script>"));
    graph.check(check("todo", "", State::planned));
    Check style = failed_check("style", "ugly");
    style.required = false;
    graph.check(style);
    graph.check(skipped_as(SkipCause::not_needed));
    Stage gone = stage("gone", State::final, Outcome::cancelled);
    gone.concluded_reason = ConcludedReason::cancelled;
    graph.stage(gone);
    graph.stage(stage("work", State::attempting));
    Stage late = stage("late", State::final, Outcome::skipped);
    late.concluded_reason = ConcludedReason::dependencies_unsatisfied;
    late.skip_cause = SkipCause::upstream;
    graph.stage(late);
    Stage tries = stage("tries", State::final, Outcome::failed);
    tries.assignments = {{"bad", State::final}};
    tries.attempts.resize(2);
    tries.attempts[0].started_at = at(0);
    tries.attempts[0].ended_at = at(1'000'000);
    tries.attempts[1].idx = 2;
    tries.attempts[1].started_at = at(5'000'000);
    tries.attempts[1].ended_at = at(5'500'000);
    tries.attempts[1].failure = "exit status 2";
    graph.stage(tries);
    const auto tail = [](const Stage& stage, const Attempt& attempt) {
        return stage.id + " " + std::to_string(attempt.idx) + ":\n```\n::error::x\x07\n";
    };
    CHECK(markdown_summary(graph.counted(), tail) ==
          "## `p`: ❌ failed\n"
          "\n"
          "| | passed | failed | cancelled | skipped | open | all |\n"
          "|---|--:|--:|--:|--:|--:|--:|\n"
          "| checks | 1 | 2 | 0 | 1 | 1 | 5 |\n"
          "| stages | 0 | 1 | 1 | 1 | 1 | 4 |\n"
          "\n### Failed (2)\n\n"
          "- `check:bad` (`test`) 1.5s: `expected 1\\n</details><script>`\n"
          "\n  Last output of `stage:tries`, attempt 2:\n\n"
          "  ````text\n"
          "  tries 2:\n"
          "  ```\n"
          "  " +
              printable("::error::x\x07") +
              "\n"
              "  ````\n\n"
              "- `stage:tries` 1.5s: `exit status 2`\n"
              "\n### Cancelled (1)\n\n"
              "- `stage:gone`: `cancelled`\n"
              "\n### Skipped after a failure (1)\n\n"
              "- `stage:late`: `dependencies unsatisfied`\n"
              "\n### Running (1)\n\n"
              "- `stage:work`\n"
              "\n### Open (1)\n\n"
              "- `check:todo` PLANNED\n"
              "\n### Not required (1)\n\n"
              "- `check:style` (`test`) failed: `ugly`\n"
              "\n### Skipped (1)\n\n"
              "- `check:skipped`\n"
              "\n<details><summary>Passed (1)</summary>\n\n"
              "- `check:ok` (`build`)\n"
              "\n</details>\n");
}

TEST_CASE("The heading is the verdict, and passed only where gate would open", "[markdown]") {
    const Check yes = check("yes", "", State::final, Outcome::passed);
    Check optional = failed_check("optional", "no");
    optional.required = false;
    CountedNodes graph;
    CHECK(heading_of(graph) == "## `p`: ⚪ done, no check answered");
    graph.check(optional);
    CHECK(heading_of(graph) == "## `p`: ⚪ done, no check answered");
    graph.stage(stage("s", State::final, Outcome::passed));
    CHECK(heading_of(graph) == "## `p`: ⚪ done, no check answered");
    graph.check(yes);
    CHECK(heading_of(graph) == "## `p`: ✅ passed");
    graph.check(skipped_as(SkipCause::not_needed));
    CHECK(heading_of(graph) == "## `p`: ⚪ passed, 1 check skipped");
    graph.check(skipped_as(SkipCause::not_needed));
    CHECK(heading_of(graph) == "## `p`: ⚪ passed, 2 checks skipped");
    graph.check(check("open", "", State::waiting));
    CHECK(heading_of(graph) == "## `p`: ⏳ pending: 1 node still open");
    CountedNodes broken = graph;
    broken.check(skipped_as(SkipCause::upstream));
    CHECK(heading_of(broken) == "## `p`: ❌ failed");
    graph.stage(stage("x", State::final, Outcome::cancelled));
    CHECK(heading_of(graph) == "## `p`: ❌ failed");
    CountedNodes only_skipped;
    only_skipped.check(skipped_as(SkipCause::not_needed));
    CHECK(heading_of(only_skipped) == "## `p`: ⚪ done, no check answered");
}

TEST_CASE("A summary never grows past its limit and says what it left out", "[markdown]") {
    NodeCollector graph;
    graph.plan(plan());
    for (int i = 0; i < 3000; ++i)
        graph.check(check("ok" + std::to_string(i), "k", State::final, Outcome::passed));
    for (int i = 0; i < 20; ++i)
        graph.check(failed_check("bad" + std::to_string(i), std::string(100'000, 'x')));
    const std::string whole = markdown_summary(graph);
    CHECK(whole.size() < kMaxMarkdownBytes);
    CHECK_FALSE(has(whole, "left out"));
    CHECK(has(whole, "`check:bad19`"));
    CHECK(has(whole, "`check:ok2999`"));
    for (std::size_t limit = 512; limit < 60'000; limit = limit * 5 / 4) {
        const std::string text = markdown_summary(graph, {}, limit);
        CAPTURE(limit);
        CHECK(text.size() <= limit);
        CHECK(has(text, " more left out for want of space.\n"));
        CHECK(has(text, "<details>") == has(text, "</details>"));
        if (limit > 2000) CHECK(has(text, "`check:bad0`"));
    }
    NodeCollector huge;
    for (int i = 0; i < 100'000; ++i) huge.check(check(std::string(200, 'y') + std::to_string(i)));
    const std::string text = markdown_summary(huge);
    CHECK(text.size() <= kMaxMarkdownBytes);
    CHECK(text.size() > kMaxMarkdownBytes - 1000);
}

TEST_CASE("The logs of a summary leave room for the names of all nodes", "[markdown]") {
    NodeCollector graph;
    for (int i = 0; i < 3000; ++i) {
        Stage failed = stage("s" + std::to_string(i), State::final, Outcome::failed);
        failed.attempts.resize(1);
        graph.stage(failed);
    }
    const auto tail = [](const Stage&, const Attempt&) { return std::string(8000, 'x') + "\n"; };
    const std::string text = markdown_summary(graph, tail);
    CHECK(text.size() <= kMaxMarkdownBytes);
    CHECK(has(text, "Last output of `stage:s0`"));
    CHECK_FALSE(has(text, "Last output of `stage:s2999`"));
    CHECK(has(text, "- `stage:s2999`"));
    CHECK_FALSE(has(text, "left out"));
}
