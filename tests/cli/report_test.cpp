// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using turboci::test::read_all;
using Json = nlohmann::json;

namespace {

constexpr const char* kPlan =
    "checks: [{id: built, kind: build, state: PLANNED}, {id: tested, kind: test, state: PLANNED}]\n"
    "stages:\n"
    "  - {id: build, args: {command: 'true'}, assignments: [built]}\n"
    "  - {id: test, args: {command: 'echo 1 of 3 failed; exit 1'}, assignments: [tested], "
    "dependencies: [check:built]}\n";

void create(const Binary& turboci, const std::string& plan) {
    turboci.ok({"plan", "create", "p", "-f", turboci.file("plan.yaml", plan)});
}

}  // namespace

TEST_CASE("plan show --format knows four reports, and names them where it is asked for another") {
    const Binary turboci;
    create(turboci, kPlan);
    CHECK(turboci.run({"run"}).code == 1);
    CHECK(contains(turboci.ok({"plan", "show", "--format", "html"}), "1 of 3 failed"));
    CHECK(turboci.ok({"plan", "show", "--format", "html"}) ==
          turboci.ok({"plan", "show", "--format", "html"}));
    const Json trace = Json::parse(turboci.ok({"plan", "show", "--format", "trace"}));
    CHECK(trace["otherData"]["verdict"] == "failed");
    CHECK(contains(turboci.run({"plan", "show", "--format", "pdf"}).err,
                   "use table, markdown, junit, html or trace"));
}

TEST_CASE("run --report writes every report, whatever the verdict is") {
    const Binary turboci;
    create(turboci, kPlan);
    const std::string html = turboci.file("report.html", "old");
    const Ran ran =
        turboci.run({"run", "--report", "html=" + html, "--report", "junit=" + turboci.path("j.xml"),
                     "--report", "trace=" + turboci.path("t.json"), "--report", "markdown=-"});
    CHECK(ran.code == 1);
    CHECK(contains(ran.out, "❌ failed"));
    CHECK(contains(read_all(html), "<span class=\"verdict\">failed</span>"));
    CHECK(contains(read_all(turboci.path("j.xml")), "<failure type=\"failed\""));
    CHECK(Json::parse(read_all(turboci.path("t.json"))).contains("traceEvents"));
    CHECK(read_all(html) == turboci.ok({"plan", "show", "--format", "html"}));
    const std::string passed = turboci.path("passed.html");
    turboci.ok(
        {"plan", "create", "q", "-f", turboci.file("q.yaml", "stages: [{id: s, args: {command: 'true'}}]")});
    CHECK(turboci.run({"run", "-p", "q", "--report", "html=" + passed}).code == 0);
    CHECK(contains(read_all(passed), "done, no check answered"));
    // Nothing but the reports is left behind.
    CHECK(turboci.shell("ls \"$(dirname " + html + ")\" | grep -c tmp").out == "0\n");
}

TEST_CASE("A run that is interrupted writes its reports") {
    const Binary turboci;
    create(turboci, "stages: [{id: slow, args: {command: 'echo began; exec sleep 60'}}]\n");
    const std::string html = turboci.path("report.html");
    const Ran ran = turboci.shell(
        "\"$T\" run --report html=" + html +
        " & pid=$!\n"
        "until \"$T\" nodes query --state ATTEMPTING -o json | grep -q RUNNING; do sleep 0.05; done\n"
        "kill -TERM $pid; wait $pid; echo \"status $?\"\n");
    CHECK(contains(ran.out, "status 143"));
    CHECK(contains(read_all(html), "<span class=\"verdict\">pending</span>"));
    CHECK(contains(read_all(html), "interrupted"));
}

TEST_CASE("run --report markdown=auto adds to the job summary, where there is one") {
    Binary turboci;
    create(turboci, kPlan);
    CHECK(turboci.run({"run", "--report", "markdown=auto"}).code == 1);
    const std::string summary = turboci.file("summary.md", "# before\n");
    turboci.environment["GITHUB_STEP_SUMMARY"] = summary;
    CHECK(turboci.run({"run", "--report", "markdown=auto"}).code == 1);
    const std::string text = read_all(summary);
    CHECK(text.starts_with("# before\n\n## `p`: ❌ failed\n"));
    // Together with what is there it stays below the limit.
    turboci.file("summary.md", std::string((1u << 20) - 1024 - 600, 'x') + "\n");
    CHECK(turboci.run({"run", "--report", "markdown=auto"}).code == 1);
    CHECK(read_all(summary).size() <= (1u << 20));
}

