// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

bool same(const EdgeRow& a, const EdgeRow& b) {
    return a.owner == b.owner && a.role == b.role && a.group == b.group && a.position == b.position &&
           a.target == b.target && a.on_state == b.on_state && a.when == b.when;
}
bool same(const std::vector<EdgeRow>& a, const std::vector<EdgeRow>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const EdgeRow& x, const EdgeRow& y) { return same(x, y); });
}

}  // namespace

TEST_CASE("groups come by role and number, and only their count can be updated") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey owner = f.add(*transaction, NodeType::stage, "s");
    const GroupRow root{owner, kContinuation, 0, -1, {GroupKind::all, 2, 2, 0, Resolution::unresolved},
                        at(1)};
    const GroupRow second{owner, kDependencies, 2, 1, {GroupKind::at_least, 2, 1, 1, Resolution::unresolved},
                          at(2)};
    const GroupRow first{owner, kDependencies, 1, 0, {GroupKind::any, 1, 0, 1, Resolution::satisfied}, at(3)};
    for (const GroupRow& g : {root, second, first}) insert_group(*transaction, g);
    auto got = groups(*transaction, owner);
    REQUIRE(got.size() == 3);
    CHECK(got[0].group == 1);
    CHECK(got[1].group == 2);
    CHECK(got[1].parent == 1);
    CHECK(got[1].count == second.count);
    CHECK(got[1].since == at(2));
    CHECK(got[2].role == kContinuation);
    CHECK(got[2].parent == -1);
    GroupRow changed = second;
    changed.count = {GroupKind::at_least, 2, 0, 1, Resolution::unsatisfied};
    update_group(*transaction, changed);
    got = groups(*transaction, owner);
    CHECK(got[1].count == changed.count);
    CHECK(got[0].count == first.count);
    CHECK(got[2].count == root.count);
    CHECK(groups(*transaction, f.add(*transaction, NodeType::stage, "t")).empty());
}

TEST_CASE("edges of an owner come by position, each role apart") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey check = f.add(*transaction, NodeType::check, "c");
    const NodeKey stage = f.add(*transaction, NodeType::stage, "s");
    const NodeKey owner = f.add(*transaction, NodeType::stage, "o");
    const EdgeRow late{owner, kDependencies, 1, 3, stage, State::awaiting_group, When::success};
    const EdgeRow early{owner, kDependencies, 0, 0, check, State::waiting, When::success};
    const EdgeRow group{owner, kContinuation, 0, 0, stage, State::final, When::always};
    insert_edge(*transaction, late, NodeType::stage);
    insert_edge(*transaction, group, NodeType::stage);
    insert_edge(*transaction, early, NodeType::check);
    CHECK(same(edges_of(*transaction, owner, kDependencies), {early, late}));
    CHECK(same(edges_of(*transaction, owner, kContinuation), {group}));
    CHECK(edges_of(*transaction, check, kDependencies).empty());
}

TEST_CASE("edges to a target are those that wait for a state in a range, by owner, role and position") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey target = f.add(*transaction, NodeType::check, "c");
    const NodeKey other = f.add(*transaction, NodeType::check, "d");
    const NodeKey a = f.add(*transaction, NodeType::stage, "a");
    const NodeKey b = f.add(*transaction, NodeType::stage, "b");
    const EdgeRow b_final{b, kDependencies, 0, 0, target, State::final, When::failure};
    const EdgeRow a_planned{a, kDependencies, 0, 2, target, State::planned, When::success};
    const EdgeRow a_final{a, kDependencies, 4, 1, target, State::final, When::always};
    const EdgeRow a_group{a, kContinuation, 0, 0, target, State::waiting, When::success};
    const EdgeRow elsewhere{a, kDependencies, 0, 0, other, State::final, When::success};
    for (const EdgeRow& e : {b_final, a_planned, a_final, a_group, elsewhere})
        insert_edge(*transaction, e, NodeType::check);
    CHECK(same(edges_to(*transaction, target, 0, 40), {a_final, a_planned, a_group, b_final}));
    CHECK(same(edges_to(*transaction, target, 20, 30), {a_group}));
    CHECK(same(edges_to(*transaction, target, 10, 20), {a_planned}));
    CHECK(same(edges_to(*transaction, target, 30, 40), {a_final, b_final}));
    CHECK(edges_to(*transaction, target, 40, 40).empty());
    CHECK(edges_to(*transaction, a, 0, 40).empty());
}

