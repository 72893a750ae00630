// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_store.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "store/memory/memory_transaction.hpp"
#include "store/openers.hpp"
#include "store/poll.hpp"
#include "turboci/error.hpp"
#include "turboci/work_plan.hpp"

namespace turboci::memory {

namespace {

constexpr PollPauses kLockPauses{std::chrono::milliseconds(1), std::chrono::milliseconds(25)};
constexpr Duration kPatience = std::chrono::seconds(1);

}  // namespace

Shared::Shared() : data_(std::make_shared<const Data>(new_identity())) {}

std::shared_ptr<const Data> Shared::data() {
    const std::lock_guard lock(mutex_);
    return data_;
}

void Shared::publish(std::shared_ptr<const Data> data) {
    const std::lock_guard lock(mutex_);
    data_.swap(data);
}

bool Shared::start_writing() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(has_writer_, true);
}

void Shared::stop_writing() {
    const std::lock_guard lock(mutex_);
    has_writer_ = false;
}

MemoryStore::MemoryStore(std::shared_ptr<Shared> shared, StoreOptions options)
    : shared_(std::move(shared)),
      options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      statistics_(options_.statistics != nullptr ? *options_.statistics : own_statistics_) {}

void MemoryStore::require_idle() const {
    if (in_use_) throw Error(ErrorCode::internal, "a transaction is open already");
}

std::unique_ptr<Transaction> MemoryStore::begin(bool writes) {
    in_use_ = true;
    return std::make_unique<MemoryTransaction>(
        shared_->data(), clock_, statistics_,
        [shared = shared_](std::shared_ptr<const Data> data) { shared->publish(std::move(data)); },
        [this, writes] {
            in_use_ = false;
            if (writes) shared_->stop_writing();
        });
}

std::unique_ptr<Snapshot> MemoryStore::read(const Wait&) {
    require_idle();
    return begin(false);
}

std::unique_ptr<Transaction> MemoryStore::write(std::string_view plan, const Wait& wait) {
    static_cast<void>(plan);  // there is one lock
    require_idle();
    if (options_.read_only) throw Error(ErrorCode::internal, "the store was opened for reading");
    const auto say_after = std::chrono::steady_clock::now() + kPatience;
    bool said = !wait.on_wait;
    const bool is_ours = poll(wait, kLockPauses, [&] {
        if (shared_->start_writing()) return true;
        if (!said && std::chrono::steady_clock::now() >= say_after) {
            said = true;
            wait.on_wait({});
        }
        return false;
    });
    if (!is_ours)
        throw Error(ErrorCode::locked, "another transaction writes to the store in memory",
                    "wait until it is done");
    return begin(true);
}

bool MemoryStore::wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) {
    require_idle();
    if (plan.empty())
        return poll(patience, kChangePauses, [&] {
            auto now = shared_->data();
            return std::exchange(told_, now) != now;
        });
    std::optional<std::string> identity;
    return poll(patience, kChangePauses, [&] {
        const auto row = shared_->data()->find_plan(plan);
        if (!row || row->version != seen || row->identity != identity.value_or(row->identity)) return true;
        identity = row->identity;
        return false;
    });
}

void MemoryStore::backup(const std::string&, const Wait&) {
    throw Error(ErrorCode::internal, "a store in memory cannot be copied to a file");
}

}  // namespace turboci::memory

namespace turboci {

std::unique_ptr<Store> open_memory_store(StoreOptions options) {
    return std::make_unique<memory::MemoryStore>(std::make_shared<memory::Shared>(), std::move(options));
}

}  // namespace turboci
