// SPDX-License-Identifier: Apache-2.0
// The storage interface: a store, and a unit of work on it. Hides the database entirely.
//
// For who writes a store: a second one implements Store and UnitOfWork and runs tests/store/ unchanged. The
// cost of each call follows the rows that it returns or changes, never the size of the plan.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/changes.hpp"

namespace turboci {

/// Which nodes of a plan a scan hands over, and what of them. A condition that is empty says nothing; of
/// several all must hold, and of a list one. The store looks at them, and reads what they leave out as little
/// as it can.
struct NodeScan {
    const std::vector<NodeKey>* keys = nullptr;  ///< ascending, of nodes that there are
    std::optional<NodeType> type = {};
    std::vector<State> states = {};
    std::vector<Outcome> outcomes = {};
    std::vector<std::string> kinds = {};  ///< of checks
    std::vector<std::string> ids = {};    ///< fnmatch(3) patterns
    std::size_t limit = static_cast<std::size_t>(-1);
    NodeParts parts = {};
};
/// Takes some nodes that follow one another, by key, and may empty them to save a copy. It must not call the
/// store. False: no more are wanted.
using TakeNodes = std::function<bool(std::span<NodeRecord> nodes)>;

/// What a unit of work did so far; for tests and benchmarks of the cost of a write.
struct StoreStatistics {
    std::int64_t trips = 0;       ///< calls that a store on another machine answers with one message
    std::int64_t statements = 0;  ///< statements executed
    std::int64_t rows = 0;        ///< rows read and written
};

/// A transaction. Reads see one consistent state; nothing is written unless commit() returns.
/// The destructor rolls back. Not thread-safe. Errors are thrown as Error (STORE unless said otherwise).
class UnitOfWork {
public:
    virtual ~UnitOfWork() = default;

    /// Adds changes to the transaction, whose reads see them from then on. Returns the plan's key. CONFLICT
    /// if a new plan's id exists; INTERNAL in a unit of work for reading.
    virtual PlanKey apply(const ChangeSet& changes) = 0;
    /// Makes everything durable: after it returns, neither crash nor power cut loses it. At most once.
    virtual void commit() = 0;
    [[nodiscard]] virtual StoreStatistics statistics() const = 0;

    /// Random, of the store; a copy of it has the same.
    [[nodiscard]] virtual std::string identity() = 0;

    // ---- signs of life of holders
    virtual void beat(std::string_view holder, Timestamp at) = 0;  ///< the latest one is kept
    /// Forgets a holder, and all that were silent since `before`.
    virtual void forget_beats(std::string_view holder, Timestamp before) = 0;

    // ---- plans
    [[nodiscard]] virtual std::optional<PlanRow> find_plan(std::string_view id) = 0;
    [[nodiscard]] virtual std::vector<PlanRow> plans() = 0;  ///< by key
    virtual void delete_plan(PlanKey plan) = 0;              ///< with everything in it

    // ---- nodes
    /// The key that the next inserted node should have; keys are never used twice.
    [[nodiscard]] virtual NodeKey next_node_key() = 0;
    /// Answers questions about a plan, all in one trip.
    [[nodiscard]] virtual Facts load(PlanKey plan, const Lookup& lookup) = 0;
    /// Hands over nodes with what belongs to them, by key, to the calling thread.
    virtual void scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) = 0;

    // ---- the record
    /// All operations of the plan, by op_id.
    [[nodiscard]] virtual std::vector<OperationRow> operations(PlanKey plan) = 0;
    /// Changes with version > since, of `node` alone if given, in the order in which they were recorded,
    /// until `visit` returns false.
    virtual void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                          const std::function<bool(const LogEntry&)>& visit) = 0;
};

enum class Access : std::uint8_t { read, write };

/// What Store::check() found. Empty means sound.
struct StoreProblem {
    std::string message;
};

/// A place that keeps plans. begin() is lock and transaction in one value.
class Store {
public:
    virtual ~Store() = default;
    /// Write access is exclusive among all processes and is waited for up to the lock timeout, then LOCKED.
    /// Read access never waits for writers that only hold the lock.
    [[nodiscard]] virtual std::unique_ptr<UnitOfWork> begin(Access access) = 0;
    /// The database's own integrity check and that of the schema; state rules are the service's to check.
    [[nodiscard]] virtual std::vector<StoreProblem> check() = 0;
    /// A consistent copy in a new file (CONFLICT if it exists), readable as a store.
    virtual void backup(const std::string& path) = 0;
};

/// How a store is opened.
struct StoreOptions {
    std::string path;        ///< any path; made absolute
    bool create = false;     ///< if there is no file, the first commit makes it; else NOT_FOUND
    bool read_only = false;  ///< never writes; begin(Access::write) is INTERNAL
    Duration lock_timeout = std::chrono::seconds(10);
    std::string command;  ///< advice for others in the lock file: what runs here
    /// For reading large plans, at most; 0: as many as there are processors, up to 4. 1 if the program has
    /// set SQLite to be used by one thread.
    int read_threads = 0;
    /// Called once when the lock has been waited for longer than 1 s; gets who holds it, as far as is known.
    std::function<void(const std::string& holder)> on_wait;
    /// Asked while the lock, or a file that another program reads, is waited for, from the waiting thread;
    /// true ends the wait at once (LOCKED). Must not throw.
    std::function<bool()> give_up;
    /// Called after an older schema was upgraded, with one sentence for each step.
    std::function<void(const std::string& sentence)> on_upgrade;
};

/// Opens the SQLite store. NOT_FOUND if absent and not to be created; STORE if it is not a turboci store,
/// is newer than this program, damaged, not a regular file with one link, or cannot be read or written.
/// An older schema is upgraded in one transaction (under the lock), for readers too.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(StoreOptions options);

/// A store that lives as long as the object, in this process; for tests and trials.
[[nodiscard]] std::unique_ptr<Store> open_memory_store();

}  // namespace turboci
