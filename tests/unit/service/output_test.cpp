// SPDX-License-Identifier: Apache-2.0
// What attempts print, kept in the store, and workers.
#include "domain/log_place.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::World;
using namespace std::chrono_literals;

namespace {

/// A plan whose stage s runs, for somebody who has its token.
struct Printing {
    World w;
    std::string token;

    explicit Printing(const std::string& rest = "") {
        w.write("stages: [{id: s}" + rest + "]");
        token = w.claim("s").claimed.at(0).token;
    }
    std::int64_t append(std::int64_t seq, const std::string& data) {
        return w.service->append_output({token, seq, data});
    }
    Error refused(std::int64_t seq, const std::string& data) {
        try {
            append(seq, data);
        } catch (const Error& error) {
            return error;
        }
        throw std::logic_error("the part was taken");
    }
    void end(std::int64_t bytes, std::int64_t dropped = 0) {
        WriteNodes r = World::request("stages: [{id: s, attempt: {state: COMPLETE}}]");
        change(r.stages, 0, [&](StageWrite& write) {
            HolderWord& word = write.attempt->holder.emplace();
            word.identity = "w";
            word.log = LogPlace{{}, bytes, dropped};
        });
        w.write(r);
    }
    std::string read(const std::function<void(ReadOutput&)>& say = [](ReadOutput&) {}) {
        ReadOutput request;
        request.plan = "p";
        request.stage = "s";
        request.idx = 1;
        say(request);
        std::string text;
        w.service->read_output(request, [&](const OutputPart& part) {
            CHECK(part.next > part.offset);
            text += part.bytes;
        });
        return text;
    }
    Error unread() {
        try {
            static_cast<void>(read());
        } catch (const Error& error) {
            return error;
        }
        throw std::logic_error("it was read");
    }
};

}  // namespace

TEST_CASE("Output comes in parts by number, and none twice") {
    Printing p;
    CHECK(p.read().empty());
    CHECK(p.append(0, "one\ntwo\n") == 1);
    CHECK(p.append(0, "one\ntwo\n") == 1);
    CHECK(p.append(1, "three\n") == 2);
    CHECK(p.append(2, "") == 2);
    const Error early = p.refused(4, "x");
    CHECK(early.code() == ErrorCode::invalid_argument);
    CHECK_THAT(early.what(), Contains("2 is expected next"));
    CHECK(p.refused(2, std::string(kMaxOutputPart + 1, 'x')).code() == ErrorCode::invalid_argument);
    CHECK(p.read() == "one\ntwo\nthree\n");
    CHECK(p.read([](ReadOutput& r) { r.offset = 4; }) == "two\nthree\n");
    CHECK(p.read([](ReadOutput& r) { r.offset = 99; }).empty());
    CHECK(p.read([](ReadOutput& r) { r.tail_lines = 2; }) == "two\nthree\n");
    CHECK(p.read([](ReadOutput& r) { r.tail_lines = 0; }).empty());
    CHECK(p.read([](ReadOutput& r) { r.tail_lines = 9; }) == "one\ntwo\nthree\n");
    CHECK(p.read([](ReadOutput& r) { r.tail_bytes = 3; }) == "ee\n");
    CHECK(p.w.version() == 3);  // no write of the plan
    p.end(14);
    CHECK(p.w.stage("s").attempts.at(0).log == LogPlace{{}, 14, 0});
    CHECK(p.read() == "one\ntwo\nthree\n");
}

TEST_CASE("Of a long output the beginning and the end are kept") {
    Printing p;
    const std::string block(kMaxOutputPart, 'x');
    for (std::int64_t i = 0; i < 20; ++i) p.append(i, std::to_string(i % 10) + block.substr(1));
    p.append(20, "end\n");
    const std::string text = p.read(), line = left_out_line(4 * std::int64_t{kMaxOutputPart});
    const auto mib = static_cast<std::int64_t>(kMaxOutputPart);
    REQUIRE(text.size() == 16 * kMaxOutputPart + line.size() + 4);
    CHECK(text.substr(4 * kMaxOutputPart, line.size()) == line);
    CHECK(text[4 * kMaxOutputPart + line.size()] == '8');
    CHECK(p.read([](ReadOutput& r) { r.tail_lines = 1; }) == text);  // it is one line
    CHECK(p.read([](ReadOutput& r) { r.tail_bytes = 5; }) == "xend\n");
    // Who reads on after what is gone by now is told so, too.
    std::vector<std::int64_t> offsets;
    ReadOutput request{.plan = "p", .stage = "s", .idx = 1, .offset = 5 * mib};
    p.w.service->read_output(request, [&](const OutputPart& part) { offsets.push_back(part.offset); });
    CHECK(offsets.at(0) == 5 * mib);
    CHECK(offsets.at(1) == 8 * mib);
}

