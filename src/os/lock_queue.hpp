// SPDX-License-Identifier: Apache-2.0
// The order in which those that wait for a lock get it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace turboci {

/// A queue among processes without a word of it on disk: who waits holds a lock (F_OFD_SETLK) on one byte of
/// the lock file, far behind its text, and that byte's number is its ticket. The kernel takes the ticket away
/// when the waiter dies. Not for network file systems, where such locks and flock(2) are of one kind.
class LockQueue {
public:
    LockQueue() = default;
    ~LockQueue() { leave(); }
    LockQueue(const LockQueue&) = delete;
    LockQueue& operator=(const LockQueue&) = delete;

    using Time = std::chrono::steady_clock::time_point;
    /// So long the first in the queue may leave a lock alone before the next one looks whether it is free.
    static constexpr std::chrono::milliseconds kPatience{50};

    /// Does anybody wait? False where there can be no queue.
    [[nodiscard]] static bool is_used(int fd) noexcept;

    /// Takes the last place. `fd` must be open for writing, and stay open; false if there is no queue to be
    /// had.
    [[nodiscard]] bool join(int fd) noexcept;
    void leave() noexcept;
    [[nodiscard]] bool joined() const noexcept { return fd_ >= 0; }

    /// Is it this one's turn to try for the lock? The first may, always. The others only look whether those
    /// before them are able to take a free lock; who is not (stopped by a signal, say) is not waited for
    /// again.
    [[nodiscard]] bool may_try(Time now) noexcept;
    /// The lock was tried for and is held: nobody before this one is to blame for waiting.
    void saw_held(Time now) noexcept { since_ = now; }
    /// How long to sleep before the next may_try().
    [[nodiscard]] std::chrono::microseconds pause() const noexcept;

private:
    [[nodiscard]] std::optional<std::int64_t> lowest(std::int64_t from, std::int64_t to) const noexcept;

    int fd_ = -1;
    std::int64_t ticket_ = 0;
    std::int64_t passed_over_ = -1;  ///< the last ticket that is not waited for, nor any before it
    std::int64_t first_ = -1;        ///< the first ticket that is waited for, when last looked
    std::int64_t second_ = -1;       ///< the one after it; our own if there is none
    Time since_{};                   ///< since when `first_` could have taken a free lock
};

}  // namespace turboci
