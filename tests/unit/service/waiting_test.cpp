// SPDX-License-Identifier: Apache-2.0
// How calls of the service wait for others.
#include <chrono>
#include <future>
#include <thread>

#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using std::chrono::hours;
using std::chrono::milliseconds;
using turboci::test::World;

namespace {

template <class Call>
ErrorCode refusal_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    throw std::logic_error("the call was not refused");
}

/// A second store at the file of a world, as another process has it.
class Other {
public:
    explicit Other(const World& w) : store(open_store(w.dir / "plan.db", {.clock = &w.clock})) {}
    std::unique_ptr<Store> store;
    LocalService service{*store};
};

}  // namespace

TEST_CASE("The same service waits for each caller as that one wants") {
    World w("");
    Other other(w);
    int asked = 0;
    const auto impatient = other.service.with({.at_most = Duration::zero()});
    const auto cancelled = other.service.with({.at_most = hours(1), .give_up = [&] { return ++asked == 2; }});
    {
        const auto busy = w.store->write("p", {});
        CHECK(refusal_of([&] { impatient->write_nodes(World::request("checks: [{id: a}]")); }) ==
              ErrorCode::locked);
        CHECK(refusal_of([&] { cancelled->delete_plan("p", true); }) == ErrorCode::locked);
        CHECK(asked == 2);
        CHECK(impatient->get_plan("p").version == 1);
    }
    CHECK(impatient->write_nodes(World::request("checks: [{id: a}]")).plan.version == 2);
    CHECK(other.service.write_nodes(World::request("checks: [{id: b}]")).plan.version == 3);
}

TEST_CASE("A service waits as it was made to, where a caller says nothing else") {
    World w("");
    ServiceOptions options;
    options.wait = {.at_most = milliseconds(30)};
    const auto store = open_store(w.dir / "plan.db");
    const auto service = make_local_service(*store, options);
    const auto busy = w.store->write("p", {});
    CHECK(refusal_of([&] { static_cast<void>(service->beat({.holder = "me"})); }) == ErrorCode::locked);
}

TEST_CASE(
    "A watch tells of a change of another process, ends after its time, and when its caller goes away") {
    World w("");
    Other other(w);
    CHECK(other.service.watch("p", 0, hours(1)).version == 1);
    CHECK(other.service.watch("@latest", 1, milliseconds(30)).version == 1);
    int asked = 0;
    const auto leaving = other.service.with({.give_up = [&] { return ++asked == 2; }});
    CHECK(leaving->watch("p", 1, hours(1)).version == 1);
    CHECK(asked == 2);
    auto seen = std::async(std::launch::async, [&] { return other.service.watch("p", 1, hours(1)).version; });
    std::this_thread::sleep_for(milliseconds(40));
    w.write("checks: [{id: a}]");
    CHECK(seen.get() == 2);
    CHECK(refusal_of([&] { static_cast<void>(other.service.watch("none", 0, {})); }) == ErrorCode::not_found);
}
