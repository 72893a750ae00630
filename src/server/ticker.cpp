// SPDX-License-Identifier: Apache-2.0
#include "server/ticker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "turboci/error.hpp"

namespace turboci::server {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Ticker::Ticker(std::unique_ptr<Store> store, std::function<void(const std::string&)> tick, Options options)
    : store_(std::move(store)), tick_(std::move(tick)), options_(options), thread_([this] { run(); }) {}

Ticker::~Ticker() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    stop_.notify_all();
    thread_.join();
}

void Ticker::run() {
    // A store of very many plans is looked at less often: at most a twentieth of the time.
    constexpr int kShare = 20;
    auto runners_at = Clock::now() + options_.first_runners_after;
    Duration pause = options_.deadlines_every;
    while (true) {
        {
            std::unique_lock lock(mutex_);
            if (stop_.wait_for(lock, pause, [this] { return stopped_; })) return;
        }
        const auto start = Clock::now();
        const bool at_runners = start >= runners_at;
        if (at_runners) runners_at = start + options_.runners_every;
        try {
            look(at_runners);
        } catch (const Error&) {
            // The next look sees it.
        }
        const auto took = std::chrono::duration_cast<Duration>(Clock::now() - start);
        pause = std::max(options_.deadlines_every, kShare * took);
    }
}

void Ticker::look(bool at_runners) {
    std::vector<std::string> plans;
    {
        const auto snapshot = store_->read({});
        const ClockReading now = snapshot->now();
        for (const PlanRow& plan : snapshot->plans()) {
            Lookup lookup;
            lookup.overdue = plan_time(plan.clock, now);
            lookup.held = at_runners;
            const Facts facts = snapshot->load(plan.key, lookup);
            if (!facts.overdue.empty() || !facts.held.empty()) plans.push_back(plan.id);
        }
    }
    for (const std::string& plan : plans) tick_(plan);
}

}  // namespace turboci::server
