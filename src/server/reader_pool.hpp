// SPDX-License-Identifier: Apache-2.0
// The readers of a server: a few threads, each with a connection of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "turboci/service.hpp"
#include "turboci/store.hpp"

namespace turboci::server {

/// What a reader reads with. Plans are chosen by their whole ids, or, by `choosing`, as people write them.
struct Reader {
    std::unique_ptr<Store> store;
    std::unique_ptr<Service> service;
    std::unique_ptr<Service> choosing;
};

/// Thread-safe.
class ReaderPool {
public:
    using Job = std::function<void(Reader& reader)>;

    /// `open` makes the reader of one thread, in that thread, when it is first needed. What it throws goes to
    /// the job as an Error, see push().
    ReaderPool(std::size_t threads, std::size_t limit, std::function<Reader()> open);
    /// As close().
    ~ReaderPool();
    ReaderPool(const ReaderPool&) = delete;
    ReaderPool& operator=(const ReaderPool&) = delete;

    /// `job` must not throw; `failed` is called instead of it if there is no reader. False: too many wait, or
    /// the pool is closed.
    [[nodiscard]] bool push(Job job, std::function<void(const Error&)> failed);
    /// The same however many wait: for what has been admitted before.
    bool push_admitted(Job job, std::function<void(const Error&)> failed);
    /// Takes nothing more and returns when what waits is done.
    void close();

private:
    struct Entry {
        Job job;
        std::function<void(const Error&)> failed;
    };
    bool push_below(std::size_t limit, Entry entry);
    void run();

    std::size_t limit_;
    std::function<Reader()> open_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Entry> entries_;
    bool closed_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace turboci::server
