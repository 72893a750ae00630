// SPDX-License-Identifier: Apache-2.0
#include "format/html_page.hpp"

#include <algorithm>

#include "format/content_hash.hpp"
#include "format/html_parts.hpp"
#include "output_samples.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::samples;

namespace {

constexpr std::int64_t kHtmlSecond = 1'000'000;

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

Stage worked(std::string id, std::int64_t ready, std::int64_t began, std::int64_t ended, bool good,
             std::string check = {}) {
    Stage one = stage(std::move(id), State::final, good ? Outcome::passed : Outcome::failed);
    Attempt attempt;
    attempt.state = good ? AttemptState::complete : AttemptState::incomplete;
    if (!good) attempt.cause = Cause::failed;
    if (!good) attempt.failure = "exit status 1";
    attempt.created_at = at(ready * kHtmlSecond);
    attempt.started_at = at(began * kHtmlSecond);
    attempt.ended_at = attempt.updated_at = at(ended * kHtmlSecond);
    one.attempts = {attempt};
    if (!check.empty()) one.assignments = {{std::move(check), State::final}};
    return one;
}

Check failed(std::string id, std::string message) {
    Check one = check(std::move(id), "test", State::final, Outcome::failed);
    Result result;
    result.owner_id = "me";
    result.failure = std::move(message);
    one.results = {result};
    return one;
}

template <class Node>
Node broken(Node node, NodeType type, std::string by) {
    node.state = State::final;
    node.outcome = Outcome::skipped;
    node.skip_cause = SkipCause::upstream;
    node.dependencies = group(
        GroupKind::all, {edge(type, std::move(by), State::final, When::success, Resolution::unsatisfied)},
        Resolution::unsatisfied);
    return node;
}

NodeCollector small_plan() {
    NodeCollector graph;
    graph.plan(plan());
    graph.check(check("built", "build", State::final, Outcome::passed));
    graph.check(failed("unit", "2 of 40 failed\nfirst: a < b"));
    graph.check(broken(check("release", "release"), NodeType::check, "unit"));
    graph.check(check("review", "", State::waiting));
    graph.stage(worked("compile", 0, 1, 3, true, "built"));
    Stage test = worked("test", 3, 4, 9, false, "unit");
    test.dependencies =
        group(GroupKind::any,
              {edge(NodeType::check, "built", State::final, When::success, Resolution::satisfied),
               edge(NodeType::stage, "compile", State::final, When::always, Resolution::satisfied)},
              Resolution::satisfied);
    graph.stage(test);
    graph.stage(broken(stage("deploy"), NodeType::check, "release"));
    return graph;
}

/// The first element that is not closed where it should be; "" if there is none.
std::string unbalanced_tag(std::string_view html) {
    std::vector<std::string> open;
    for (std::size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
        const std::string_view tag = html.substr(at + 1, html.find('>', at) - at - 1);
        const std::string name(tag.substr(0, tag.find_first_of(" \n/", 1)));
        if (tag.ends_with('/') || name == "input") continue;
        if (!tag.starts_with('/')) {
            open.push_back(name);
        } else if (open.empty() || "/" + open.back() != std::string(tag)) {
            return std::string(tag);
        } else {
            open.pop_back();
        }
    }
    return open.empty() ? "" : open.back();
}

std::string part_of(const std::string& page, const std::string& id) {
    const std::size_t begin = page.find("<section id=\"" + id + "\">");
    if (begin == std::string::npos) return {};
    return page.substr(begin, page.find("</section>", begin) - begin);
}

}  // namespace

