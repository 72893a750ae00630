// SPDX-License-Identifier: Apache-2.0
// A clock that tests set.
#pragma once

#include <chrono>

#include "turboci/time.hpp"

namespace turboci::test {

/// Wall and steady clock move together unless a test says otherwise.
class FakeClock final : public Clock {
public:
    [[nodiscard]] ClockReading read() const override { return reading; }
    void advance(Duration d) {
        reading.wall += d;
        reading.since_boot += d;
    }
    ClockReading reading{parse_timestamp("2026-01-02T03:04:05.000000Z").value(), std::chrono::seconds(1000),
                         "boot-1"};
};

}  // namespace turboci::test
