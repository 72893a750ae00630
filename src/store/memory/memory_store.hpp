// SPDX-License-Identifier: Apache-2.0
// A store in memory. Several Store objects may share what it holds, as processes share a file.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
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
    /// False: there is a writer.
    [[nodiscard]] bool start_writing();
    void stop_writing();

private:
    std::mutex mutex_;
    std::shared_ptr<const Data> data_;
    bool has_writer_ = false;
};

class MemoryStore final : public Store {
public:
    explicit MemoryStore(std::shared_ptr<Shared> shared, StoreOptions options = {});

    [[nodiscard]] std::unique_ptr<Snapshot> read(const Wait& wait) override;
    [[nodiscard]] std::unique_ptr<Transaction> write(std::string_view plan, const Wait& wait) override;
    bool wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) override;
    [[nodiscard]] std::vector<StoreProblem> check(const Wait&) override { return {}; }
    void backup(const std::string& path, const Wait& wait) override;
    std::int64_t compact(bool, const Wait&) override { return 0; }

private:
    [[nodiscard]] std::unique_ptr<Transaction> begin(bool writes);
    void require_idle() const;

    std::shared_ptr<Shared> shared_;
    StoreOptions options_;
    const Clock& clock_;
    StoreStatistics own_statistics_;
    StoreStatistics& statistics_;
    bool in_use_ = false;
    std::shared_ptr<const Data> told_;  ///< see wait_for_change()
};

}  // namespace turboci::memory
