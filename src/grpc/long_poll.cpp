// SPDX-License-Identifier: Apache-2.0
#include "grpc/long_poll.hpp"

#include <algorithm>
#include <utility>

namespace turboci::rpc {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBeforeDeadline{50};

}  // namespace

void LongPoll::start(const CallPtr& call, const std::string& plan, Duration wait, Try attempt) {
    const std::shared_ptr<LongPoll> poll(new LongPoll(call, std::move(attempt)));
    const auto left = call->deadline() - std::chrono::system_clock::now() - kBeforeDeadline;
    poll->until_ = Clock::now() +
                   std::max(std::min<std::chrono::nanoseconds>(wait, left), std::chrono::nanoseconds::zero());
    const std::weak_ptr<LongPoll> weak = poll;
    call->on_end([weak] {
        if (const auto self = weak.lock()) self->over();
    });
    poll->watch_ = call->host().watchers().add(plan, [weak] {
        if (const auto self = weak.lock()) self->wake_at(Clock::now());
    });
    call->host().enter(poll);
    std::unique_lock lock(poll->mutex_);
    poll->try_now(lock);
}

void LongPoll::wake_at(Clock::time_point when) {
    const std::weak_ptr<LongPoll> weak = weak_from_this();
    call_->host().timers().at(when, weak, [weak] {
        if (const auto self = weak.lock()) self->wake();
    });
}

void LongPoll::try_now(std::unique_lock<std::mutex>& lock) {
    trying_ = true;
    moved_ = false;
    const bool last = draining_ || Clock::now() >= until_;
    lock.unlock();
    const auto self = shared_from_this();
    call_->guard([&] { try_(self, last); });
    lock.lock();
}

void LongPoll::wake() {
    std::unique_lock lock(mutex_);
    moved_ = true;
    if (!trying_ && !over_) try_now(lock);
}

void LongPoll::again(Duration at_most) {
    std::unique_lock lock(mutex_);
    if (over_) return;
    trying_ = false;
    if (moved_ || draining_ || Clock::now() >= until_) return try_now(lock);
    wake_at(std::min(until_, Clock::now() + at_most));
}

void LongPoll::over() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    call_->host().leave(shared_from_this());
}

void LongPoll::drain() {
    std::unique_lock lock(mutex_);
    draining_ = true;
    if (!trying_ && !over_) try_now(lock);
}

}  // namespace turboci::rpc
