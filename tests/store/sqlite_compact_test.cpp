// SPDX-License-Identifier: Apache-2.0
// Space that is given back to the file system.
#include <sys/stat.h>

#include <filesystem>

#include "store/raw.hpp"
#include "store/samples.hpp"
#include "support/child.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;

namespace {

std::uintmax_t size_of(const Fixture& f) { return std::filesystem::file_size(f.path()); }

/// A plan with so many kilobytes in it, and its key.
PlanKey add_plan(Fixture& f, const std::string& id, int kilobytes) {
    auto transaction = f.store().write(id, {});
    const PlanKey plan = insert_plan(*transaction, plan_row(id));
    for (int i = 0; i < kilobytes / 8; ++i) {
        NodeBody body;
        body.json.text = R"({"text":")" + std::string(8 << 10, 'x') + "\"}";
        const NodeKey key = transaction->next_node(plan);
        insert_node(*transaction, node_row(plan, key, NodeType::stage, "s" + std::to_string(i)), body);
    }
    transaction->commit();
    return plan;
}

void delete_plan(Fixture& f, PlanKey plan) {
    auto transaction = f.store().write({}, {});
    change(*transaction, plan, [](ChangeSet& changes) { changes.deletes_plan = true; });
    transaction->commit();
}

}  // namespace

TEST_CASE("compacting gives back what was deleted, and says how much") {
    Fixture f;
    const auto before = size_of(f);
    const PlanKey plan = add_plan(f, "large", 400);
    delete_plan(f, plan);
    REQUIRE(size_of(f) > before + 400'000);
    const std::int64_t freed = f.store().compact(false, {});
    CHECK(freed > 300'000);
    CHECK(size_of(f) < before + 100'000);
    CHECK(f.store().check({}).empty());
    CHECK(f.read()->plans().size() == 1);
    // There is nothing left.
    CHECK(f.store().compact(true, {}) == 0);
}

TEST_CASE("little space, or a small part, is given back only when it is asked for") {
    Fixture f;
    const PlanKey little = add_plan(f, "little", 24);
    SECTION("little") {
        delete_plan(f, little);
        CHECK(f.store().compact(false, {}) == 0);
        CHECK(f.store().compact(true, {}) > 0);
    }
    SECTION("a small part") {
        static_cast<void>(add_plan(f, "large", 800));
        const PlanKey part = add_plan(f, "part", 120);
        delete_plan(f, part);
        const auto size = size_of(f);
        CHECK(f.store().compact(false, {}) == 0);
        CHECK(size_of(f) == size);
        CHECK(f.store().compact(true, {}) > 100'000);
    }
}

TEST_CASE("a store that is not there yet has nothing to give back") {
    TempDir dir;
    const auto store = Fixture::open(dir / "t.db", {.create = true});
    CHECK(store->compact(true, {}) == 0);
    CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("space is not given back while somebody else writes, unless they are waited for") {
    Fixture f;
    const PlanKey plan = add_plan(f, "large", 400);
    delete_plan(f, plan);
    const auto other = Fixture::open(f.path());
    {
        const auto writing = other->write({}, {});
        CHECK(code_of([&] { static_cast<void>(f.store().compact(false, {})); }) == ErrorCode::locked);
        const Wait soon{.at_most = std::chrono::milliseconds(20)};
        CHECK(code_of([&] { static_cast<void>(f.store().compact(true, soon)); }) == ErrorCode::locked);
    }
    CHECK(f.store().compact(false, {}) > 0);
}

TEST_CASE("a store that is in use, was opened for reading, is gone or is protected is not compacted") {
    Fixture f;
    const auto refused = [&](Store& store) {
        return code_of([&] { static_cast<void>(store.compact(true, {})); });
    };
    SECTION("in use") {
        const auto reading = f.read();
        CHECK(refused(f.store()) == ErrorCode::internal);
    }
    SECTION("opened for reading") {
        const auto reader = Fixture::open(f.path(), {.read_only = true});
        CHECK(refused(*reader) == ErrorCode::internal);
    }
    SECTION("gone") {
        REQUIRE(::rename(f.path().c_str(), (f.dir() / "old.db").c_str()) == 0);
        CHECK_THAT(message_of([&] { static_cast<void>(f.store().compact(true, {})); }),
                   Contains("removed or replaced"));
    }
    SECTION("gone while it waits") {
        const auto other = Fixture::open(f.path());
        auto writing = other->write({}, {});
        Wait patience{.at_most = std::chrono::seconds(60)};
        patience.give_up = [&] {
            if (!writing) return false;
            REQUIRE(::rename(f.path().c_str(), (f.dir() / "old.db").c_str()) == 0);
            writing.reset();
            return false;
        };
        CHECK_THAT(message_of([&] { static_cast<void>(f.store().compact(true, patience)); }),
                   Contains("removed or replaced"));
    }
    SECTION("protected") {
        f.close();
        ::chmod(f.path().c_str(), 0444);
        ::chmod((f.path() + ".lock").c_str(), 0666);
        ::chmod(f.dir().path().c_str(), 0755);
        const std::string answer = as_nobody([&] {
            return message_of([&] { static_cast<void>(Fixture::open(f.path())->compact(true, {})); });
        });
        CHECK_THAT(answer, Contains("cannot be written; check its permissions"));
    }
}
