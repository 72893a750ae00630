// SPDX-License-Identifier: Apache-2.0
// A unary call that waits: it tries again whenever its plan moves.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "grpc/call.hpp"

namespace turboci::rpc {

/// Tries until a try ends the call, or the time is over.
class LongPoll final : public LongCall, public std::enable_shared_from_this<LongPoll> {
public:
    /// Begins a try; `last`: the time is over, and it must end the call. It ends the call, or calls again(),
    /// once, from any thread.
    using Try = std::function<void(const std::shared_ptr<LongPoll>& poll, bool last)>;

    /// `plan`: whose moves are waited for; empty: any. `wait` is shortened so that the answer comes before
    /// the caller's own deadline.
    static void start(const CallPtr& call, const std::string& plan, Duration wait, Try attempt);

    /// The last try found nothing. Tries when the plan moves, or after `at_most`.
    void again(Duration at_most);
    void drain() override;

private:
    LongPoll(CallPtr call, Try attempt) : call_(std::move(call)), try_(std::move(attempt)) {}
    /// On the timers' thread: who wakes must not wait.
    void wake_at(std::chrono::steady_clock::time_point when);
    void wake();
    void over();
    void try_now(std::unique_lock<std::mutex>& lock);

    CallPtr call_;
    Try try_;
    std::unique_ptr<server::Watchers::Watch> watch_;
    std::mutex mutex_;
    std::chrono::steady_clock::time_point until_;
    bool trying_ = true, moved_ = false, over_ = false, draining_ = false;
};

}  // namespace turboci::rpc
