// SPDX-License-Identifier: Apache-2.0
// What a store's URL opens.
#include <unistd.h>

#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;

TEST_CASE("a path is an SQLite file, with sqlite: before it too") {
    Fixture f;
    CHECK(open_store("sqlite:" + f.path())->read({})->find_plan("p"));
    CHECK(open_store(f.path())->read({})->find_plan("p"));
    CHECK(code_of([&] { static_cast<void>(open_store("sqlite:" + (f.dir() / "none.db"))); }) ==
          ErrorCode::not_found);
    CHECK(store_file("sqlite:" + f.path()) == f.path());
    CHECK(store_file(f.path()) == f.path());
    CHECK(store_file("memory:") == "memory:");
}

TEST_CASE("each store in memory is a new one, and has no name") {
    const auto store = open_store("memory:");
    auto transaction = store->write("p", {});
    static_cast<void>(insert_plan(*transaction, plan_row("p")));
    transaction->commit();
    transaction.reset();
    CHECK(store->read({})->find_plan("p"));
    CHECK(open_store("memory:")->read({})->plans().empty());
    CHECK(code_of([] { static_cast<void>(open_store("memory:name")); }) == ErrorCode::usage);
}

TEST_CASE("a scheme that is none of ours is refused with those that there are, before anything is touched") {
    const auto open = [](const std::string& url) { static_cast<void>(open_store(url, {.create = true})); };
    CHECK(code_of([&] { open("mysql://host/plans"); }) == ErrorCode::usage);
    const std::string message = message_of([&] { open("mysql://host/plans"); });
    CHECK_THAT(message, Contains("'mysql://'") && Contains("sqlite:") && Contains("memory:"));
    CHECK(code_of([&] { open("grpc+unix:///run/turboci"); }) == ErrorCode::usage);
}

TEST_CASE("a path with colons in it is a path all the same") {
    TempDir dir;
    for (const char* name : {"a:b.db", "mysql:plans", ":memory:"}) {
        const std::string path = dir / name;
        open_store(path, {.create = true})->write({}, {})->commit();
        CHECK(::access(path.c_str(), F_OK) == 0);
    }
}
