// SPDX-License-Identifier: Apache-2.0
// The one writer of a server: what waits is committed together.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "turboci/requests.hpp"
#include "turboci/service.hpp"

namespace turboci::server {

/// Nodes of one plan as they are after a commit.
class WrittenNodes final : public NodeSink {
public:
    /// nullptr: it is not there, or nobody asked for it.
    [[nodiscard]] const Check* find_check(const std::string& id) const;
    [[nodiscard]] const Stage* find_stage(const std::string& id) const;

    void plan(const WorkPlan& /*plan*/) override {}
    void check(const Check& check) override { checks_.insert_or_assign(check.id, check); }
    void stage(const Stage& stage) override { stages_.insert_or_assign(stage.id, stage); }

private:
    std::unordered_map<std::string, Check> checks_;
    std::unordered_map<std::string, Stage> stages_;
};

/// A write that may be committed together with others.
struct QueuedWrite {
    WriteNodes request;
    /// Nodes to read after the commit, for `done`: those of a batch by one reading, since each reading of a
    /// store may hold up the next commit.
    std::vector<RefText> shown;
    std::size_t bytes = 0;             ///< of the request as it came
    std::function<bool()> is_dropped;  ///< asked just before it is begun; true: nobody waits for it any more
    /// Called once, after the commit: what is told is durable. ErrorCode::pending if it was dropped. Must not
    /// throw, nor wait.
    std::function<void(BatchAnswer answer, const WrittenNodes& nodes)> done;
};

/// Anything else that changes the store; it is alone in its transactions.
struct QueuedCall {
    std::size_t bytes = 0;
    std::function<bool()> is_dropped;
    /// Gets the service. What it throws goes to `failed`.
    std::function<void(Service& service)> call;
    /// Also when it was dropped, or never begun.
    std::function<void(const Error& error)> failed;
};

/// What one commit was.
struct BatchReport {
    std::size_t writes = 0;                       ///< that were committed together
    std::chrono::microseconds took{0};            ///< lock, transaction and commit
    std::chrono::microseconds longest_waited{0};  ///< of its members, before it was begun
};

/// How much a queue takes. Beyond it push() says no.
struct QueueLimits {
    std::size_t requests = 1024;                 ///< that wait
    std::size_t bytes = std::size_t{256} << 20;  ///< of those that wait
    std::size_t batch_requests = 256;
    std::size_t batch_bytes = std::size_t{4} << 20;
    std::size_t alone_nodes = 10'000;  ///< a write of more nodes is alone in its transaction
};

/// Group commit (as databases have it): while a transaction is being made durable others gather, and are
/// the next one; a lone write waits for nobody. Each has its own version, record, op_id and error. The
/// store's lock is given up between two batches, so that other processes have their turn. Thread-safe.
class WriteQueue {
public:
    using Limits = QueueLimits;
    struct Observer {
        std::function<void(const BatchReport&)> committed;    ///< from the writer's thread
        std::function<void(const WorkPlan&)> plan_has_moved;  ///< likewise: a new version is durable
    };

    /// `service` is called from the queue's thread alone, and must outlive it.
    WriteQueue(Service& service, Observer observer, Limits limits = {});
    /// As close().
    ~WriteQueue();
    WriteQueue(const WriteQueue&) = delete;
    WriteQueue& operator=(const WriteQueue&) = delete;

    /// False: it is full, or closed; `done` or `failed` is not called then.
    [[nodiscard]] bool push(QueuedWrite write);
    [[nodiscard]] bool push(QueuedCall call);
    /// Takes nothing more, does what waits, and returns when all of it is done.
    void close();
    [[nodiscard]] std::size_t waiting() const;

private:
    using Job = std::variant<QueuedWrite, QueuedCall>;
    struct Entry {
        Job job;
        std::chrono::steady_clock::time_point since;
    };

    template <class Queued>
    bool push_job(Queued&& job);
    void run();
    /// The jobs of the next transaction.
    [[nodiscard]] std::vector<Entry> next_batch(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] bool joins(const QueuedWrite& write) const;
    void write_together(std::vector<Entry> batch);
    void call_alone(QueuedCall& call);

    Service& service_;
    Observer observer_;
    Limits limits_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Entry> entries_;
    std::size_t bytes_ = 0;
    bool closed_ = false;
    std::thread thread_;
};

}  // namespace turboci::server
