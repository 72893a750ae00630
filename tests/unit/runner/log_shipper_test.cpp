// SPDX-License-Identifier: Apache-2.0
// What a run prints on its way to a store elsewhere.
#include "runner/log_shipper.hpp"
#include "domain/log_place.hpp"
#include "executor_fixture.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;

namespace {

/// A stage that somebody holds, and its log.
struct Shipping {
    RunFixture f{"stages: [{id: s}]"};
    LogShipper shipper{*f.endpoint};
    LogDirectory logs{f.options.store_path, "p", f.endpoint->get_plan("p").identity};
    std::shared_ptr<LogShipper::Feed> feed;

    Shipping() {
        WriteNodes request;
        request.plan = "p";
        Claim& claim = request.claim.emplace();
        claim.stages = {"s"};
        claim.process_uid = claim.holder = "me";
        const auto claimed = f.endpoint->write_nodes(request).claimed;
        feed = shipper.feed(claimed.at(0).token, logs.log_of("s", 1, 1 << 20));
    }
    void send() {
        shipper.collect();
        shipper.send();
    }
    std::string in_store() {
        ReadOutput request{.plan = "p", .stage = "s", .idx = 1};
        std::string text;
        f.endpoint->read_output(request, [&](const OutputPart& part) { text += part.bytes; });
        return text;
    }
};

}  // namespace

TEST_CASE("What a command prints goes to its file and to the store, each byte once") {
    Shipping s;
    s.feed->write("one\n");
    s.send();
    CHECK(s.in_store() == "one\n");
    s.send();
    s.feed->write("two\n");
    s.feed->write(std::string(LogShipper::kPartBytes + 5, 'x'));
    const LogPlace place = s.shipper.end(*s.feed);
    CHECK(place == LogPlace{{}, 8 + static_cast<std::int64_t>(LogShipper::kPartBytes) + 5, 0});
    CHECK(s.shipper.has_unsent());
    s.send();
    CHECK_FALSE(s.shipper.has_unsent());
    CHECK(s.in_store().size() == static_cast<std::size_t>(place.bytes));
}

TEST_CASE("What the store cannot take now is sent later, in order") {
    Shipping s;
    s.feed->write("one\n");
    s.f.store->refuse = 1;
    s.send();
    CHECK(s.shipper.has_unsent());
    s.feed->write("two\n");
    s.send();
    CHECK(s.in_store() == "one\ntwo\n");
}

TEST_CASE("Of what cannot be sent for long the beginning and the end are kept") {
    Shipping s;
    const std::string block(1 << 20, 'x');
    s.feed->write("begin\n");
    for (int i = 0; i < 40; ++i) s.feed->write(block);
    s.feed->write("end\n");
    s.send();
    const std::string text = s.in_store();
    CHECK(text.starts_with("begin\n"));
    CHECK(text.ends_with("end\n"));
    CHECK(text.find(" bytes left out ...") != std::string::npos);
    CHECK(text.size() < 17 * block.size());
}

TEST_CASE("A store that takes no more of an attempt is not asked again") {
    Shipping s;
    s.feed->write("one\n");
    s.f.endpoint->delete_plan("p", true);
    s.send();
    CHECK_FALSE(s.shipper.has_unsent());
    s.feed->write("two\n");
    s.send();
    CHECK_FALSE(s.shipper.has_unsent());
    CHECK(s.shipper.end(*s.feed).bytes == 4);
}

TEST_CASE("A run on a store elsewhere leaves its output there, before its ends") {
    RunFixture f("stages: [{id: a, args: {command: [ok, 5s]}}, {id: b, args: {command: [fail]}}]");
    f.options.ship_logs = true;
    CHECK(f.run().exit_code == 1);
    for (const char* stage : {"a", "b"}) {
        const Attempt attempt = f.stage(stage).attempts.at(0);
        REQUIRE(attempt.log);
        CHECK(attempt.log->path.empty());
        std::string text;
        f.endpoint->read_output({.plan = "p", .stage = stage, .idx = 1},
                                [&](const OutputPart& part) { text += part.bytes; });
        CHECK(text == "output of " + std::string(stage) + "\n");
        CHECK(attempt.log->bytes == static_cast<std::int64_t>(text.size()));
    }
}