TEST_CASE("Only who holds the attempt adds to its output, and not long after its end") {
    Printing p;
    CHECK(p.append(0, "a") == 1);
    p.end(1);
    CHECK(p.append(1, "b") == 2);
    p.w.clock.advance(11min);
    CHECK(p.refused(2, "c").code() == ErrorCode::invalid_state);
    CHECK(p.read() == "ab");
    Printing q;
    const std::string other = q.token;
    p.token = other;  // of another store
    CHECK(p.refused(0, "x").code() == ErrorCode::conflict);
    p.token = "word";
    CHECK(p.refused(0, "x").code() == ErrorCode::invalid_argument);
    q.w.service->delete_plan("p", true);
    const Error gone = q.refused(0, "x");
    CHECK(gone.code() == ErrorCode::conflict);
    CHECK(gone.reason() == "ATTEMPT_GONE");
}

TEST_CASE("An output that is not there is told from one that is gone") {
    Printing p;
    CHECK(p.read().empty());  // it may come
    p.w.complete("s");
    CHECK_THAT(p.unread().what(), Contains("stage:s attempt 1 has no log"));
    Printing q;
    q.end(5);
    CHECK_THAT(q.unread().what(), Contains("the log of stage:s attempt 1 is gone"));
    Printing nothing;
    nothing.end(0);
    CHECK(nothing.read().empty());
    ReadOutput other{.plan = "p", .stage = "s", .idx = 7};
    CHECK_THROWS_WITH(nothing.w.service->read_output(other, [](const OutputPart&) {}),
                      Contains("there is no stage:s attempt 7"));
}

TEST_CASE("The output of what was carried over is found where it ran") {
    Printing p(", {id: t}");
    p.append(0, "hello\n");
    p.end(6);
    p.w.break_stage("t");
    RerunPlan again;
    again.plan = "p";
    again.id = "p2";
    p.w.service->rerun_plan(again);
    const auto of_new = [](ReadOutput& r) { r.plan = "p2"; };
    CHECK(p.read(of_new) == "hello\n");
    p.w.service->delete_plan("p", false);
    ReadOutput request{.plan = "p2", .stage = "s", .idx = 1};
    CHECK_THROWS_WITH(p.w.service->read_output(request, [](const OutputPart&) {}),
                      Contains("gone with plan p, where it ran"));
}

TEST_CASE("Workers are listed with what they hold, and drained by name or identity") {
    World w;
    w.write("stages: [{id: s}, {id: t}]");
    const auto beat = [&](const std::string& holder, const std::string& name) {
        return w.service->beat({.holder = holder, .name = name, .runners = {"gpu"}});
    };
    CHECK_FALSE(beat("w", "b"));
    w.clock.advance(1s);
    CHECK_FALSE(beat("x", "a"));
    CHECK_FALSE(beat("run", ""));
    w.claim("s", "w");
    w.claim("t", "w");
    auto workers = w.service->workers();
    REQUIRE(workers.size() == 2);
    CHECK(workers[0].name == "a");
    CHECK(workers[0].held == 0);
    CHECK(workers[1].held == 2);
    CHECK(workers[1].runners == std::vector<std::string>{"gpu"});
    CHECK(workers[1].last_seen < workers[0].last_seen);
    w.service->drain_worker("b");
    CHECK(beat("w", "b"));
    w.service->drain_worker("x");
    CHECK(beat("x", "a"));
    CHECK(w.service->workers()[0].draining);
    w.service->end_beats("x");
    CHECK(w.service->workers().size() == 1);
    CHECK_THROWS_WITH(w.service->drain_worker("c"), Contains("there is no worker"));
    CHECK_THROWS_WITH(beat("y", "a\nb"), Contains("no worker can have the name"));
    CHECK_THROWS_WITH(beat("", "a"), Contains("without an identity"));
    CHECK_THROWS_WITH(w.service->beat({.holder = "y", .runners = {"a\nb"}}), Contains("control character"));
}
