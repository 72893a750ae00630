// SPDX-License-Identifier: Apache-2.0
// Transaction::scan(): which nodes, in which order, read by how many threads.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "store/sqlite/target_table.hpp"
#include "turboci/store.hpp"

namespace turboci::sqlite {

/// Connections that see what a first one sees, one for each further thread. Nobody can have written between
/// the beginnings of their transactions: the first one keeps all others from committing.
class FurtherConnections {
public:
    /// `first` is in a transaction for reading. `threads`: see StoreOptions::read_threads.
    FurtherConnections(const Database& first, int threads);
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

/// The scans of one transaction.
class NodeScanner {
public:
    /// `threads`: see StoreOptions::read_threads. Within a write it must be 1, since no other connection sees
    /// what was written.
    NodeScanner(Database& db, int threads) : db_(db), threads_(threads) {}
    /// `next_key` is above the keys of all nodes.
    void scan(PlanKey plan, const NodeScan& what, NodeKey next_key, const TakeNodes& take);
    /// What is kept for the next scan is not true any more.
    void forget() noexcept { targets_.reset(); }
    /// Closes all other connections.
    void close() noexcept { others_.reset(); }

private:
    [[nodiscard]] FurtherConnections& others();
    void load_targets(PlanKey plan, const KeyRange& range, std::size_t total, bool by_threads);

    Database& db_;
    int threads_;
    std::unique_ptr<TargetTable> targets_;  ///< of the plan last read as a whole
    std::unique_ptr<FurtherConnections> others_;
};

}  // namespace turboci::sqlite
