// SPDX-License-Identifier: Apache-2.0
#include "turboci/time.hpp"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace turboci {

namespace {

Duration read_clock(clockid_t id) {
    timespec ts{};
    clock_gettime(id, &ts);
    return std::chrono::duration_cast<Duration>(std::chrono::seconds(ts.tv_sec) +
                                                std::chrono::nanoseconds(ts.tv_nsec));
}

class SystemClock final : public Clock {
public:
    [[nodiscard]] ClockReading read() const override {
        // A container may have a time of its own since boot, and shares the store with others all the same.
        const std::optional<Duration> offset = boot_time_offset();
        return {Timestamp(read_clock(CLOCK_REALTIME)),
                read_clock(CLOCK_BOOTTIME) - offset.value_or(Duration::zero()),
                offset ? current_boot_id() : std::string()};
    }
};

constexpr Duration kMaxDuration = std::chrono::hours(24 * 3653);
struct Unit {
    std::string_view name;
    Duration length;
};
constexpr std::array<Unit, 5> kUnits{{
    {"d", std::chrono::hours(24)},
    {"h", std::chrono::hours(1)},
    {"m", std::chrono::minutes(1)},
    {"s", std::chrono::seconds(1)},
    {"ms", std::chrono::milliseconds(1)},
}};

}  // namespace

const Clock& system_clock() {
    static const SystemClock kClock;
    return kClock;
}

Timestamp plan_time(const ClockAnchor& last, const ClockReading& now) {
    Timestamp time = now.wall;
    if (!last.boot_id.empty() && last.boot_id == now.boot_id && now.since_boot >= last.since_boot) {
        const Duration elapsed = now.since_boot - last.since_boot;
        const Timestamp expected = last.time + elapsed;
        const Duration tolerance = std::chrono::seconds(2) + elapsed / 1000;
        const Duration off = now.wall > expected ? now.wall - expected : expected - now.wall;
        if (off > tolerance) time = expected;
    }
    return std::max(time, last.time);
}

std::string format_timestamp(Timestamp t) {
    using namespace std::chrono;
    const auto day = floor<days>(t);
    const year_month_day date(day);
    const hh_mm_ss clock(t - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
    using namespace std::chrono;
    constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    if (text.size() != kForm.size()) return std::nullopt;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return std::nullopt;
    }
    const auto number = [&](std::size_t from, std::size_t count) {
        int value = 0;
        std::from_chars(text.data() + from, text.data() + from + count, value);
        return value;
    };
    const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                              day(static_cast<unsigned>(number(8, 2))));
    const int h = number(11, 2), m = number(14, 2), s = number(17, 2);
    if (!date.ok() || h > 23 || m > 59 || s > 59) return std::nullopt;
    return Timestamp(sys_days(date)) + hours(h) + minutes(m) + seconds(s) + microseconds(number(20, 6));
}

std::optional<Duration> parse_duration(std::string_view text) {
    Duration sum{0};
    // Each unit at most once, the longest first: "1h30m".
    auto unit = kUnits.begin();
    do {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (error != std::errc() || end == text.data() || text.front() == '-') return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const std::string_view name = text.substr(0, text.find_first_of("0123456789"));
        unit = std::find_if(unit, kUnits.end(), [&](const Unit& u) { return u.name == name; });
        if (unit == kUnits.end() || count > (kMaxDuration - sum) / unit->length) return std::nullopt;
        sum += unit->length * count;
        text.remove_prefix(name.size());
        ++unit;
    } while (!text.empty());
    return sum;
}

std::string format_duration(Duration d) {
    const Duration rounded = std::chrono::round<std::chrono::milliseconds>(d);
    for (const auto& [name, length] : kUnits)
        if (name != "d" && rounded >= length && rounded % length == Duration::zero())
            return fmt::format("{}{}", rounded / length, name);
    return "0s";
}

}  // namespace turboci