TEST_CASE("What run --report cannot do is told before anything runs") {
    const Binary turboci;
    create(turboci, kPlan);
    const auto refused = [&](const std::string& value) {
        const Ran ran = turboci.run({"run", "--report", value});
        CHECK(ran.code == 2);
        return ran.err;
    };
    CHECK(contains(refused("pdf=x"), "'pdf=x' is not FORMAT=FILE; write markdown, junit, html or trace"));
    CHECK(contains(refused("html"), "is not FORMAT=FILE"));
    CHECK(contains(refused("html="), "is not FORMAT=FILE"));
    CHECK(contains(refused("html=auto"), "only markdown=auto"));
    CHECK(contains(refused("html=" + turboci.path("none/x.html")), "No such file or directory"));
    CHECK(contains(refused("html=" + turboci.path("")), "Is a directory"));
    CHECK(turboci.run({"run", "-n", "--report", "html=x"}).code == 2);
    CHECK(turboci.run({"run", "-o", "json", "--report", "html=-"}).code == 2);
    CHECK(turboci.run({"run", "--report", "html=-", "--report", "junit=-"}).code == 2);
    CHECK(contains(turboci.ok({"nodes", "query", "stage:build", "-o", "json"}), "\"attempts\": []") ==
          contains(turboci.ok({"nodes", "query", "stage:test", "-o", "json"}), "\"attempts\": []"));
}

TEST_CASE("A report that cannot be written ends a run that passed with status 10, and no other", "[file]") {
    const Binary turboci;
    create(turboci,
           "stages: [{id: s, args: {command: 'rm -r out'}}, {id: t, args: {command: 'exit 3'}, dependencies: "
           "[s]}]\n");
    const std::string out = turboci.path("out");
    CHECK(turboci.shell("mkdir " + out).code == 0);
    const Ran passed =
        turboci.shell("cd \"$(dirname " + out + ")\" && \"$T\" run stage:s --report html=out/x.html");
    CHECK(passed.code == 10);
    CHECK(contains(passed.err, "cannot write 'out/x.html': No such file or directory"));
    CHECK(turboci.shell("mkdir " + out + " && chmod 700 " + out).code == 0);
    const Ran failed = turboci.shell("cd \"$(dirname " + out +
                                     ")\" && ln -s none/x out/x.html && \"$T\" run --report html=out/x.html");
    CHECK(failed.code == 1);
    CHECK(contains(failed.err, "not every report was written: cannot write 'out/x.html'"));
}

TEST_CASE("graph show says how a large picture becomes smaller, and where Mermaid would not draw it") {
    const Binary turboci;
    std::string plan = "checks:\n";
    for (int i = 0; i < 301; ++i) plan += "  - {id: c" + std::to_string(i) + "}\n";
    plan += "stages: [{id: s, assignments: [c0], dependencies: [c1]}, {id: t, dependencies: [c1, s]}]\n";
    create(turboci, plan);
    const auto said = [&](std::vector<std::string> flags) {
        flags.insert(flags.begin(), {"graph", "show"});
        const Ran ran = turboci.run(flags);
        CHECK(ran.code == 0);
        return ran.err;
    };
    CHECK(
        said({}) ==
        "turboci: a picture of 303 nodes is hard to read; smaller with --collapse kind, --merge, --reduce\n");
    CHECK(said({"--merge", "--format", "mermaid"}) ==
          "turboci: a picture of 302 nodes is hard to read; smaller with --collapse kind, --reduce\n");
    CHECK(said({"--format", "tree"}).empty());
    CHECK(said({"--format", "json"}).empty());
    CHECK(said({"--collapse", "kind"}).empty());
    CHECK(said({"stage:s"}).empty());
    CHECK(said({"-q"}).empty());
    CHECK_FALSE(contains(turboci.ok({"graph", "show", "--reduce"}), "\"check:c1\" -> \"stage:t\""));
    turboci.ok(
        {"nodes", "write",
         turboci.file("more.yaml",
                      "stages: [{id: '{{n}}-{{m}}', matrix: {n: [a, b, c, d, e, f, g, h], "
                      "m: [1, 2, 3, 4, 5, 6, 7, 8, 9]}, dependencies: [c2, c3, c4, c5, c6, c7, c8]}]\n")});
    const std::string err = said({"--format", "mermaid", "--collapse", "kind"});
    CHECK(err.empty());
    CHECK(contains(said({"--format", "mermaid"}),
                   "turboci: warning: beyond what Mermaid draws unless its "
                   "configuration says otherwise: 508 edges (maxEdges 500), "));
}
