// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {

void create(World& w, const std::string& id, const std::string& commit = "") {
    CreatePlan plan;
    plan.id = id;
    if (!commit.empty()) plan.labels = {{"commit", commit}};
    w.service->create_plan(plan);
}

std::string identity_of(World& w, const std::string& id) { return w.service->get_plan(id).identity; }

/// A plan that was made from another one, as the store keeps it.
void create_from(World& w, const std::string& id, const PlanOrigin& from) {
    const auto transaction = w.store->write({}, {});
    ChangeSet changes;
    PlanRow& row = changes.plan_row.emplace();
    row.id = id;
    row.identity = "identity of " + id;
    row.version = 1;
    row.from = from;
    row.created_at = row.clock.time = w.clock.read().wall;
    transaction->apply(changes);
    transaction->commit();
}

std::string meant(World& w, const std::string& text) { return w.service->get_plan(text).id; }

Error refused(World& w, const std::string& text) {
    try {
        static_cast<void>(w.service->get_plan(text));
    } catch (const Error& error) {
        return error;
    }
    throw std::logic_error("a plan was found");
}

std::vector<std::string> pruned(World& w, const PrunePlans& request) {
    std::vector<std::string> ids;
    for (const WorkPlan& plan : w.service->prune_plans(request)) ids.push_back(plan.id);
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("A plan is chosen by its id, or by a beginning that no other has") {
    World w;
    create(w, "build-1");
    create(w, "build-10");
    create(w, "deploy");
    CHECK(meant(w, "d") == "deploy");
    CHECK(meant(w, "build-1") == "build-1");  // whole, although it begins another
    const Error two = refused(w, "build");
    CHECK(two.code() == ErrorCode::usage);
    CHECK_THAT(two.what(), Contains("'build' is the beginning of 2 plans (build-1, build-10)"));
    CHECK(refused(w, "x").code() == ErrorCode::not_found);
    CHECK(refused(w, "@oldest").code() == ErrorCode::not_found);
}

TEST_CASE("@latest is the newest plan, and KEY=VALUE the newest with that label") {
    World w;
    create(w, "one", "abc");
    w.clock.advance(1s);
    create(w, "two", "abc");
    w.clock.advance(1s);
    create(w, "three", "def");
    CHECK(meant(w, "@latest") == "three");
    CHECK(meant(w, "commit=abc") == "two");
    CHECK(refused(w, "commit=ab").code() == ErrorCode::not_found);
    CHECK(refused(w, "=abc").code() == ErrorCode::not_found);
}

TEST_CASE("Writes choose plans as readers do, but only a whole id deletes one") {
    World w;
    create(w, "other", "abc");
    WriteNodes request = World::request("checks: [{id: a}]");
    for (const char* text : {"oth", "@latest", "commit=abc"}) {
        request.plan = text;
        CHECK(w.service->write_nodes(request).plan.id == "other");
    }
    request.plan = "no/plan";
    CHECK_THROWS_AS(w.service->write_nodes(request), Error);
    for (const char* text : {"oth", "@latest", "commit=abc", ""}) {
        INFO(text);
        CHECK_THROWS_AS(w.service->delete_plan(text, false), Error);
    }
    w.service->delete_plan("other", false);
    CHECK(w.service->list_plans().size() == 1);
}

TEST_CASE("Without a choice it is the only plan from which no other was made") {
    World w;
    create_from(w, "second", {"p", identity_of(w, "p")});
    CHECK(meant(w, "") == "second");
    create_from(w, "third", {"second", identity_of(w, "second")});
    CHECK(meant(w, "") == "third");
    CHECK(w.service->get_plan("third").from == PlanOrigin{"second", "identity of second"});
    // Another line.
    create(w, "apart");
    const Error two = refused(w, "");
    CHECK(two.code() == ErrorCode::usage);
    CHECK_THAT(two.what(), Contains("the store has 2 plans (third, apart)"));
}

TEST_CASE("A plan that was made from one that is gone, whoever has its id now, has its own line") {
    World w;
    create_from(w, "second", {"p", "another identity"});
    CHECK_THAT(refused(w, "").what(), Contains("2 plans (p, second)"));
}

TEST_CASE("Plans that name each other are all to choose from") {
    World w;
    w.service->delete_plan("p", false);
    create_from(w, "a", {"b", "identity of b"});
    create_from(w, "b", {"a", "identity of a"});
    CHECK_THAT(refused(w, "").what(), Contains("2 plans (a, b)"));
}

TEST_CASE("A write from within an attempt of a plan that is gone hits no plan that its id begins") {
    World w;
    w.write("stages: [{id: s}]");
    const std::string token = w.claim("s").claimed.at(0).token;
    create(w, "pq");
    w.service->delete_plan("p", true);
    WriteNodes late = World::request("checks: [{id: a}]");
    CHECK(w.service->write_nodes(late).plan.id == "pq");
    late = World::request("checks: [{id: b}]");
    late.token = token;
    CHECK(w.refused(late) == ErrorCode::not_found);
}

TEST_CASE("A token is judged although the plan is named by a beginning") {
    World w;
    create(w, "long-name");
    WriteNodes request = World::request("stages: [{id: s}]");
    request.plan = "long";
    w.write(request);
    request = World::request("{}");
    request.plan = "long";
    request.claim = Claim{.stages = {"s"}, .at_most = 1, .process_uid = "w", .holder = "w"};
    const std::string token = w.write(request).claimed.at(0).token;
    w.service->delete_plan("long-name", true);
    create(w, "long-name");
    request = World::request("checks: [{id: a}]");
    request.plan = "long";
    request.token = token;
    try {
        w.write(request);
        FAIL("written");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::conflict);
    }
}

