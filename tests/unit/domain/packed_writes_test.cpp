// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "support/catch.hpp"
#include "support/packed.hpp"
#include "support/shown_writes.hpp"
#include "turboci/requests.hpp"

namespace turboci {

namespace {

PredicateSpec tree() {
    PredicateSpec root;
    root.kind = GroupKind::at_least;
    root.at_least = std::numeric_limits<std::int64_t>::min();
    root.at = {1, 7, 300};
    root.edges.push_back({{NodeType::check, "a"}, State::final, When::always, {1, 7, 1}});
    root.edges.push_back({{NodeType::stage, std::string(300, 'n')}, State::awaiting_group, {}, {0, 9, 2}});
    root.edges.push_back({{std::nullopt, ""}, State::planning, When::success, {}});
    PredicateSpec& any = root.groups.emplace_back();
    any.kind = GroupKind::any;
    any.at_least = std::numeric_limits<std::int64_t>::max();
    any.groups.emplace_back().edges.push_back({{NodeType::check, "deep"}, State::waiting, {}, {1, 8, 8}});
    return root;
}

CheckWrite full_check() {
    CheckWrite w;
    w.id = "check";
    w.kind = "";
    w.options = JsonText{R"({"a":1})"};
    w.state = State::waiting;
    w.dependencies = tree();
    w.results.emplace_back().data = JsonText{R"({"d":null})"};
    w.results.back().at = {1, 5, 6};
    ResultWrite& second = w.results.emplace_back();
    second.failure = std::string(70'000, 'f');
    second.owner = AttemptRef{"s", -3};
    second.by = "somebody";
    second.clear_failure = true;
    second.finalize = true;
    w.required = false;
    w.condition.emplace().push_back({{"c", "/a", Condition::Test::not_equals, "1"}, {1, 6, 2}});
    w.skip = true;
    w.at = {1, 7, 3};
    w.id_at = {0, std::numeric_limits<std::uint32_t>::max(), 0};
    return w;
}

StageWrite full_stage() {
    StageWrite w;
    w.id = "s";
    w.args = JsonText{R"({"command":"true"})"};
    w.dependencies = tree();
    w.assignments.emplace().push_back({"c", State::planned, {1, 8, 1}});
    w.assignments->push_back({"", State::final, {}});
    w.retry = Retry{-1, Duration(-5)};
    w.timeout = Duration::max();
    w.heartbeat = Duration(1);
    w.continuation_group = PredicateSpec{};
    AttemptWrite& a = w.attempt.emplace();
    a.idx = std::numeric_limits<std::int32_t>::max();
    a.state = AttemptState::incomplete;
    a.process_uid = "uid";
    a.details = JsonText{};
    a.progress.emplace_back("line", JsonText{R"({"p":1})"});
    a.progress.emplace_back("", JsonText{});
    a.failure = "no";
    a.heartbeat = a.no_retry = true;
    a.runner = RunnerIdentity{"host", "boot", -1, std::numeric_limits<std::int64_t>::max()};
    a.at = {1, 9, 9};
    a.holder = HolderWord{.identity = "h",
                          .cause = Cause::silent,
                          .stopping = true,
                          .signalled = true,
                          .exit_code = 3,
                          .signal = 9,
                          .log = LogPlace{"log"},
                          .ran_for = Duration(7)};
    w.retry->max_backoff = Duration(8);
    w.retry->on = {false, true, false, {1, 255}};
    w.retry->on_interrupt = OnInterrupt::fail;
    w.silence = Duration(2);
    w.runner = "gpu";
    w.uses = std::vector<Use>{{"db", 2}, {"", 1}};
    w.condition.emplace().push_back({{"c", "", Condition::Test::exists, ""}, {}});
    w.state = State::final;
    w.cancel = w.skip = true;
    w.at = {2, 1, 1};
    return w;
}

}  // namespace

TEMPLATE_TEST_CASE("A packed write is what it was, whatever stood before where it is read", "", CheckWrite,
                   StageWrite) {
    TestType full;
    if constexpr (std::is_same_v<TestType, CheckWrite>)
        full = full_check();
    else
        full = full_stage();
    TestType bare;
    bare.id = "bare";
    WriteList<TestType> list;
    for (int i = 0; i < 50; ++i) {
        list.push_back(full);
        list.push_back(bare);
    }
    REQUIRE(list.size() == 100);
    TestType read;
    for (const std::size_t i : {0u, 1u, 98u, 99u, 98u, 0u}) {
        list.read(i, read);
        CHECK(Shown::of(read) == Shown::of(i % 2 == 0 ? full : bare));
        CHECK(list.id(i) == read.id);
    }
    list.read(0, read);
    list.read_head(0, read);
    CHECK(read.id == full.id);
    CHECK_FALSE(read.dependencies);
    std::size_t seen = 0;
    for (const TestType& value : list) CHECK(Shown::of(value) == Shown::of(seen++ % 2 == 0 ? full : bare));
    CHECK(seen == 100);
    CHECK_THROWS_AS(list.at(100), std::out_of_range);
}

TEST_CASE("The head of a write is what makes its body") {
    WriteList<CheckWrite> checks;
    checks.push_back(full_check());
    CheckWrite check = full_check();
    checks.read_head(0, check);
    CheckWrite expected = full_check();
    expected.dependencies.reset();
    expected.results.clear();
    CHECK(Shown::of(check) == Shown::of(expected));

    WriteList<StageWrite> stages;
    stages.push_back(full_stage());
    StageWrite stage = full_stage();
    stages.read_head(0, stage);
    StageWrite head = full_stage();
    head.dependencies.reset();
    head.assignments.reset();
    head.continuation_group.reset();
    head.attempt.reset();
    head.state.reset();
    CHECK(Shown::of(stage) == Shown::of(head));
}

TEST_CASE("Packed lists are copied, moved and appended whole, and ids stay where they are") {
    WriteList<CheckWrite> first, second;
    CheckWrite write;
    for (int i = 0; i < 2000; ++i) {
        write.id = "a" + std::to_string(i);
        first.push_back(write);
        write.id = "b" + std::to_string(i);
        second.push_back(write);
    }
    const WriteList<CheckWrite> copy = first;
    const std::string_view id = second.id(1999);
    first.append(std::move(second));
    CHECK(second.empty());  // NOLINT(bugprone-use-after-move): that is what append() promises
    REQUIRE(first.size() == 4000);
    CHECK(id == "b1999");
    CHECK(first.id(3999).data() == id.data());
    CHECK(first[1999].id == "a1999");
    CHECK(first[2000].id == "b0");
    write.id = "later";
    first.push_back(write);
    CHECK(first[4000].id == "later");
    CHECK(copy.size() == 2000);
    CHECK(copy[7].id == "a7");
    WriteList<CheckWrite> empty;
    empty.append(std::move(first));
    CHECK(empty.size() == 4001);
    CHECK(id == "b1999");
}

}  // namespace turboci
