// SPDX-License-Identifier: Apache-2.0
// What all calls of a server share.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "server/identities.hpp"
#include "server/metrics.hpp"
#include "server/reader_pool.hpp"
#include "server/ticker.hpp"
#include "server/timers.hpp"
#include "server/watchers.hpp"
#include "server/write_queue.hpp"
#include "turboci/runner.hpp"

namespace turboci::rpc {

struct HostOptions {
    std::string store_url;
    std::size_t readers = 2;
    std::size_t waiting_reads = 1024;
    server::QueueLimits queue;
    server::Ticker::Options ticker;
    Duration lock_timeout = std::chrono::seconds(10);
    Duration lost_after = ServiceOptions::kLostAfter;
    Duration watch_heartbeat = std::chrono::seconds(30);
    RunnerProbe probe;       ///< as in ServiceOptions
    OpenOutput open_output;  ///< likewise
    /// Who may call. Absent: whoever reaches the server may do everything.
    std::optional<server::Identities> identities;
    std::function<void(const std::string& line)> log;  ///< one JSON object a line; thread-safe
};

/// A call that stays open until something happens: a watch, a claim that waits.
class LongCall {
public:
    virtual ~LongCall() = default;
    /// The server stops. Must not wait.
    virtual void drain() = 0;
};

/// Thread-safe.
class Host {
public:
    /// Opens the store, and makes it if it is absent. Throws what open_store() throws.
    explicit Host(HostOptions options);
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    [[nodiscard]] const HostOptions& options() const noexcept { return options_; }
    [[nodiscard]] const std::string& store_identity() const noexcept { return store_identity_; }
    [[nodiscard]] server::WriteQueue& writes() noexcept { return *writes_; }
    [[nodiscard]] server::ReaderPool& readers() noexcept { return *readers_; }
    [[nodiscard]] server::Watchers& watchers() noexcept { return watchers_; }
    [[nodiscard]] server::Metrics& metrics() noexcept { return metrics_; }
    [[nodiscard]] server::Timers& timers() noexcept { return timers_; }
    [[nodiscard]] std::shared_ptr<const server::Identities> identities() const;
    void set_identities(server::Identities identities);
    void log(const std::string& line) const {
        if (options_.log) options_.log(line);
    }

    /// Ends long calls from now on, those that are open and those that come.
    void drain();
    [[nodiscard]] bool is_draining() const;
    /// The call is told when the server stops. Keeps it alive until leave().
    void enter(const std::shared_ptr<LongCall>& call);
    void leave(const std::shared_ptr<LongCall>& call);
    /// Does what waits, and ends all threads. No calls after it.
    void close();

private:
    /// Plans are chosen by their whole ids.
    [[nodiscard]] ServiceOptions service_options() const;
    [[nodiscard]] server::Reader open_reader() const;
    void tick(const std::string& plan);

    HostOptions options_;
    std::string store_identity_;
    server::Metrics metrics_;
    server::Watchers watchers_;
    server::Timers timers_;
    mutable std::mutex mutex_;
    std::shared_ptr<const server::Identities> identities_;
    std::set<std::shared_ptr<LongCall>> long_calls_;
    bool draining_ = false;
    std::unique_ptr<Store> store_;  ///< the writer's
    std::unique_ptr<Service> service_;
    std::unique_ptr<server::WriteQueue> writes_;
    std::unique_ptr<server::ReaderPool> readers_;
    std::unique_ptr<server::ForeignCommits> foreign_;
    std::unique_ptr<server::Ticker> ticker_;
};

}  // namespace turboci::rpc
