// SPDX-License-Identifier: Apache-2.0
#include "format/markdown.hpp"

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

PlanSummary summary_of(std::vector<StateCount> counts) {
    PlanSummary summary;
    summary.plan = plan();
    summary.plan.counts = std::move(counts);
    return summary;
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
    NodeCollector graph;
    graph.plan(plan());
    graph.check(check("ok", "build", State::final, Outcome::passed));
    graph.check(failed_check("bad", "expected 1\n</details><script>"));
    graph.check(check("todo", "", State::planned));
    Stage gone = stage("gone", State::final, Outcome::cancelled);
    gone.concluded_reason = ConcludedReason::cancelled;
    graph.stage(gone);
    graph.stage(stage("work", State::attempting));
    Stage late = stage("late", State::final, Outcome::skipped);
    late.concluded_reason = ConcludedReason::dependencies_unsatisfied;
    graph.stage(late);
    const PlanSummary summary = summary_of({{NodeType::check, State::planned, std::nullopt, 1},
                                            {NodeType::check, State::final, Outcome::passed, 1},
                                            {NodeType::check, State::final, Outcome::failed, 1},
                                            {NodeType::stage, State::attempting, std::nullopt, 1},
                                            {NodeType::stage, State::final, Outcome::skipped, 1},
                                            {NodeType::stage, State::final, Outcome::cancelled, 1}});
    CHECK(markdown_summary(summary, graph) ==
          "## `p`: ❌ 1 of 3 checks failed\n"
          "\n"
          "| | passed | failed | cancelled | skipped | open | all |\n"
          "|---|--:|--:|--:|--:|--:|--:|\n"
          "| checks | 1 | 1 | 0 | 0 | 1 | 3 |\n"
          "| stages | 0 | 0 | 1 | 1 | 1 | 3 |\n"
          "\n### Failed (1)\n\n"
          "- `check:bad` (`test`): `expected 1\\n</details><script>`\n"
          "\n### Cancelled (1)\n\n"
          "- `stage:gone`: `cancelled`\n"
          "\n### Skipped (1)\n\n"
          "- `stage:late`: `dependencies unsatisfied`\n"
          "\n### Running (1)\n\n"
          "- `stage:work`\n"
          "\n### Open (1)\n\n"
          "- `check:todo` PLANNED\n"
          "\n<details><summary>Passed (1)</summary>\n\n"
          "- `check:ok` (`build`)\n"
          "\n</details>\n");
}

TEST_CASE("The heading tells the verdict", "[markdown]") {
    const NodeCollector graph;
    CHECK(has(markdown_summary(summary_of({{NodeType::check, State::final, Outcome::passed, 2}}), graph),
              ": ✅ passed\n"));
    CHECK(has(markdown_summary(summary_of({{NodeType::check, State::waiting, std::nullopt, 2}}), graph),
              ": ⏳ 2 of 2 still open\n"));
    CHECK(has(markdown_summary(summary_of({{NodeType::stage, State::final, Outcome::failed, 1}}), graph),
              ": ❌ 1 of 1 stages failed\n"));
    CHECK(has(markdown_summary(summary_of({}), graph), ": ⚪ nothing passed\n"));
    CHECK(has(markdown_summary(summary_of({{NodeType::check, State::final, Outcome::skipped, 2}}), graph),
              ": ⚪ nothing passed\n"));
}

TEST_CASE("A summary never grows past its limit and says what it left out", "[markdown]") {
    NodeCollector graph;
    graph.plan(plan());
    for (int i = 0; i < 3000; ++i)
        graph.check(check("ok" + std::to_string(i), "k", State::final, Outcome::passed));
    for (int i = 0; i < 20; ++i)
        graph.check(failed_check("bad" + std::to_string(i), std::string(100'000, 'x')));
    const PlanSummary summary = summary_of({});
    const std::string whole = markdown_summary(summary, graph);
    CHECK(whole.size() < kMaxMarkdownBytes);
    CHECK_FALSE(has(whole, "left out"));
    CHECK(has(whole, "`check:bad19`"));
    CHECK(has(whole, "`check:ok2999`"));
    for (std::size_t limit = 512; limit < 60'000; limit = limit * 5 / 4) {
        const std::string text = markdown_summary(summary, graph, limit);
        CAPTURE(limit);
        CHECK(text.size() <= limit);
        CHECK(has(text, " more left out for want of space.\n"));
        CHECK(has(text, "<details>") == has(text, "</details>"));
        if (limit > 2000) CHECK(has(text, "`check:bad0`"));
    }
    NodeCollector huge;
    for (int i = 0; i < 100'000; ++i) huge.check(check(std::string(200, 'y') + std::to_string(i)));
    const std::string text = markdown_summary(summary, huge);
    CHECK(text.size() <= kMaxMarkdownBytes);
    CHECK(text.size() > kMaxMarkdownBytes - 1000);
}
