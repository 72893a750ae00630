// SPDX-License-Identifier: Apache-2.0
#include "server/reader_pool.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace turboci::server {

ReaderPool::ReaderPool(std::size_t threads, std::size_t limit, std::function<Reader()> open)
    : limit_(limit), open_(std::move(open)) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ReaderPool::~ReaderPool() { close(); }

void ReaderPool::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_)
        if (thread.joinable()) thread.join();
}

bool ReaderPool::push_below(std::size_t limit, Entry entry) {
    {
        const std::lock_guard lock(mutex_);
        if (closed_ || entries_.size() >= limit) return false;
        entries_.push_back(std::move(entry));
    }
    changed_.notify_one();
    return true;
}

bool ReaderPool::push(Job job, std::function<void(const Error&)> failed) {
    return push_below(limit_, {std::move(job), std::move(failed)});
}

bool ReaderPool::push_admitted(Job job, std::function<void(const Error&)> failed) {
    return push_below(static_cast<std::size_t>(-1), {std::move(job), std::move(failed)});
}

void ReaderPool::run() {
    std::optional<Reader> reader;
    while (true) {
        Entry entry;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return closed_ || !entries_.empty(); });
            if (entries_.empty()) return;
            entry = std::move(entries_.front());
            entries_.pop_front();
        }
        try {
            if (!reader) reader = open_();
        } catch (const Error& error) {
            entry.failed(error);
            continue;
        } catch (const std::exception& error) {
            entry.failed(Error(ErrorCode::internal, error.what()));
            continue;
        }
        entry.job(*reader);
    }
}

}  // namespace turboci::server
