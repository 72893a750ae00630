// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_store.hpp"

#include <utility>

#include "store/memory/memory_unit.hpp"
#include "turboci/error.hpp"
#include "turboci/work_plan.hpp"

namespace turboci::memory {

Shared::Shared() : data_(std::make_shared<const Data>(new_identity())) {}

std::shared_ptr<const Data> Shared::data() {
    const std::lock_guard lock(mutex_);
    return data_;
}

void Shared::publish(std::shared_ptr<const Data> data) {
    const std::lock_guard lock(mutex_);
    data_.swap(data);
}

void Shared::start_writing() {
    const std::lock_guard lock(mutex_);
    if (has_writer_) throw Error(ErrorCode::locked, "another unit of work writes to the store in memory");
    has_writer_ = true;
}

void Shared::stop_writing() {
    const std::lock_guard lock(mutex_);
    has_writer_ = false;
}

std::unique_ptr<UnitOfWork> MemoryStore::begin(Access access) {
    if (in_use_) throw Error(ErrorCode::internal, "a unit of work is open already");
    if (access == Access::write && read_only_)
        throw Error(ErrorCode::internal, "the store was opened for reading");
    if (access == Access::write) shared_->start_writing();
    in_use_ = true;
    return std::make_unique<MemoryUnitOfWork>(
        shared_->data(), access,
        [shared = shared_](std::shared_ptr<const Data> data) { shared->publish(std::move(data)); },
        [this, access] {
            in_use_ = false;
            if (access == Access::write) shared_->stop_writing();
        });
}

void MemoryStore::backup(const std::string&) {
    throw Error(ErrorCode::internal, "a store in memory cannot be copied to a file");
}

}  // namespace turboci::memory

namespace turboci {

std::unique_ptr<Store> open_memory_store() {
    return std::make_unique<memory::MemoryStore>(std::make_shared<memory::Shared>());
}

}  // namespace turboci
