// SPDX-License-Identifier: Apache-2.0
// A store in memory. Several Store objects may share what it holds, as processes share a file.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/memory/memory_data.hpp"
#include "turboci/store.hpp"

namespace turboci::memory {

/// The committed state, which is never changed: a commit puts another in its place.
class Shared {
public:
    Shared();
    [[nodiscard]] std::shared_ptr<const Data> data();
    void publish(std::shared_ptr<const Data> data);
    /// LOCKED if there is a writer.
    void start_writing();
    void stop_writing();

private:
    std::mutex mutex_;
    std::shared_ptr<const Data> data_;
    bool has_writer_ = false;
};

class MemoryStore final : public Store {
public:
    explicit MemoryStore(std::shared_ptr<Shared> shared, bool read_only = false)
        : shared_(std::move(shared)), read_only_(read_only) {}

    [[nodiscard]] std::unique_ptr<UnitOfWork> begin(Access access) override;
    [[nodiscard]] std::vector<StoreProblem> check() override { return {}; }
    void backup(const std::string& path) override;

private:
    std::shared_ptr<Shared> shared_;
    bool read_only_;
    bool in_use_ = false;
};

}  // namespace turboci::memory
