// SPDX-License-Identifier: Apache-2.0
// An exclusive lock among processes that the kernel frees when its holder dies.
#pragma once

#include <string>

#include "os/files.hpp"
#include "os/lock_queue.hpp"
#include "turboci/wait.hpp"

namespace turboci {

/// flock(2) on a file of its own, which is created when missing and stays. The file holds one line
/// about its last holder: advice for people, trusted by nobody. Destruction unlocks. Those that wait get it
/// in the order in which they came (LockQueue); programs that know nothing of the queue are locked out all
/// the same.
class FileLock {
public:
    /// When Wait::on_wait is called.
    static constexpr Duration kPatience = std::chrono::seconds(1);

    /// `command` goes into the file for others to read.
    FileLock(std::string path, std::string command) : path_(std::move(path)), command_(std::move(command)) {}

    /// LOCKED when the wait is over, naming the holder; STORE if the lock file is not a regular file with one
    /// name or cannot be opened. INTERNAL if already held.
    void acquire(const Wait& how);
    void release() noexcept;
    /// Also takes the file away if this object has made it: where nothing came about that needs a lock.
    void release_and_remove() noexcept;
    [[nodiscard]] bool held() const noexcept { return held_; }

private:
    void open_file();
    [[noreturn]] void refuse_odd_file() const;
    void refuse_more_names(const struct stat& s);
    /// One try, which also gives back the place in the queue if it succeeds. Makes sure that the file that
    /// was locked is still the one of that name.
    [[nodiscard]] bool try_once(LockQueue& queue);
    void wait(LockQueue& queue, const Wait& how);
    [[noreturn]] void refuse_locked() const;
    void write_holder();
    [[nodiscard]] std::string read_holder() const;

    std::string path_;
    std::string command_;
    UniqueFd fd_;
    std::int64_t size_ = 0;  ///< of the file when it was locked
    bool held_ = false;
    bool made_ = false;  ///< the file that is open was made by this object
};

}  // namespace turboci
