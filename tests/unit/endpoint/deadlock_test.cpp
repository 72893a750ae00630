// SPDX-License-Identifier: Apache-2.0
#include "engine/deadlock.hpp"

#include <map>

#include "support/catch.hpp"

using namespace turboci;

namespace {

/// A graph written down by hand; counts what is looked at.
class Graph final : public WaitGraph {
public:
    WaitNode& check(std::int64_t key, State state = State::planning) {
        return add(key, NodeType::check, state);
    }
    WaitNode& stage(std::int64_t key, State state = State::planned) {
        return add(key, NodeType::stage, state);
    }
    /// `from` waits for all of `targets`.
    void needs(std::int64_t from, std::initializer_list<std::int64_t> targets, State on_state = State::final,
               std::int32_t needed = -1, bool continuation = false) {
        auto& node = nodes.at(from);
        const auto group = static_cast<std::int32_t>(node.groups.size());
        node.groups.push_back(
            {-1, needed < 0 ? static_cast<std::int32_t>(targets.size()) : needed, continuation});
        for (const auto t : targets) node.edges.push_back({group, t, on_state});
    }
    void assign(std::int64_t stage_key, std::int64_t check_key, State goal = State::final) {
        nodes.at(check_key).assigned.push_back({stage_key, goal});
    }
    void load(std::int64_t node, WaitNode& out) override {
        ++loads;
        out = nodes.at(node);
    }
    void waiters(std::int64_t node, std::vector<Waiter>& out) override {
        ++loads;
        for (const auto& [key, n] : nodes) {
            for (const auto& e : n.edges)
                if (e.target == node)
                    out.push_back({key, n.type, e.on_state,
                                   n.groups[static_cast<std::size_t>(e.group)].continuation, false});
            for (const auto& a : n.assigned)
                if (a.stage == node) out.push_back({key, NodeType::check, a.goal, false, true});
        }
    }
    std::vector<std::string> whole(std::size_t limit = 10) {
        std::vector<std::int64_t> keys;
        for (const auto& [key, n] : nodes) keys.push_back(key);
        return tell(find_deadlocks(*this, keys, limit));
    }
    std::vector<std::string> around(std::vector<std::int64_t> changed, std::size_t limit = 10) {
        return tell(find_new_deadlocks(*this, changed, limit));
    }
    std::map<std::int64_t, WaitNode> nodes;
    std::size_t loads = 0;

private:
    WaitNode& add(std::int64_t key, NodeType type, State state) {
        auto& node = nodes[key];
        node.type = type;
        node.state = state;
        return node;
    }
    std::vector<std::string> tell(const std::vector<Deadlock>& found) {
        std::vector<std::string> texts;
        for (const auto& d : found) {
            texts.push_back(describe(d, [&](std::int64_t key) {
                return (nodes.at(key).type == NodeType::check ? "c" : "s") + std::to_string(key);
            }));
        }
        return texts;
    }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a stage that waits for the end of its own check never finishes") {
    Graph g;
    g.check(1);
    g.stage(2);
    g.needs(2, {1});
    g.assign(2, 1);
    const Texts expected{
        "c1 can never finish: it waits for s2 that is assigned to it, which waits for c1 to be FINAL"};
    CHECK(g.whole() == expected);
    CHECK(g.around({2}) == expected);
    CHECK(g.around({1}) == expected);
}

TEST_CASE("a stage may wait for its check to be WAITING, which is when it can answer") {
    Graph g;
    g.check(1);
    g.stage(2);
    g.needs(2, {1}, State::waiting);
    g.assign(2, 1);
    CHECK(g.whole().empty());
    CHECK(g.around({2}).empty());
}

TEST_CASE("a deadlock is found through other nodes, and what only hangs on it is not blamed") {
    Graph g;
    for (const auto c : {1, 2, 3, 9}) g.check(c);
    g.stage(4);
    g.needs(2, {1});
    g.needs(3, {2});
    g.needs(4, {3});
    g.assign(4, 1);
    g.needs(9, {3});
    const Texts expected{
        "c1 can never finish: it waits for s4 that is assigned to it, which waits for c3 to be FINAL, "
        "which waits for c2 to be FINAL, which waits for c1 to be FINAL"};
    CHECK(g.whole() == expected);
    CHECK(g.around({4}) == expected);
    CHECK(g.around({9}).empty());
}

TEST_CASE("an alternative way keeps a plan alive") {
    Graph g;
    g.check(1);
    g.check(2);
    g.stage(3);
    g.needs(3, {1, 2}, State::final, 1);  // either
    g.assign(3, 1);
    CHECK(g.whole().empty());
    CHECK(g.around({3}).empty());
    g.nodes.at(3).groups[0].needed = 2;
    CHECK(g.whole().size() == 1);
    CHECK(g.around({3}).size() == 1);
}

TEST_CASE("nested groups are counted by their own rules") {
    Graph g;
    for (const auto c : {1, 2, 3}) g.check(c);
    auto& s = g.stage(4);
    g.assign(4, 1);
    s.groups = {{-1, 1, false}, {0, 2, false}, {0, 2, false}};  // any of (all of 1 2), (all of 1 3)
    s.edges = {{1, 1, State::final}, {1, 2, State::final}, {2, 1, State::final}, {2, 3, State::final}};
    CHECK(g.whole().size() == 1);
    s.edges[2].target = 2;  // (all of 2 3) does not need 1
    CHECK(g.whole().empty());
}

TEST_CASE("a continuation group that waits for its parent never finishes") {
    Graph g;
    g.stage(1, State::attempting);
    g.stage(2);
    g.needs(2, {1});
    g.needs(1, {2}, State::final, -1, true);
    const Texts expected{
        "s1 can never finish: it has s2 in its continuation group, which waits for s1 to be FINAL"};
    CHECK(g.whole() == expected);
    CHECK(g.around({1}) == expected);
    g.nodes.at(2).edges[0].on_state = State::attempting;  // started already
    CHECK(g.whole().empty());
    CHECK(g.around({1}).empty());
}

TEST_CASE("a check that only its own follower would plan never comes, unless another goal plans it") {
    Graph g;
    g.check(1);
    g.stage(2);
    g.needs(2, {1}, State::planned);
    g.assign(2, 1, State::planned);
    CHECK(
        g.whole() ==
        Texts{
            "c1 can never finish: it waits for s2 that is assigned to it, which waits for c1 to be PLANNED"});
    CHECK(g.around({2}).size() == 1);
    g.stage(3);
    g.assign(3, 1, State::final);
    CHECK(g.whole().empty());
    CHECK(g.around({2}).empty());
    CHECK(g.around({3}).empty());
}

TEST_CASE("what has come is not waited for") {
    Graph g;
    g.check(1, State::planned);
    g.stage(2);
    g.needs(2, {1}, State::planned);
    g.assign(2, 1, State::planned);
    CHECK(g.whole().empty());
    g.check(1, State::final);
    g.nodes.at(2).edges[0].on_state = State::final;
    g.nodes.at(1).assigned = {{2, State::final}};
    CHECK(g.whole().empty());
    CHECK(g.around({2}).empty());
}

TEST_CASE("independent deadlocks are told one by one, up to the limit") {
    Graph g;
    for (std::int64_t i = 0; i < 50; ++i) {
        g.check(2 * i);
        g.stage(2 * i + 1);
        g.needs(2 * i + 1, {2 * i});
        g.assign(2 * i + 1, 2 * i);
    }
    CHECK(g.whole(100).size() == 50);
    CHECK(g.whole(7).size() == 7);
    CHECK(g.around({1, 5}).size() == 2);
}

TEST_CASE("the shortest circle through a node is told") {
    Graph g;
    for (const auto c : {1, 2, 3, 4}) g.check(c);
    g.stage(5);
    g.needs(2, {1});
    g.needs(3, {2});
    g.needs(5, {3, 1});
    g.assign(5, 1);
    CHECK(
        g.whole() ==
        Texts{"c1 can never finish: it waits for s5 that is assigned to it, which waits for c1 to be FINAL"});
}

TEST_CASE("long circles are told in part") {
    Graph g;
    constexpr std::int64_t kLength = 100'000;
    for (std::int64_t i = 0; i < kLength; ++i) g.check(i);
    for (std::int64_t i = 1; i < kLength; ++i) g.needs(i, {i - 1});
    g.stage(kLength);
    g.needs(kLength, {kLength - 1});
    g.assign(kLength, 0);
    const auto texts = g.whole();
    REQUIRE(texts.size() == 1);
    CHECK(texts[0].size() < 1000);
    CHECK(texts[0].find("and so on through 99990 more nodes, which waits for c0 to be FINAL") !=
          std::string::npos);
}

TEST_CASE("a write's search stays with the smaller side") {
    Graph g;
    constexpr std::int64_t kLength = 2000;
    for (std::int64_t i = 0; i < kLength; ++i) g.check(i);
    for (std::int64_t i = 1; i < kLength; ++i) g.needs(i, {i - 1});
    g.check(kLength);
    g.stage(kLength + 1);  // new, behind the whole chain; only its check waits for it
    g.needs(kLength + 1, {kLength - 1});
    g.assign(kLength + 1, kLength);
    g.loads = 0;
    CHECK(g.around({kLength + 1}).empty());
    CHECK(g.loads < 20);
}