TEST_CASE("A content hash is the SHA-256 in base 64", "[html]") {
    CHECK(content_hash("") == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    CHECK(content_hash("abc") == "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    // Around the end of a block.
    CHECK(content_hash(std::string(55, 'a')) == "sha256-n0OQ+NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg=");
    CHECK(content_hash(std::string(56, 'a')) == "sha256-s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o=");
    CHECK(content_hash(std::string(64, 'a')) == "sha256-/+BU/nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs=");
}

TEST_CASE("A page tells first what failed, why, and what did not run because of it", "[html]") {
    const std::string page = html_page(
        small_plan(), [](const Stage& s, const Attempt&) { return "log of " + s.id + "\n<end>\n"; });
    CHECK(has(page, "<h1><span class=\"verdict\">failed</span> <bdi>p</bdi></h1>"));
    const std::string failures = part_of(page, "failed");
    CHECK(has(failures, "<pre class=\"message\">2 of 40 failed\nfirst: a &lt; b</pre>"));
    CHECK(has(failures, "<pre>log of test\n&lt;end&gt;</pre>"));
    CHECK_FALSE(has(failures, "log of compile"));
    // The stage's failure is told by its check.
    CHECK(count_of(failures, "<article") == 1);
    CHECK(has(failures,
              "Did not run because of this: <a href=\"#n3\"><bdi>check:release</bdi></a>, "
              "<a href=\"#n4\"><bdi>stage:deploy</bdi></a>"));
    CHECK(has(part_of(page, "broken"),
              "<bdi>stage:deploy</bdi></a> <span class=\"why\">because of <a "
              "href=\"#n1\"><bdi>check:unit</bdi></a>"));
    CHECK(has(part_of(page, "open"), "waits for somebody to report"));
    CHECK(page.find("id=\"failed\"") < page.find("id=\"timeline\""));
    CHECK(page.find("id=\"timeline\"") < page.find("id=\"nodes\""));
}

TEST_CASE("A page's timeline has a row a stage, with waiting and the critical path", "[html]") {
    const std::string timeline = part_of(html_page(small_plan()), "timeline");
    CHECK(count_of(timeline, "<tr class=\"f ") == 2);
    CHECK(has(timeline, "Critical path: 8.0s, 1.0s waiting") == false);
    CHECK(has(timeline, "Critical path: 8.0s, 1.0s of it waiting, 2 stages"));
    CHECK(has(timeline,
              "<rect class=\"wait\" x=\"0.0\" width=\"111.1\" y=\"3\" height=\"4\"><title>attempt 1 "
              "waited 1.0s</title></rect><rect class=\"passed c\" x=\"111.1\" width=\"222.2\""));
    CHECK(has(timeline,
              "<rect class=\"failed c\" x=\"444.4\" width=\"555.6\" y=\"0\" height=\"10\"><title>attempt 1 "
              "5.0s, INCOMPLETE, failed</title>"));
    CHECK(has(timeline, "Not shown: 1 stage without an attempt."));
}

TEST_CASE("A page's nodes are linked to what they need, by kind", "[html]") {
    const std::string nodes = part_of(html_page(small_plan()), "nodes");
    CHECK(count_of(nodes, "<tr id=\"n") == 7);
    CHECK(has(nodes,
              "any of (<span class=\"yes\">✓</span> <a href=\"#n6\"><bdi>check:built</bdi></a>, <span "
              "class=\"yes\">✓</span> <a href=\"#n7\"><bdi>stage:compile</bdi></a> (always))"));
    CHECK(has(nodes, "<span class=\"word\">answered by</span> <a href=\"#n2\"><bdi>stage:test</bdi></a>"));
    // The kinds are a graph, too: the stage that answers the test needs the build.
    CHECK(has(nodes, "<span class=\"why\">needs <a href=\"#k3\">build</a></span></summary>"));
    CHECK(has(nodes,
              "<details id=\"k3\" class=\"list kinds\" open><summary><span class=\"kind\">build</span>"));
    CHECK(nodes.find("<span class=\"kind\">test</span>") < nodes.find("<span class=\"kind\">release</span>"));
    CHECK(nodes.find("<span class=\"kind\">release</span>") <
          nodes.find("<span class=\"kind\">build</span>"));
    CHECK(nodes.find("<span class=\"kind\">build</span>") <
          nodes.find("<span class=\"kind\">no kind</span>"));
}

TEST_CASE("A page allows its own style and script and nothing else", "[html]") {
    const std::string page = html_page(small_plan());
    CHECK(has(page, "content=\"default-src 'none'; style-src '" + content_hash(kHtmlStyle) +
                        "'; script-src '" + content_hash(kHtmlScript) +
                        "'; base-uri 'none'; form-action 'none'\""));
    CHECK(has(page, "<style>" + std::string(kHtmlStyle) + "</style>"));
    CHECK(has(page, "<script>" + std::string(kHtmlScript) + "</script>"));
    CHECK(count_of(page, "<script") == 1);
    CHECK(count_of(page, " style=") == 0);
    CHECK(count_of(page, " on") == count_of(page, " on the critical path") +
                                       count_of(std::string(kHtmlScript), " on") +
                                       count_of(std::string(kHtmlStyle), " on"));
    CHECK(count_of(page, "http") == count_of(page, "http-equiv"));
}

TEST_CASE("Nothing in a plan becomes markup, a command or a control character of its page", "[html]") {
    const std::string bad =
        "</script></pre><img src=x onerror=alert(1)>\"' ]]> &amp; ::error::x ##[error] "
        "\xe2\x80\xae\x1b[31m\x01\xff";
    NodeCollector graph;
    WorkPlan with_labels = plan();
    with_labels.labels.text = R"({"<b>":"<i onclick='x'>"})";
    graph.plan(with_labels);
    Check hostile = failed(bad, bad);
    hostile.kind = bad;
    graph.check(hostile);
    graph.stage(worked(bad, 0, 1, 2, false, bad));
    graph.stage(broken(stage("next" + bad), NodeType::check, bad));
    const std::string page = html_page(graph, [&](const Stage&, const Attempt&) { return bad + "\n" + bad; });
    const std::string rest = page.substr(page.find("<body>"), page.find("<script>") - page.find("<body>"));
    CHECK_FALSE(has(rest, "<img"));
    CHECK_FALSE(has(rest, "</script"));
    CHECK_FALSE(has(rest, "<b>") != has(rest, "<b>2 stages"));
    CHECK_FALSE(has(rest, "<i "));
    CHECK_FALSE(has(rest, "::error"));
    CHECK_FALSE(has(rest, "##[error"));
    CHECK(std::ranges::none_of(rest, [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; }));
    CHECK_FALSE(has(rest, "\xe2\x80\xae"));
    CHECK(has(rest,
              "&lt;img src=x onerror=alert(1)&gt;&quot;&#39; ]]&gt; &amp;amp; &#58;:error&#58;:x "
              "&#35;#[error] \\u{202e}"));
    CHECK(unbalanced_tag(rest) == "body");
}

TEST_CASE("A page of 1,000 failed stages with long names, messages and logs is under 5 MB", "[html]") {
    NodeCollector graph;
    graph.plan(plan());
    const std::string name(250, 'n');
    for (int i = 0; i < 1000; ++i) graph.check(failed(name + std::to_string(i), std::string(5000, '<')));
    for (int i = 0; i < 1000; ++i) {
        Stage one = worked(name + std::to_string(i), i, i + 1, i + 2, false, name + std::to_string(i));
        std::vector<Edge> edges;
        for (int j = 0; j < i; ++j) edges.push_back(edge(NodeType::check, name + std::to_string(j)));
        if (i > 0) one.dependencies = group(GroupKind::all, edges);
        graph.stage(one);
    }
    const std::string page =
        html_page(graph, [](const Stage&, const Attempt&) { return std::string(8192, '"'); });
    CAPTURE(page.size());
    CHECK(page.size() < 5'000'000);
    CHECK(has(page, "left out for want of space"));
    CHECK(has(page, "too many links for this page"));
    CHECK(has(page, name + "999"));
    CHECK(page == html_page(graph, [](const Stage&, const Attempt&) { return std::string(8192, '"'); }));
}

TEST_CASE("Of a stage that was tried over and over a page shows the last tries", "[html]") {
    NodeCollector graph;
    WorkPlan labelled = plan();
    labelled.labels.text = "{";
    for (int i = 10; i < 60; ++i)
        labelled.labels.text += (i == 10 ? "\"" : ",\"") + std::to_string(i) + "\":\"v\"";
    labelled.labels.text += "}";
    graph.plan(labelled);
    Stage flaky = worked("flaky", 0, 1, 2, false);
    for (int i = 2; i <= 1000; ++i) {
        flaky.attempts.push_back(flaky.attempts.back());
        Attempt& next = flaky.attempts.back();
        next.idx = i;
        next.created_at = *next.ended_at;
        next.started_at = next.created_at + std::chrono::seconds(1);
        next.ended_at = *next.started_at + std::chrono::seconds(1);
    }
    graph.stage(flaky);
    const std::string page = html_page(graph);
    const std::string timeline = part_of(page, "timeline");
    CHECK(count_of(timeline, "<title>attempt ") == 50);
    CHECK(has(timeline, "<title>attempt 1000 1.0s"));
    CHECK(has(timeline, "The earlier attempts of 1 stage."));
    CHECK(count_of(page, "<dd>v</dd>") == 20);
}

TEST_CASE("A page of more nodes than it can list says so", "[html]") {
    NodeCollector graph;
    graph.plan(plan());
    for (std::size_t i = 0; i < kMaxHtmlNodes + 5; ++i)
        graph.check(check("c" + std::to_string(i), "", State::final, Outcome::passed));
    graph.check(failed("bad", "no"));
    const std::string page = html_page(graph);
    CHECK(has(page, "<p class=\"more\">6 more nodes are left out"));
    CHECK(has(page, "<a href=\"#n1\"><bdi>check:bad</bdi></a>"));
    CHECK(html_page(NodeCollector{}).ends_with("</html>\n"));
}
