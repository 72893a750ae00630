// SPDX-License-Identifier: Apache-2.0
// Who waits for news of which plan. The news themselves are in the record of the store.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "turboci/store.hpp"
#include "turboci/wait.hpp"

namespace turboci::server {

/// A list of watchers for each plan: a commit wakes those of its plan and looks at no other. Thread-safe.
class Watchers {
public:
    /// Called when the plan may have another version than the watcher has seen. From any thread; must be
    /// quick, must not call the registry, must not throw.
    using Wake = std::function<void()>;
    /// Watches as long as it lives. After its destructor `wake` is not called any more, nor running, but for
    /// the call that the destructor itself runs in.
    class Watch;

    /// An empty `plan` is any.
    [[nodiscard]] std::unique_ptr<Watch> add(const std::string& plan, Wake wake);
    /// The plan has this version now, or is gone. Wakes its watchers unless they were told before.
    void moved(std::string_view plan, std::optional<std::int64_t> version);
    /// Something has moved that is not known better: wakes those who watch any plan.
    void any_moved();
    /// Plans that are watched, each once.
    [[nodiscard]] std::vector<std::string> plans() const;
    [[nodiscard]] std::size_t size() const;
    /// Returns true once somebody watches; false when `stop` was called.
    [[nodiscard]] bool wait_for_some();
    void stop();

private:
    struct Entry {
        std::mutex running;
        std::atomic<std::thread::id> by;  ///< who is calling `wake`
        Wake wake;
        bool gone = false;  ///< ended by its own call, which clears `wake` when it returns
    };
    using Entries = std::vector<std::shared_ptr<Entry>>;
    struct Plan {
        Entries entries;
        std::optional<std::int64_t> version;  ///< that was told last
        bool told = false;
    };
    [[nodiscard]] Entries of_any() const;
    static void wake(const Entries& entries);
    void remove(const std::string& plan, const std::shared_ptr<Entry>& entry);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::unordered_map<std::string, Plan> plans_;
    std::size_t count_ = 0;
    bool stopped_ = false;
};

class Watchers::Watch {
public:
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

private:
    friend class Watchers;
    Watch(Watchers& watchers, std::string plan, std::shared_ptr<Entry> entry)
        : watchers_(watchers), plan_(std::move(plan)), entry_(std::move(entry)) {}
    Watchers& watchers_;
    std::string plan_;
    std::shared_ptr<Entry> entry_;
};

/// Tells the watchers of what other processes commit to the store.
class ForeignCommits {
public:
    /// `watchers` must outlive this. What the store throws is tried again a second later.
    ForeignCommits(std::unique_ptr<Store> store, Watchers& watchers);
    ~ForeignCommits();
    ForeignCommits(const ForeignCommits&) = delete;
    ForeignCommits& operator=(const ForeignCommits&) = delete;

private:
    void run();
    void tell();

    std::unique_ptr<Store> store_;
    Watchers& watchers_;
    std::thread thread_;
};

}  // namespace turboci::server
