// SPDX-License-Identifier: Apache-2.0
// The storage interface: a store, a snapshot of it, and a transaction on it. Hides the database entirely.
//
// For who writes a store: a second one implements these three, has a line in src/store/open_store.cpp, and
// runs tests/store/contract/ unchanged. The cost of each call follows the rows that it returns or changes,
// never the size of the plan.
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
#include "turboci/time.hpp"
#include "turboci/wait.hpp"

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

/// For tests and benchmarks: what the transaction that is open did so far, or else the last one.
struct StoreStatistics {
    std::int64_t trips = 0;       ///< calls that a store on another machine answers with one message
    std::int64_t statements = 0;  ///< statements executed
    std::int64_t rows = 0;        ///< rows read and written
};

/// What there is of a store as a whole.
struct StoreRow {
    std::string identity;  ///< random; a copy of the store has the same
};

/// One consistent state of a store, for reading. Not thread-safe. Errors are thrown as Error (STORE unless
/// said otherwise), here and below.
class Snapshot {
public:
    virtual ~Snapshot() = default;

    /// The store's clocks, read anew by each call.
    [[nodiscard]] virtual ClockReading now() = 0;
    [[nodiscard]] virtual StoreRow store() = 0;
    [[nodiscard]] virtual std::optional<PlanRow> find_plan(std::string_view id) = 0;
    [[nodiscard]] virtual std::vector<PlanRow> plans() = 0;  ///< by key
    /// The key that the next inserted node of a plan that there is should have, or the first one of the next
    /// new plan, if `plan` is none. Keys are never used twice.
    [[nodiscard]] virtual NodeKey next_node(PlanKey plan) = 0;
    /// Answers questions about a plan, all in one trip.
    [[nodiscard]] virtual Facts load(PlanKey plan, const Lookup& lookup) = 0;
    /// Hands over nodes with what belongs to them, by key, to the calling thread.
    virtual void scan(PlanKey plan, const NodeScan& what, const TakeNodes& take) = 0;
    /// Changes with version > since, of `node` alone if given, in the order in which they were recorded,
    /// until `visit` returns false.
    virtual void read_log(PlanKey plan, std::optional<NodeKey> node, std::int64_t since,
                          const std::function<bool(const LogEntry&)>& visit) = 0;
};

/// A snapshot that can be changed; its reads see the changes. Nothing is written unless commit() returns: the
/// destructor rolls back.
class Transaction : public Snapshot {
public:
    /// Returns the plan's key. CONFLICT if a new plan's id exists. What is wrong with the rows may be thrown
    /// by a later call, at the latest by commit().
    virtual PlanKey apply(const ChangeSet& changes) = 0;
    /// Makes everything durable: after it returns, neither crash nor power cut loses it. At most once.
    virtual void commit() = 0;
    /// Ends it without writing anything, instead of commit(). After it returns, neither crash nor power cut
    /// loses what was read here, as Store::flush() says.
    virtual void abandon() {}
};

/// What Store::check() found. Empty means sound.
struct StoreProblem {
    std::string message;
};

/// A place that keeps plans. It has one snapshot or transaction at a time, and no other call meanwhile.
class Store {
public:
    virtual ~Store() = default;
    /// Never waits for a writer that only holds the lock.
    [[nodiscard]] virtual std::unique_ptr<Snapshot> read(const Wait& wait) = 0;
    /// Lock and transaction in one value: exclusive among all processes, LOCKED if `wait` is over, which
    /// holds for the commit too. `plan` is the id of the plan that is to be written, as far as it is known: a
    /// store may lock that one alone, and one that find_plan() finds.
    [[nodiscard]] virtual std::unique_ptr<Transaction> write(std::string_view plan, const Wait& wait) = 0;
    /// Returns once the plan of that id is gone, is another, or has another version than `seen`; or when
    /// `patience` is over, which is no error. True: there is something to see. An empty `plan` is any: once
    /// anything may have been committed since the last such call, which the first one says at once.
    virtual bool wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) = 0;
    /// After it returns, neither crash nor power cut loses what was read before, which others may have
    /// written without having waited for the disk yet. Nothing to do where readers see only what is durable.
    virtual void flush() {}

    /// The database's own integrity check and that of the schema; state rules are the service's to check.
    [[nodiscard]] virtual std::vector<StoreProblem> check(const Wait& wait) = 0;
    /// A consistent copy in a new file (CONFLICT if it exists), readable as a store.
    virtual void backup(const std::string& path, const Wait& wait) = 0;
    /// Gives the space of what was deleted back to the file system; returns how many bytes. Without `at_once`
    /// only if that is a good part of the store, and nobody writes. What fails leaves the store as it was.
    virtual std::int64_t compact(bool at_once, const Wait& wait) = 0;
};

/// How a store is opened.
struct StoreOptions {
    bool create = false;     ///< if there is none, the first commit makes it; else NOT_FOUND
    bool read_only = false;  ///< never writes; Store::write() is INTERNAL
    std::string command;     ///< advice for others who wait: what runs here
    /// For reading large plans, at most; 0: as many as there are processors, up to 4. 1 if the program has
    /// set SQLite to be used by one thread.
    int read_threads = 0;
    const Clock* clock = nullptr;  ///< null: the machine's. Must outlive the store, as `statistics` must
    /// Called after an older schema was upgraded, with one sentence for each step.
    std::function<void(const std::string& sentence)> on_upgrade = {};
    StoreStatistics* statistics = nullptr;
};

/// Opens the store that `url` names:
///   PATH, sqlite:PATH   an SQLite file. NOT_FOUND if absent and not to be created; STORE if it is not a
///                       turboci store, is newer than this program, damaged, not a regular file with one
///                       link, or cannot be read or written. An older schema is upgraded in one transaction
///                       (under the lock), for readers too.
///   postgresql://…      tables in a database, as 'turboci store init' makes them, in programs that link the
///                       client of that server. NOT_FOUND if there are none; nothing is made here.
///   memory:             a new one that lives as long as the object, in this process: for tests and trials.
/// USAGE for another SCHEME://. A path that begins so is written with ./ before it.
[[nodiscard]] std::unique_ptr<Store> open_store(const std::string& url, StoreOptions options = {},
                                                const Wait& wait = {});

/// Makes an empty store where the URL says; CONFLICT if there is one. INVALID_ARGUMENT for one that the first
/// plan makes: a file, or memory. Returns what a role that works with it must be granted, in SQL.
std::vector<std::string> init_store(const std::string& url);

/// Is the store that `url` names on a server that this program can reach, and no file?
[[nodiscard]] bool is_server_store(const std::string& url);

/// The file that a store's URL names; another URL as it is.
[[nodiscard]] std::string store_file(const std::string& url);

}  // namespace turboci
