// SPDX-License-Identifier: Apache-2.0
#include "server/watchers.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "turboci/error.hpp"

namespace turboci::server {

std::unique_ptr<Watchers::Watch> Watchers::add(const std::string& plan, Wake wake) {
    auto entry = std::make_shared<Entry>();
    entry->wake = std::move(wake);
    {
        const std::lock_guard lock(mutex_);
        plans_[plan].entries.push_back(entry);
        ++count_;
    }
    changed_.notify_all();
    return std::unique_ptr<Watch>(new Watch(*this, plan, std::move(entry)));
}

void Watchers::remove(const std::string& plan, const std::shared_ptr<Entry>& entry) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = plans_.find(plan);
        std::erase(found->second.entries, entry);
        if (found->second.entries.empty()) plans_.erase(found);
        --count_;
    }
    // Whoever is woken may hold the last of what holds this, and let it go.
    if (entry->by == std::this_thread::get_id()) {
        entry->gone = true;
        return;
    }
    // Who is being woken right now is waited for.
    const std::lock_guard lock(entry->running);
    entry->wake = nullptr;
}

Watchers::Watch::~Watch() { watchers_.remove(plan_, entry_); }

void Watchers::wake(const Entries& entries) {
    for (const auto& entry : entries) {
        const std::lock_guard lock(entry->running);
        if (!entry->wake) continue;
        entry->by = std::this_thread::get_id();
        entry->wake();
        entry->by = std::thread::id();
        if (entry->gone) entry->wake = nullptr;
    }
}

Watchers::Entries Watchers::of_any() const {
    const auto found = plans_.find({});
    return found == plans_.end() ? Entries() : found->second.entries;
}

void Watchers::moved(std::string_view plan, std::optional<std::int64_t> version) {
    Entries entries;
    {
        const std::lock_guard lock(mutex_);
        const auto found = plans_.find(std::string(plan));
        if (found != plans_.end()) {
            Plan& watched = found->second;
            if (watched.told && watched.version == version) return;
            watched.told = true;
            watched.version = version;
            entries = watched.entries;
        }
        const Entries any = of_any();
        entries.insert(entries.end(), any.begin(), any.end());
    }
    wake(entries);
}

void Watchers::any_moved() {
    Entries entries;
    {
        const std::lock_guard lock(mutex_);
        entries = of_any();
    }
    wake(entries);
}

std::vector<std::string> Watchers::plans() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [plan, watched] : plans_)
        if (!plan.empty()) names.push_back(plan);
    return names;
}

std::size_t Watchers::size() const {
    const std::lock_guard lock(mutex_);
    return count_;
}

bool Watchers::wait_for_some() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || count_ > 0; });
    return !stopped_;
}

void Watchers::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
}

ForeignCommits::ForeignCommits(std::unique_ptr<Store> store, Watchers& watchers)
    : store_(std::move(store)), watchers_(watchers), thread_([this] { run(); }) {}

ForeignCommits::~ForeignCommits() {
    watchers_.stop();
    thread_.join();
}

void ForeignCommits::run() {
    // Short: when it is over, the thread looks whether it is to stop.
    constexpr std::chrono::milliseconds kRound{50};
    while (watchers_.wait_for_some()) {
        try {
            if (store_->wait_for_change({}, 0, {.at_most = kRound})) tell();
        } catch (const Error&) {
            std::this_thread::sleep_for(kRound);
        }
    }
}

void ForeignCommits::tell() {
    const auto snapshot = store_->read({});
    for (const std::string& plan : watchers_.plans()) {
        const auto row = snapshot->find_plan(plan);
        watchers_.moved(plan, row ? std::optional(row->version) : std::nullopt);
    }
    watchers_.any_moved();
}

}  // namespace turboci::server
