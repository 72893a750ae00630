// SPDX-License-Identifier: Apache-2.0
// What is to happen later, on one thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace turboci::server {

/// Thread-safe. Not for work: what is called must be quick and must not throw.
class Timers {
public:
    using Clock = std::chrono::steady_clock;

    Timers();
    ~Timers();
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;

    /// Calls `ring` once at that time or soon after, from the timers' thread, unless `owner` has expired
    /// then: what it belongs to is gone.
    void at(Clock::time_point when, std::weak_ptr<void> owner, std::function<void()> ring);

private:
    struct Timer {
        std::weak_ptr<void> owner;
        std::function<void()> ring;
    };
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<Clock::time_point, Timer> timers_;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace turboci::server
