// SPDX-License-Identifier: Apache-2.0
#include "turboci/time.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace turboci;
using namespace std::chrono_literals;
using turboci::test::TempDir;

namespace {

/// A /proc that tells of a process in time namespace `space`, with another one for its children or not.
struct Proc {
    TempDir dir;
    Proc(const char* space, const char* children, const char* offsets) {
        ::mkdir((dir / "self").c_str(), 0700);
        ::mkdir((dir / "self/ns").c_str(), 0700);
        link("pid", "pid:[4026531836]");
        link("time", space);
        link("time_for_children", children);
        test::write_file(dir / "self/timens_offsets", offsets);
    }
    void link(const std::string& name, const char* target) {
        if (*target != 0) REQUIRE(::symlink(target, (dir / ("self/ns/" + name)).c_str()) == 0);
    }
    [[nodiscard]] std::optional<Duration> offset() const { return boot_time_offset(dir.path()); }
};

constexpr const char* kFirst = "time:[4026531834]";
constexpr const char* kOther = "time:[4026532177]";

}  // namespace

TEST_CASE("In the machine's own time nothing is added, whatever children will have") {
    CHECK(Proc(kFirst, kFirst, "").offset() == 0s);
    CHECK(Proc(kFirst, kOther, "monotonic 0 0\nboottime 1000 0\n").offset() == 0s);
}

TEST_CASE("What a time namespace adds is read where the kernel tells it") {
    CHECK(Proc(kOther, kOther, "monotonic 7 0\nboottime         1000         0\n").offset() == 1000s);
    CHECK(Proc(kOther, kOther, "monotonic 0 0\nboottime -1000 500000000\n").offset() == -1000s + 500ms);
    CHECK(Proc(kOther, kOther, "1 0 0\n7 30 0\n").offset() == 30s);
}

TEST_CASE("What is added is unknown where the kernel tells of other processes or nothing") {
    CHECK_FALSE(Proc(kOther, "time:[4026532178]", "boottime 1000 0\n").offset());
    CHECK_FALSE(Proc(kOther, kOther, "").offset());
    CHECK_FALSE(Proc(kOther, kOther, "boottime soon\n").offset());
    CHECK_FALSE(boot_time_offset("/nonexistent"));
}

TEST_CASE("A kernel without time namespaces has one time") { CHECK(Proc("", "", "").offset() == 0s); }

TEST_CASE("A reading that means nothing to others leaves the time to the wall clock") {
    const Timestamp start = parse_timestamp("2026-01-02T03:04:05.000006Z").value();
    const ClockReading unknown{start + 10s, 999'999s, ""};
    CHECK(plan_time({start, 100s, "boot"}, unknown) == start + 10s);
    // Neither side is known: the empty name is no boot.
    CHECK(plan_time({start, 100s, ""}, unknown) == start + 10s);
    CHECK(plan_time({start, 100s, ""}, {start - 10s, 101s, ""}) == start);
}
