// SPDX-License-Identifier: Apache-2.0
#include "server/timers.hpp"

#include <utility>

namespace turboci::server {

Timers::Timers() : thread_([this] { run(); }) {}

Timers::~Timers() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Timers::at(Clock::time_point when, std::weak_ptr<void> owner, std::function<void()> ring) {
    {
        const std::lock_guard lock(mutex_);
        timers_.emplace(when, Timer{std::move(owner), std::move(ring)});
    }
    changed_.notify_all();
}

void Timers::run() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        if (timers_.empty()) {
            changed_.wait(lock);
            continue;
        }
        const auto next = timers_.begin();
        if (next->first > Clock::now()) {
            changed_.wait_until(lock, next->first);
            continue;
        }
        const Timer timer = std::move(next->second);
        timers_.erase(next);
        lock.unlock();
        // Held while it is called.
        if (const auto owner = timer.owner.lock()) timer.ring();
        lock.lock();
    }
}

}  // namespace turboci::server
