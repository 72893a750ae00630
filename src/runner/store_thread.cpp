// SPDX-License-Identifier: Apache-2.0
#include "runner/store_thread.hpp"

#include <system_error>
#include <utility>

namespace turboci {

StoreThread::StoreThread(std::function<void()> on_done, bool threaded)
    : on_done_(std::move(on_done)), threaded_(threaded) {
    if (!threaded_) return;
    try {
        thread_ = std::thread([this] { work(); });
    } catch (const std::system_error&) {
        // A limit of processes or of memory (ulimit -u, -v): slower, and all the same.
        threaded_ = false;
    }
}

StoreThread::~StoreThread() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void StoreThread::submit(std::function<void()> job) {
    if (!threaded_) return do_here(job);
    busy_ = true;
    {
        const std::lock_guard lock(mutex_);
        job_ = std::move(job);
        done_ = false;
    }
    changed_.notify_all();
}

void StoreThread::do_here(const std::function<void()>& job) {
    busy_ = true;
    do_job(job);
}

bool StoreThread::done() {
    const std::lock_guard lock(mutex_);
    return busy_ && done_;
}

void StoreThread::finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    busy_ = false;
    done_ = false;
    if (const std::exception_ptr failure = std::exchange(failure_, nullptr)) std::rethrow_exception(failure);
}

void StoreThread::work() {
    while (true) {
        std::function<void()> job;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stop_ || job_; });
            if (!job_) return;
            job = std::exchange(job_, nullptr);
        }
        do_job(job);
        changed_.notify_all();
    }
}

void StoreThread::do_job(const std::function<void()>& job) {
    std::exception_ptr failure;
    try {
        job();
    } catch (...) {
        failure = std::current_exception();
    }
    {
        const std::lock_guard lock(mutex_);
        failure_ = failure;
        done_ = true;
    }
    on_done_();
}

}  // namespace turboci
