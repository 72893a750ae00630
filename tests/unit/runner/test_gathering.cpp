// SPDX-License-Identifier: Apache-2.0
#include "runner/gathering.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace std::chrono_literals;

namespace {

/// Commands have taken 700 µs and writes 900 µs so far.
Gathering experienced() {
    Gathering g;
    g.command_took(700us);
    g.write_took(900us);
    return g;
}

}  // namespace

TEST_CASE("An end waits for another that is likely to come before a write could be over") {
    Gathering g = experienced();
    g.running_since(100us, 500us);
    CHECK(g.held_until(500us) == 1400us);
    // One that is late is still expected, for as long as the first end is held.
    g.running_since(100us, 1300us);
    CHECK(g.held_until(1300us) == 1400us);
    g.running_since(100us, 1400us);
    CHECK_FALSE(g.held_until(1400us));
}

TEST_CASE("No end waits when nothing runs, or nothing is known yet") {
    Gathering g = experienced();
    CHECK_FALSE(g.held_until(500us));
    Gathering unknowing;
    unknowing.running_since(100us, 500us);
    CHECK_FALSE(unknowing.held_until(500us));
    unknowing.command_took(700us);
    unknowing.running_since(100us, 500us);
    CHECK_FALSE(unknowing.held_until(500us));
}

TEST_CASE("No end waits for a command that will run for long, be it that all do or that this one does") {
    Gathering g = experienced();
    g.running_since(0us, 1500us);
    CHECK_FALSE(g.held_until(1500us));
    Gathering slow;
    slow.command_took(2s);
    slow.write_took(900us);
    slow.running_since(0s, 1s);
    CHECK_FALSE(slow.held_until(1s));
    // What is known to end in a moment is worth the moment.
    slow.running_since(0s, 1'999'500us);
    CHECK(slow.held_until(1'999'500us) == 2'000'400us);
}

TEST_CASE("Several running commands are waited for as long as the first of them is due") {
    Gathering g = experienced();
    g.running_since(0us, 100us);
    g.running_since(90us, 100us);
    CHECK(g.held_until(100us) == 1000us);
    g.running_since(90us, 800us);
    CHECK(g.held_until(800us) == 1000us);
    g.release();
    // A new end, a new time.
    g.running_since(800us, 900us);
    CHECK(g.held_until(900us) == 1800us);
}

TEST_CASE("However slow writes are, no end is held for longer than nobody would notice") {
    Gathering g;
    g.command_took(700us);
    for (int i = 0; i < 10; ++i) g.write_took(1s);
    g.running_since(0us, 100us);
    CHECK(g.held_until(100us) == 100us + Gathering::kLongest);
}

TEST_CASE("What is usual follows what was measured last") {
    Gathering g = experienced();
    for (int i = 0; i < 30; ++i) g.command_took(1h);
    g.running_since(0us, 100us);
    CHECK_FALSE(g.held_until(100us));
    for (int i = 0; i < 100; ++i) g.command_took(500us);
    g.running_since(0us, 100us);
    CHECK(g.held_until(100us) == 1000us);
}
