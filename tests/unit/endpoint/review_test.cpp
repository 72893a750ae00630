// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "endpoint/review.hpp"
#include "support/catch.hpp"
#include "support/packed.hpp"
#include "support/sanitized.hpp"

using namespace turboci;

namespace {

struct Reviewed {
    std::vector<std::string> problems, warnings;
    ErrorCode code = ErrorCode::internal;
};

Reviewed reviewed(const WriteNodes& request) {
    Problems problems;
    Reviewed r;
    r.warnings = review(request, problems).warnings;
    try {
        problems.raise_if_any(request.files);
    } catch (const Error& error) {
        r.code = error.code();
        for (const auto& d : error.details())
            r.problems.push_back(fmt::format("{}:{}: {}", d.line, d.column, d.message));
        if (r.problems.empty()) r.problems.emplace_back(error.what());
    }
    return r;
}

Reviewed reviewed(const std::string& text) {
    WriteNodes request;
    Problems problems;
    read_plan_text({"plan.yaml", text}, request, problems);
    REQUIRE(problems.empty());
    return reviewed(request);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a plan that defines what it names passes") {
    const auto r = reviewed(
        "checks:\n- {id: src}\n- {id: unit, dependencies: [src, {any: [lint, 'stage:gen']}]}\n- {id: lint}\n"
        "stages:\n- {id: gen, dependencies: [src], assignments: [unit]}\n");
    CHECK(r.problems.empty());
    CHECK(r.warnings.empty());
}

TEST_CASE("targets that no file defines are reported with the nearest that one does") {
    const auto r = reviewed(
        "checks: [{id: compile}, {id: a, dependencies: [compiel, nowhere, {any: ['check:compil']}]}]\n"
        "stages: [{id: gen, dependencies: ['check:gen'], assignments: [comple, gen, nothing]}]\n");
    CHECK(
        r.problems ==
        Texts{
            "1:48: check:a needs 'compiel', which no file defines; did you mean check:compile?",
            "1:57: check:a needs 'nowhere', which no file defines",
            "1:73: check:a needs 'check:compil', which no file defines; did you mean check:compile?",
            "2:35: stage:gen needs 'check:gen', which no file defines; there is a stage:gen",
            "2:63: stage:gen is assigned to check:comple, which no file defines; did you mean check:compile?",
            "2:71: stage:gen is assigned to check:gen, which no file defines; there is a stage:gen",
            "2:76: stage:gen is assigned to check:nothing, which no file defines",
        });
    CHECK(r.code == ErrorCode::invalid_dependency);
}

TEST_CASE("a bare name that is a check and a stage is refused") {
    const auto r = reviewed("checks: [{id: x}, {id: y, dependencies: [x, 'stage:x']}]\nstages: [{id: x}]\n");
    CHECK(r.problems == Texts{"1:42: 'x' is two nodes; say check:x or stage:x"});
}

TEST_CASE("a state that the named node's type has not is refused") {
    CHECK(reviewed("checks: [{id: y, dependencies: [{node: x, on_state: WAITING}]}]\nstages: [{id: x}]\n")
              .problems == Texts{"1:40: a stage has no state WAITING"});
}

TEST_CASE("cycles are reported, each once, the shortest, and without what only leads to them") {
    const auto r = reviewed(
        "checks:\n- {id: a, dependencies: [b]}\n- {id: b, dependencies: [c]}\n- {id: c, dependencies: [a]}\n"
        "- {id: z, dependencies: [a]}\n- {id: me, dependencies: [{any: [me, a]}]}\n"
        "stages: [{id: p, dependencies: ['stage:q']}, {id: q, dependencies: [{node: p, when: always}]}]\n");
    CHECK(r.problems == Texts{
                            "2:3: dependencies form a cycle: check:a -> check:b -> check:c -> check:a",
                            "6:3: dependencies form a cycle: check:me -> check:me",
                            "7:10: dependencies form a cycle: stage:p -> stage:q -> stage:p",
                        });
    CHECK(r.warnings.empty());
    const auto shortcut = reviewed(
        "checks:\n- {id: a, dependencies: [b, d]}\n- {id: b, dependencies: [c]}\n"
        "- {id: c, dependencies: [a]}\n- {id: d, dependencies: [a]}\n");
    CHECK(shortcut.problems == Texts{"2:3: dependencies form a cycle: check:a -> check:d -> check:a"});
    CHECK(shortcut.code == ErrorCode::cyclic_dependency);
    const auto inner = reviewed(
        "checks:\n- {id: a, dependencies: [b]}\n- {id: b, dependencies: [c]}\n"
        "- {id: c, dependencies: [a, b]}\n");
    CHECK(inner.problems == Texts{"3:3: dependencies form a cycle: check:b -> check:c -> check:b"});
}

TEST_CASE("a cycle in an OR is a cycle too") {
    CHECK(reviewed("checks: [{id: a, dependencies: {any: [b, c]}}, {id: b, dependencies: [a]}, {id: c}]\n")
              .problems == Texts{"1:10: dependencies form a cycle: check:a -> check:b -> check:a"});
}

TEST_CASE("plans that can never finish are warned of") {
    CHECK(reviewed("checks: [{id: c}]\nstages:\n- {id: s, dependencies: [c], assignments: [c]}\n").warnings ==
          Texts{"plan.yaml:1:10: check:c can never finish: it waits for stage:s that is assigned to it, "
                "which waits for "
                "check:c to be FINAL"});
    CHECK(
        reviewed("stages: [{id: parent, continuation_group: [child]}, {id: child, dependencies: [parent]}]\n")
            .warnings == Texts{"plan.yaml:1:10: stage:parent can never finish: it has stage:child in its "
                               "continuation group, which waits "
                               "for stage:parent to be FINAL"});
    CHECK(reviewed(
              "checks: [{id: c}, {id: d, dependencies: [c]}]\nstages: [{id: s, dependencies: [{any: [d]}], "
              "assignments: [{target_check_id: c, goal_state: FINAL}]}]\n")
              .warnings.size() == 1);
}

TEST_CASE("what a person may still do is no reason for a warning") {
    for (const auto* text : {
             "checks: [{id: c}, {id: d, state: PLANNED, dependencies: [c]}]\n",
             "checks: [{id: c}]\nstages: [{id: s, dependencies: [{node: c, on_state: WAITING}], assignments: "
             "[c]}]\n",
             "checks: [{id: c}]\nstages: [{id: s, dependencies: [c], assignments: [{target_check_id: c, "
             "goal_state: PLANNED}]}]\n"
             "---\nstages: [{id: t, assignments: [c]}]\n",
             "checks: [{id: c, state: FINAL}]\nstages: [{id: s, dependencies: [c], assignments: [c]}]\n",
             "stages: [{id: parent, continuation_group: [child]}, {id: child, dependencies: [{node: parent, "
             "on_state: ATTEMPTING}]}]\n",
         }) {
        INFO(text);
        const auto r = reviewed(text);
        CHECK(r.problems.empty());
        CHECK(r.warnings.empty());
    }
}

TEST_CASE("a plan that is very deep is reviewed without recursion") {
    // Frames of 80 bytes would fill the usual stack twice over.
    constexpr int kDepth = turboci::test::kSanitized ? 40'000 : 200'000;
    WriteNodes request;
    for (int i = 0; i < kDepth; ++i) {
        CheckWrite c;
        c.id = std::to_string(i);
        if (i > 0)
            c.dependencies.emplace().edges.push_back(
                {{NodeType::check, std::to_string(i - 1)}, State::final, {}, {}});
        request.checks.push_back(c);
    }
    CHECK(reviewed(request).problems.empty());
    change(request.checks, 0, [](CheckWrite& first) {
        first.dependencies.emplace().edges.push_back(
            {{NodeType::check, std::to_string(kDepth - 1)}, State::final, {}, {}});
    });
    const auto r = reviewed(request);
    REQUIRE(r.problems.size() == 1);
    CHECK(r.problems[0].size() < 1000);
    CHECK(r.problems[0].ends_with("… " + std::to_string(kDepth - 20) + " more … -> check:0"));
}
