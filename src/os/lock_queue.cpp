// SPDX-License-Identifier: Apache-2.0
#include "os/lock_queue.hpp"

#include <fcntl.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace turboci {

namespace {

// Tickets begin behind everything that is ever written into a lock file.
constexpr std::int64_t kFirstByte = std::int64_t{1} << 20;
constexpr std::int64_t kNoEnd = std::int64_t{1} << 62;
// To find a place. Another program that has locked the whole file leaves none.
constexpr std::int64_t kMostTries = 1000;

constexpr std::chrono::microseconds kShortest{500};
constexpr std::chrono::microseconds kLongest{25'000};

struct flock range(short type, std::int64_t from, std::int64_t to) noexcept {
    struct flock bytes {};
    bytes.l_type = type;
    bytes.l_whence = SEEK_SET;
    bytes.l_start = static_cast<off_t>(kFirstByte + from);
    bytes.l_len = static_cast<off_t>(to - from);
    return bytes;
}

/// One of the tickets of others from `from` on that are below `to`.
std::optional<std::int64_t> any_ticket(int fd, std::int64_t from, std::int64_t to) noexcept {
    if (from >= to) return std::nullopt;
    struct flock found = range(F_WRLCK, from, to);
    if (::fcntl(fd, F_OFD_GETLK, &found) != 0 || found.l_type == F_UNLCK) return std::nullopt;
    return std::max<std::int64_t>(found.l_start - kFirstByte, from);
}

/// Over a network flock(2) locks all bytes of the file: tickets would be in its way.
bool is_on_network(int fd) noexcept {
    static constexpr std::array<std::uint32_t, 9> kNetwork{
        0x6969,      // NFS
        0x517B,      // SMB
        0xFF534D42,  // CIFS
        0xFE534D42,  // SMB 2
        0x01021997,  // 9P
        0x65735546,  // FUSE
        0x00C36400,  // Ceph
        0x5346414F,  // AFS
        0x0BD00BD0,  // Lustre
    };
    struct statfs s {};
    if (::fstatfs(fd, &s) != 0) return true;
    return std::ranges::find(kNetwork, static_cast<std::uint32_t>(s.f_type)) != kNetwork.end();
}

/// The highest ticket, or -1. A few calls even for a long queue.
std::int64_t highest(int fd) noexcept {
    std::int64_t some = -1;
    // From here on there may be more: `some` is a ticket, and none is at or above `none`.
    std::int64_t none = kNoEnd;
    for (std::int64_t step = 1; none - some > 1;) {
        const std::int64_t from =
            none == kNoEnd ? std::min(some + step, kNoEnd - 1) : some + (none - some + 1) / 2;
        if (const auto found = any_ticket(fd, from, none)) {
            some = *found;
            step = std::min(step * 2, kNoEnd / 2);
        } else {
            none = from;
        }
    }
    return some;
}

}  // namespace

bool LockQueue::is_used(int fd) noexcept { return any_ticket(fd, 0, kNoEnd).has_value(); }

bool LockQueue::join(int fd) noexcept {
    if (is_on_network(fd)) return false;
    std::int64_t ticket = highest(fd) + 1;
    for (const std::int64_t end = ticket + kMostTries;; ++ticket) {
        struct flock mine = range(F_WRLCK, ticket, ticket + 1);
        if (::fcntl(fd, F_OFD_SETLK, &mine) == 0) break;
        // Somebody was faster. Any other reason: a kernel without such locks.
        if ((errno != EAGAIN && errno != EACCES) || ticket == end) return false;
    }
    fd_ = fd;
    ticket_ = ticket;
    passed_over_ = first_ = second_ = -1;
    return true;
}

void LockQueue::leave() noexcept {
    if (!joined()) return;
    struct flock mine = range(F_UNLCK, ticket_, ticket_ + 1);
    ::fcntl(fd_, F_OFD_SETLK, &mine);
    fd_ = -1;
}

std::optional<std::int64_t> LockQueue::lowest(std::int64_t from, std::int64_t to) const noexcept {
    std::optional<std::int64_t> found;
    while (const auto lower = any_ticket(fd_, from, found ? *found : to)) found = lower;
    return found;
}

bool LockQueue::may_try(Time now) noexcept {
    while (true) {
        const std::int64_t first = lowest(passed_over_ + 1, ticket_).value_or(ticket_);
        const std::int64_t second = first == ticket_ ? ticket_ : lowest(first + 1, ticket_).value_or(ticket_);
        if (first != first_) {
            first_ = first;
            second_ = second;
            since_ = now;
        }
        if (first == ticket_) return true;
        if (second == second_) break;
        // The second has gone before the first. Most likely it has found the lock free; then it would be in
        // vain to wait for the first. If it has only given up, no harm is done: the first goes on trying.
        passed_over_ = first;
    }
    // The second looks whether the first is able to; should it be unable itself, the third, later, and so on.
    const std::int64_t place = ticket_ - first_;
    return now - since_ >= kPatience * place;
}

std::chrono::microseconds LockQueue::pause() const noexcept {
    const std::int64_t place = std::max<std::int64_t>(ticket_ - first_, 0);
    if (place == 0) return kShortest;
    return std::min<std::chrono::microseconds>(kShortest * 2 * place, kLongest);
}

}  // namespace turboci