TEST_CASE("edges to a stage wait for the states of a stage") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey target = f.add(*transaction, NodeType::stage, "s");
    const NodeKey owner = f.add(*transaction, NodeType::check, "c");
    const EdgeRow running{owner, kDependencies, 0, 0, target, State::attempting, When::success};
    const EdgeRow over{owner, kDependencies, 0, 1, target, State::awaiting_group, When::success};
    insert_edge(*transaction, running, NodeType::stage);
    insert_edge(*transaction, over, NodeType::stage);
    CHECK(same(edges_to(*transaction, target, 10, 20), {running}));
    CHECK(same(edges_to(*transaction, target, 20, 40), {over}));
}

TEST_CASE("a predicate can be deleted, one role at a time") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey target = f.add(*transaction, NodeType::stage, "s");
    const NodeKey owner = f.add(*transaction, NodeType::stage, "o");
    for (const auto role : {kDependencies, kContinuation}) {
        insert_group(*transaction, {owner, role, 1, 0, {}, at(1)});
        insert_edge(*transaction, {owner, role, 0, 0, target, State::final, When::success}, NodeType::stage);
    }
    delete_predicate(*transaction, owner, kDependencies);
    CHECK(edges_of(*transaction, owner, kDependencies).empty());
    CHECK(edges_of(*transaction, owner, kContinuation).size() == 1);
    REQUIRE(groups(*transaction, owner).size() == 1);
    CHECK(groups(*transaction, owner)[0].role == kContinuation);
    CHECK(edges_to(*transaction, target, 0, 40).size() == 1);
    insert_edge(*transaction, {owner, kDependencies, 0, 0, target, State::final, When::always},
                NodeType::stage);
    CHECK(edges_of(*transaction, owner, kDependencies)[0].when == When::always);
}

TEST_CASE("assignments are found from both ends") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey c = f.add(*transaction, NodeType::check, "c");
    const NodeKey d = f.add(*transaction, NodeType::check, "d");
    const NodeKey s = f.add(*transaction, NodeType::stage, "s");
    const NodeKey t = f.add(*transaction, NodeType::stage, "t");
    insert_assignment(*transaction, {t, 0, c, State::final});
    insert_assignment(*transaction, {s, 1, c, State::waiting});
    insert_assignment(*transaction, {s, 0, d, State::planned});
    const auto of = assignments_of(*transaction, s);
    REQUIRE(of.size() == 2);
    CHECK(of[0].check == d);
    CHECK(of[0].goal == State::planned);
    CHECK(of[1].check == c);
    CHECK(of[1].goal == State::waiting);
    const auto to = assignments_to(*transaction, c);
    REQUIRE(to.size() == 2);
    CHECK(to[0].stage == s);
    CHECK(to[0].position == 1);
    CHECK(to[1].stage == t);
    CHECK(to[1].goal == State::final);
    CHECK(assignments_of(*transaction, c).empty());
}

TEST_CASE("goals come in the order of states and are replaced by a second put") {
    Fixture f;
    auto transaction = f.write();
    const NodeKey c = f.add(*transaction, NodeType::check, "c");
    put_goal(*transaction, {c, State::final, 3, 3});
    put_goal(*transaction, {c, State::planned, 1, 1});
    put_goal(*transaction, {c, State::final, 4, 2});
    const auto goals = service::goals(*transaction, c);
    REQUIRE(goals.size() == 2);
    CHECK(goals[0].goal == State::planned);
    CHECK(goals[1].goal == State::final);
    CHECK(goals[1].stages == 4);
    CHECK(goals[1].open == 2);
}