TEST_CASE("Waiting for news stays with the plan that was chosen") {
    World w;
    create(w, "q");
    const WorkPlan seen = w.service->watch("@latest", 0, 0s);
    CHECK(seen.id == "q");
}

TEST_CASE("The plan that one was made from goes through an export and back") {
    World w;
    const auto exported = [&] {
        std::string text;
        w.service->export_plan("p", [&](std::string_view line) { text.append(line).append("\n"); });
        return text;
    };
    const auto with_origin = [](std::string text, const std::string& origin) {
        const std::string none = R"("from":null)";
        return text.replace(text.find(none), none.size(), "\"from\":" + origin);
    };
    const std::string plain = exported();
    w.service->delete_plan("p", false);
    const std::string text = with_origin(plain, R"({"plan":"old","identity":"that of old"})");
    CHECK(w.service->import_plan(text, "x").from == PlanOrigin{"old", "that of old"});
    CHECK(exported() == text);
    w.service->delete_plan("p", false);
    for (const char* bad : {"{}", R"({"plan":"/","identity":"x"})", R"({"plan":"old","identity":""})", "1"})
        CHECK_THROWS_AS(w.service->import_plan(with_origin(plain, bad), "x"), Error);
}

TEST_CASE("Prune deletes plans in which everything is FINAL, but the newest") {
    World w;
    w.write("stages: [{id: open}]");
    for (const char* id : {"a", "b", "c"}) {
        create(w, id);
        WriteNodes request = World::request("checks: [{id: x, state: FINAL}]");
        request.plan = id;
        w.write(request);
    }
    CHECK(pruned(w, {.keep = 1, .dry_run = true}) == Ids{"a", "b"});
    CHECK(w.service->list_plans().size() == 4);
    CHECK(pruned(w, {.keep = 1, .only = Ids{identity_of(w, "b")}}) == Ids{"b"});
    CHECK(pruned(w, {.keep = 1}) == Ids{"a"});
    CHECK(pruned(w, {.keep = 0}) == Ids{"c"});
    CHECK(meant(w, "") == "p");  // it is open
}

TEST_CASE("Prune looks at when a plan has changed last") {
    World w;
    w.write("checks: [{id: x, state: FINAL}]");
    w.clock.advance(1h);
    CHECK(pruned(w, {.older_than = 61min}).empty());
    CHECK(pruned(w, {.keep = 1, .older_than = 1h}).empty());
    CHECK(pruned(w, {.older_than = 1h}) == Ids{"p"});
}

TEST_CASE("An empty plan is pruned when it is a day old") {
    World w;
    w.clock.advance(23h);
    CHECK(pruned(w, {.keep = 0}).empty());
    w.clock.advance(1h);
    CHECK(pruned(w, {.keep = 0}) == Ids{"p"});
}

TEST_CASE("A plan from which another was made is pruned though it is open, but not while it is held") {
    World w;
    w.write("stages: [{id: s}, {id: later, dependencies: [s]}]");
    create_from(w, "second", {"p", identity_of(w, "p")});
    w.claim("s");
    CHECK(pruned(w, {.keep = 0}).empty());
    w.complete("s");
    CHECK(pruned(w, {.keep = 0}) == Ids{"p"});
}

TEST_CASE("Prune wants to know what to keep") {
    World w;
    CHECK_THROWS_AS(w.service->prune_plans({}), Error);
}
