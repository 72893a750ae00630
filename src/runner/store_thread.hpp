// SPDX-License-Identifier: Apache-2.0
// The thread that talks to the store, so that waiting for a lock or a disk does not hold up the rest.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace turboci {

/// Runs one job at a time in a thread of its own. The owner submits a job, goes on with other things, is
/// told by `on_done` (called in that thread) and calls finish(). Between submit() and finish() the owner
/// must not touch what the job works on.
class StoreThread {
public:
    /// Not `threaded`: submit() itself does the job, for tests that need one order of events. It does so too
    /// where no thread can be started.
    explicit StoreThread(std::function<void()> on_done, bool threaded = true);
    /// Waits for a job under way.
    ~StoreThread();
    StoreThread(const StoreThread&) = delete;
    StoreThread& operator=(const StoreThread&) = delete;

    void submit(std::function<void()> job);
    /// Does the job before it returns, in the owner's thread: where nothing else is to be done meanwhile,
    /// that saves waking two threads. `on_done` is called and finish() is needed all the same.
    void do_here(const std::function<void()>& job);
    /// A job was submitted and not yet finished.
    [[nodiscard]] bool busy() const noexcept { return busy_; }
    /// Is a submitted job done, so that finish() need not wait?
    [[nodiscard]] bool done();
    /// Waits for the job and throws what it threw.
    void finish();

private:
    void work();
    void do_job(const std::function<void()>& job);

    std::function<void()> on_done_;
    bool threaded_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> job_;   // guarded by mutex_
    bool done_ = false;           // guarded by mutex_
    bool stop_ = false;           // guarded by mutex_
    std::exception_ptr failure_;  // guarded by mutex_
    bool busy_ = false;           // the owner's
    std::thread thread_;          // last: it uses all of the above
};

}  // namespace turboci
