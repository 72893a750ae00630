// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "os/files.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

constexpr std::size_t kMaxHolderBytes = 512;
// Where there is no queue.
constexpr Duration kFirstPause = std::chrono::milliseconds(1);
constexpr Duration kLongestPause = std::chrono::milliseconds(25);

std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    if (text.size() > kMaxHolderBytes / 2) text.resize(kMaxHolderBytes / 2);
    return text;
}

}  // namespace

void FileLock::open_file() {
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    UniqueFd fd;
    int error = 0;
    made_ = false;
    do {
        fd.reset(::open(path_.c_str(), kFlags));
        if (!fd && errno == ENOENT) {
            fd.reset(::open(path_.c_str(), kFlags | O_CREAT | O_EXCL, 0600));
            made_ = static_cast<bool>(fd);
        }
        error = fd ? 0 : errno;
    } while (error == EEXIST);  // somebody was faster
    if (!fd) {
        if (error == ELOOP)
            throw Error(ErrorCode::store, fmt::format("the lock file '{}' is a symbolic link", path_),
                        "remove it");
        // A directory, a socket, a device without a driver.
        if (error == EISDIR || error == ENXIO || error == ENODEV) refuse_odd_file();
        throw Error(ErrorCode::store,
                    fmt::format("cannot open the lock file '{}': {}", path_, errno_text(error)),
                    "writing needs permission to create and write that file");
    }
    struct stat s {};
    if (::fstat(fd.get(), &s) != 0 || !S_ISREG(s.st_mode)) refuse_odd_file();
    refuse_more_names(s);
    // Whatever the umask: with other rights nobody could open it again.
    if (s.st_size == 0 && (s.st_mode & 0600) != 0600) static_cast<void>(::fchmod(fd.get(), 0600));
    fd_ = std::move(fd);
}

void FileLock::refuse_odd_file() const {
    throw Error(ErrorCode::store, fmt::format("the lock file '{}' is not a regular file", path_),
                "remove it");
}

/// Its text would go into a file that is also something else.
void FileLock::refuse_more_names(const struct stat& s) {
    if (s.st_nlink <= 1) return;
    fd_.reset();
    throw Error(ErrorCode::store,
                fmt::format("the lock file '{}' has {} names (hard links)", path_, s.st_nlink), "remove it");
}

bool FileLock::try_once(LockQueue& queue) {
    // A file that somebody deleted or replaced locks nobody out, so start again with the new one.
    for (;;) {
        if (!fd_) open_file();
        while (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EINTR) continue;
            if (errno == EWOULDBLOCK) return false;
            throw Error(ErrorCode::store, fmt::format("cannot lock '{}': {}", path_, errno_text(errno)),
                        "put the store on a filesystem with flock support");
        }
        queue.leave();
        struct stat mine {
        }, named{};
        if (::fstat(fd_.get(), &mine) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
            is_same_file(mine, named)) {
            refuse_more_names(mine);
            size_ = mine.st_size;
            held_ = true;
            return true;
        }
        fd_.reset();
    }
}

void FileLock::acquire(const Wait& how) {
    if (held_) throw Error(ErrorCode::internal, "the lock is held already");
    if (!fd_) open_file();
    LockQueue queue;
    // Who has a single try does not wait, and so has no place to give to others.
    const bool others_wait = how.at_most > Duration::zero() && LockQueue::is_used(fd_.get());
    if (others_wait || !try_once(queue)) wait(queue, how);
    write_holder();
}

void FileLock::wait(LockQueue& queue, const Wait& how) {
    using Monotonic = std::chrono::steady_clock;
    const auto start = Monotonic::now();
    bool told = false;
    Duration alone_pause = kFirstPause;
    while (true) {
        // The file may be another one by now, and then the queue is, too.
        if (how.at_most > Duration::zero() && !queue.joined()) static_cast<void>(queue.join(fd_.get()));
        const auto now = Monotonic::now();
        const auto waited = std::chrono::duration_cast<Duration>(now - start);
        const bool over = waited >= how.at_most || (how.give_up && how.give_up());
        // Who goes away may see whether nobody wants the lock.
        if (over || !queue.joined() || queue.may_try(now)) {
            if (try_once(queue)) return;
            queue.saw_held(now);
        }
        if (over) refuse_locked();
        if (!told && waited >= kPatience) {
            told = true;
            if (how.on_wait) how.on_wait(read_holder());
        }
        const Duration pause = queue.joined() ? queue.pause() : alone_pause;
        std::this_thread::sleep_for(std::min(pause, how.at_most - waited));
        alone_pause = std::min(alone_pause * 3 / 2, kLongestPause);
    }
}

void FileLock::refuse_locked() const {
    const std::string holder = read_holder();
    throw Error(ErrorCode::locked,
                holder.empty() ? fmt::format("'{}' is locked by another process", path_)
                               : fmt::format("'{}' is locked by {}", path_, holder),
                "wait until it is done, or raise --lock-timeout");
}

void FileLock::release() noexcept {
    if (!held_) return;
    held_ = false;
    // An unlock, not only a close: a child between fork and exec may still share the description.
    ::flock(fd_.get(), LOCK_UN);
}

void FileLock::release_and_remove() noexcept {
    struct stat mine {
    }, named{};
    // Who waits for it finds that it is not the one of that name any more, and makes it anew.
    const bool gone = held_ && made_ && ::fstat(fd_.get(), &mine) == 0 &&
                      ::lstat(path_.c_str(), &named) == 0 && is_same_file(mine, named) &&
                      ::unlink(path_.c_str()) == 0;
    release();
    if (gone) fd_.reset();
}

void FileLock::write_holder() {
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const std::string line =
        fmt::format("pid {} ({}) since {}\n", ::getpid(), one_line(command_), format_timestamp(now));
    // Advice only: a full disk must not keep anybody from a lock that is already held.
    const ssize_t n = ::pwrite(fd_.get(), line.data(), line.size(), 0);
    if (n >= 0 && n < size_) {
        [[maybe_unused]] const int ignored = ::ftruncate(fd_.get(), n);
    }
}

std::string FileLock::read_holder() const {
    std::array<char, kMaxHolderBytes> buffer{};
    const ssize_t n = ::pread(fd_.get(), buffer.data(), buffer.size(), 0);
    if (n <= 0) return {};
    const std::string_view text(buffer.data(), static_cast<std::size_t>(n));
    return one_line(std::string(text.substr(0, text.find('\n'))));
}

}  // namespace turboci
