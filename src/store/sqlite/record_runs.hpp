// SPDX-License-Identifier: Apache-2.0
// All nodes of a large plan, read by several threads.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/sqlite/record_reader.hpp"

namespace turboci::sqlite {

/// Connections that see what a first one sees, one for each further thread. Nobody can have written between
/// the beginnings of their transactions: the first one keeps all others from committing.
class Beside {
public:
    /// `first` is in a transaction for reading. `threads`: see StoreOptions::read_threads.
    Beside(const Database& first, int threads);
    /// How many threads can read, the first among them.
    [[nodiscard]] std::size_t threads() const noexcept { return own_.size() + 1; }
    /// The connection of a thread, from 1 on, to be called there; null if there is none to be had.
    [[nodiscard]] Database* of(std::size_t thread);

private:
    [[nodiscard]] std::unique_ptr<Database> open() const;

    std::string path_;
    struct stat file_ {};
    std::vector<std::unique_ptr<Database>> own_;  ///< by thread; each touches its own alone
};

/// UnitOfWork::read_runs(): the table of the nodes is loaded in parts as well, and shared. `beside` is made
/// where it is needed: not if `threads` is 1, nor for a small plan. The others are as for read_records().
void read_runs(Database& db, int threads, std::unique_ptr<Beside>& beside, PlanKey plan, NodeType type,
               const NodeParts& parts, const std::function<std::int64_t()>& next_key,
               std::unique_ptr<NodeTable>& cache, RecordRuns& runs);

}  // namespace turboci::sqlite
