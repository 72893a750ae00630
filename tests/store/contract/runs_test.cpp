// SPDX-License-Identifier: Apache-2.0
// Large plans read in runs, by several threads: the same nodes as one after another.
#include <algorithm>
#include <stdexcept>

#include "store/samples.hpp"

namespace turboci::test {
namespace {

std::string describe(const NodeRecord& r) {
    std::string text = r.row.id + " " + r.body.json.text;
    for (const EdgeRecord& e : r.edges) text += " < " + e.target.id;
    return text;
}

/// Notes what it is given.
class Notes final : public RecordRuns {
public:
    std::unique_ptr<Run> make() override {
        ++made;
        return std::make_unique<Note>(*this);
    }
    void take(Run& run) override {
        ++taken;
        auto& lines = static_cast<Note&>(run).lines;
        most = std::max(most, static_cast<Note&>(run).most);
        if (fail_at == taken) throw std::runtime_error("no more");
        all.insert(all.end(), lines.begin(), lines.end());
        lines.clear();
    }
    std::vector<std::string> all;
    std::string unwanted;  ///< an id whose visit fails
    int made = 0, taken = 0, fail_at = 0;
    std::size_t full_at = 1'000'000, most = 0;

private:
    struct Note final : Run {
        explicit Note(const Notes& owner) : notes(owner) {}
        void visit(NodeRecord& record) override {
            if (record.row.id == notes.unwanted) throw std::runtime_error("not this one");
            lines.push_back(describe(record));
            most = std::max(most, lines.size());
        }
        [[nodiscard]] bool full() const override { return lines.size() >= notes.full_at; }
        const Notes& notes;
        std::vector<std::string> lines;
        std::size_t most = 0;
    };
};

/// A plan of many nodes, each with an edge and some with a body, and some of another plan between them.
struct Many : Fixture {
    static constexpr int kNodes = 6000;
    Many() {
        auto uow = write();
        fill(*uow);
        uow->commit();
        close();
        store = open({.path = path(), .command = "test", .read_threads = 3});
    }
    void fill(UnitOfWork& uow) {
        other = insert_plan(uow, plan_row("other"));
        NodeKey before{};
        for (int i = 0; i < kNodes; ++i) {
            const NodeType type = i % 3 == 0 ? NodeType::check : NodeType::stage;
            const NodeKey key = add(uow, type, std::to_string(i));
            if (i > 0)
                insert_edge(uow,
                            {key, PredicateRole::dependencies, 0, 0, before, State::final, When::success},
                            (i - 1) % 3 == 0 ? NodeType::check : NodeType::stage);
            if (i % 5 == 0) {
                NodeBody body;
                body.json.text = R"({"i":)" + std::to_string(i) + "}";
                update_body(uow, key, body);
            }
            if (i % 700 == 0)
                insert_node(uow, node_row(other, uow.next_node_key(), type, "foreign" + std::to_string(i)),
                            {});
            before = key;
        }
    }
    static std::vector<std::string> one_by_one(UnitOfWork& uow, PlanKey plan, NodeType type) {
        std::vector<std::string> lines;
        uow.read_records(plan, type, nullptr, {}, [&](NodeRecord& r) { lines.push_back(describe(r)); });
        return lines;
    }
    std::unique_ptr<Store> store;
    PlanKey other{};
};

}  // namespace

TEST_CASE("runs hold the same nodes in the same order as reading one after another") {
    Many f;
    auto uow = f.store->begin(Access::read);
    for (const NodeType type : {NodeType::check, NodeType::stage}) {
        Notes notes;
        uow->read_runs(f.plan(), type, {}, notes);
        CHECK(notes.all.size() == (type == NodeType::check ? 2000 : 4000));
        CHECK(notes.taken > 2);
        CHECK(notes.all == Many::one_by_one(*uow, f.plan(), type));
    }
    // What a reader sees does not change, by which thread so ever: a commit comes after it, or does not show.
    auto writer = Fixture::open({.path = f.path(), .lock_timeout = std::chrono::milliseconds(50)});
    const auto refused = code_of([&] {
        auto write = writer->begin(Access::write);
        static_cast<void>(f.add(*write, NodeType::check, "new"));
        write->commit();
    });
    CHECK(refused.value_or(ErrorCode::locked) == ErrorCode::locked);
    Notes again;
    uow->read_runs(f.plan(), NodeType::check, {}, again);
    CHECK(again.all.size() == 2000);
}

TEST_CASE("a run that is full is taken before it is at its end") {
    Many f;
    auto uow = f.store->begin(Access::read);
    const std::size_t full_at = GENERATE(1u, 7u);
    const NodeParts parts = GENERATE(NodeParts(), kBareNodes);  // by several threads, and by one
    Notes notes, all;
    notes.full_at = full_at;
    uow->read_runs(f.plan(), NodeType::stage, parts, notes);
    uow->read_runs(f.plan(), NodeType::stage, parts, all);
    CHECK(notes.all == all.all);
    CHECK(notes.most == full_at);
    CHECK(notes.taken >= static_cast<int>(4000 / full_at));
}

TEST_CASE("runs without targets, of a small plan, and of a type that is not there") {
    Many f;
    auto uow = f.store->begin(Access::read);
    Notes bare;
    uow->read_runs(f.plan(), NodeType::stage, kBareNodes, bare);
    CHECK(bare.all.size() == 4000);
    CHECK(bare.made == 1);
    CHECK(bare.taken > 2);
    Notes foreign;
    uow->read_runs(f.other, NodeType::stage, {}, foreign);
    CHECK(foreign.all == Many::one_by_one(*uow, f.other, NodeType::stage));
    CHECK(foreign.taken == 1);
    uow.reset();
    {
        auto write = f.store->begin(Access::write);
        const PlanKey checks = insert_plan(*write, plan_row("checks"));
        for (int i = 0; i < 5000; ++i) {
            insert_node(*write, node_row(checks, write->next_node_key(), NodeType::check, std::to_string(i)),
                        {});
        }
        const StateCount count{NodeType::check, State::planned, std::nullopt, 5000};
        add_counts(*write, checks, {&count, 1});
        write->commit();
    }
    uow = f.store->begin(Access::read);
    Notes none, all, first;
    uow->read_runs(f.plan(), NodeType::stage, {}, first);  // another plan than the next
    CHECK(first.all.size() == 4000);
    const PlanKey checks = uow->find_plan("checks")->key;
    uow->read_runs(checks, NodeType::stage, {}, none);
    CHECK(none.all.empty());
    CHECK(none.taken == 0);
    uow->read_runs(checks, NodeType::check, {}, all);
    CHECK(all.all.size() == 5000);
}

TEST_CASE("a large plan whose nodes lie scattered between those of another is read by its own") {
    Fixture f;
    {
        auto uow = f.write();
        const PlanKey q = insert_plan(*uow, plan_row("q"));
        for (int i = 0; i < 4200; ++i) {
            static_cast<void>(f.add(*uow, NodeType::check, std::to_string(i)));
            for (int j = 0; j < 9; ++j) {
                const std::string id = std::to_string(i) + "-" + std::to_string(j);
                insert_node(*uow, node_row(q, uow->next_node_key(), NodeType::check, id), {});
            }
        }
        uow->commit();
    }
    f.close();
    const auto store = Fixture::open({.path = f.path(), .read_threads = 2});
    const auto uow = store->begin(Access::read);
    Notes notes;
    uow->read_runs(f.plan(), NodeType::check, {}, notes);
    CHECK(notes.all.size() == 4200);
    CHECK(notes.all.back() == "4199 {}");
    CHECK(notes.made == 1);
}

TEST_CASE("within a write, runs hold what it has written") {
    Many f;
    auto uow = f.store->begin(Access::write);
    static_cast<void>(f.add(*uow, NodeType::check, "new"));
    Notes notes;
    uow->read_runs(f.plan(), NodeType::check, {}, notes);
    CHECK(notes.all.size() == 2001);
    CHECK(notes.all.back() == "new {}");
    CHECK(notes.made == 1);
}

TEST_CASE("what a visit or the taking of a run throws comes through, and the store goes on") {
    Many f;
    {
        auto uow = f.store->begin(Access::read);
        Notes notes;
        notes.unwanted = "4500";
        CHECK_THROWS_WITH(uow->read_runs(f.plan(), NodeType::check, {}, notes), "not this one");
        Notes full;
        full.fail_at = 2;
        CHECK_THROWS_WITH(uow->read_runs(f.plan(), NodeType::stage, {}, full), "no more");
        Notes after;
        uow->read_runs(f.plan(), NodeType::stage, {}, after);
        CHECK(after.all.size() == 4000);
    }
    auto write = f.store->begin(Access::write);
    static_cast<void>(f.add(*write, NodeType::check, "new"));
    write->commit();
}

}  // namespace turboci::test
