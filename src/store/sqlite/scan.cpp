// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/scan.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "os/files.hpp"
#include "os/ordered_work.hpp"
#include "store/node_filter.hpp"
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/record_reader.hpp"

namespace turboci::sqlite {

namespace {

// Without NodeParts::stamps what nobody wants is left out; the columns stay in their places.
#define TURBOCI_FEW_NODE_COLUMNS                                                                 \
    "node_key, plan_key, type, id, kind, state, outcome, NULL, 0, 0, CASE WHEN state = 40 THEN " \
    "history END, group_kind, threshold, 0, 0, resolution, 0, 0, 0, required, skip_cause"
// A range of keys is what SQLite is to go through, not the index by plan, which each piece would read anew.
#define TURBOCI_IN_RANGE " FROM nodes NOT INDEXED WHERE node_key >= ?1 AND node_key <= ?2"
// ?4 and ?5 have a bit for each state of a check or stage, ?6 one for each outcome, 0 for none.
#define TURBOCI_MATCHING                                                           \
    " AND plan_key = ?3 AND ((CASE type WHEN 1 THEN ?4 ELSE ?5 END) >> state) & 1" \
    " AND (?6 >> ifnull(outcome, 0)) & 1"
#define TURBOCI_IN_ORDER " ORDER BY node_key"
const Sql kAll("SELECT " TURBOCI_NODE_COLUMNS TURBOCI_IN_RANGE TURBOCI_IN_ORDER);
const Sql kFew("SELECT " TURBOCI_FEW_NODE_COLUMNS TURBOCI_IN_RANGE TURBOCI_IN_ORDER);
const Sql kAllMatching("SELECT " TURBOCI_NODE_COLUMNS TURBOCI_IN_RANGE TURBOCI_MATCHING TURBOCI_IN_ORDER);
const Sql kFewMatching("SELECT " TURBOCI_FEW_NODE_COLUMNS TURBOCI_IN_RANGE TURBOCI_MATCHING TURBOCI_IN_ORDER);
const Sql kNodeTotal("SELECT coalesce(sum(count), 0) FROM plan_counts WHERE plan_key = ?1");
const Sql kMatchingTotal(
    "SELECT coalesce(sum(count), 0) FROM plan_counts WHERE plan_key = ?1"
    " AND ((CASE type WHEN 1 THEN ?2 ELSE ?3 END) >> state) & 1 AND (?4 >> outcome) & 1");
const Sql kNodeKeys("SELECT node_key FROM nodes INDEXED BY nodes_by_id WHERE plan_key = ?1");
#undef TURBOCI_FEW_NODE_COLUMNS
#undef TURBOCI_IN_RANGE
#undef TURBOCI_MATCHING
#undef TURBOCI_IN_ORDER

// A cursor reads at most so many rows for one that is wanted.
constexpr std::int64_t kScanFactor = 4;
// Looking a node up costs about as much as passing over some eight of them.
constexpr std::size_t kLookUpFactor = 8;
constexpr std::size_t kAlwaysFew = 16;
// So many nodes are worth further threads, and a small page cache.
constexpr std::size_t kMany = 4096;
constexpr std::int64_t kKeysOfPiece = 128;
constexpr std::int64_t kKeysOfTablePiece = 1024;
constexpr unsigned kMostThreads = 4;
constexpr std::size_t kSlotsPerThread = 2;  // so that nobody waits for the one who takes what is done

/// Nodes that are handed over together.
class Run {
public:
    /// One more, with the memory of one that was there before.
    NodeRecord& next() {
        if (used_ == records_.size()) records_.emplace_back();
        return records_[used_];
    }
    /// What next() returned is filled in and counts.
    void keep() {
        bytes_ += size_of(records_[used_]);
        ++used_;
    }
    [[nodiscard]] bool full() const { return used_ >= kMostNodes || bytes_ >= kMostBytes; }
    [[nodiscard]] std::span<NodeRecord> nodes() { return std::span(records_).first(used_); }
    void clear() {
        // What is large does not come again soon.
        if (bytes_ >= kMostBytes) records_.clear();
        used_ = bytes_ = 0;
    }

private:
    static constexpr std::size_t kMostNodes = kKeysOfPiece;
    static constexpr std::size_t kMostBytes = std::size_t{1} << 20;
    static std::size_t size_of(const NodeRecord& record) {
        std::size_t size = record.body.json.text.size() + record.edges.size() * sizeof(EdgeRecord) +
                           record.groups.size() * sizeof(GroupRow) +
                           record.assignments.size() * sizeof(AssignmentRecord);
        for (const ResultRow& r : record.results) size += sizeof r + r.result.data.text.size();
        for (const AttemptRow& a : record.attempts) {
            size += sizeof a;
            for (const Progress& p : a.attempt.progress)
                size += sizeof p + p.message.size() + p.details.text.size();
        }
        return size;
    }

    std::vector<NodeRecord> records_;
    std::size_t used_ = 0;
    std::size_t bytes_ = 0;
};

/// Hands runs over until enough has been taken.
class Delivery {
public:
    Delivery(const TakeNodes& take, std::size_t limit) : take_(take), left_(limit) {}
    /// False: no more is wanted.
    bool hand_over(Run& run) {
        const std::span<NodeRecord> nodes = run.nodes().first(std::min(run.nodes().size(), left_));
        left_ -= nodes.size();
        const bool more = nodes.empty() || take_(nodes);
        run.clear();
        return more && left_ > 0;
    }
    [[nodiscard]] std::size_t left() const noexcept { return left_; }

private:
    const TakeNodes& take_;
    std::size_t left_;
};

/// Those of a list of ascending keys, asked for in their order; or all.
class WantedKeys {
public:
    WantedKeys(const std::vector<NodeKey>* keys, std::int64_t first) : keys_(keys) {
        if (keys != nullptr) at_ = std::ranges::lower_bound(*keys, NodeKey{first}) - keys->begin();
    }
    bool contains(NodeKey key) {
        if (keys_ == nullptr) return true;
        while (!over() && (*keys_)[static_cast<std::size_t>(at_)] < key) ++at_;
        return !over() && (*keys_)[static_cast<std::size_t>(at_)] == key;
    }
    /// Will there be no more?
    [[nodiscard]] bool over() const {
        return keys_ != nullptr && at_ == static_cast<std::ptrdiff_t>(keys_->size());
    }

private:
    const std::vector<NodeKey>* keys_;
    std::ptrdiff_t at_ = 0;
};

/// What all threads of a scan know.
struct Task {
    Task(PlanKey of_plan, const NodeScan& scan) : plan(of_plan), what(scan), filter(scan) {
        if (scan.states.empty() && scan.outcomes.empty() && !scan.type) return;
        matching = true;
        for (const NodeType type : {NodeType::check, NodeType::stage}) {
            std::int64_t& bits = type == NodeType::check ? check_states : stage_states;
            if (scan.type && *scan.type != type) continue;
            if (scan.states.empty()) bits = -1;
            for (const State state : scan.states)
                if (const int number = state_number(type, state); number > 0)
                    bits |= std::int64_t{1} << number;
        }
        outcomes = scan.outcomes.empty() ? -1 : 0;
        for (const Outcome outcome : scan.outcomes) outcomes |= std::int64_t{1} << static_cast<int>(outcome);
    }
    PlanKey plan;
    const NodeScan& what;
    NodeFilter filter;
    const TargetTable* targets = nullptr;
    bool matching = false;  ///< SQLite is to look at types, states and outcomes
    std::int64_t check_states = 0, stage_states = 0, outcomes = 0;
};

/// The nodes of a range that are wanted, by key.
class RangeReader {
public:
    RangeReader(Database& db, const Task& task, const KeyRange& range)
        : task_(task),
          parts_(db, task.what.parts, range.first, task.targets),
          wanted_(task.what.keys, range.first) {
        const bool all = task.what.parts.stamps;
        if (task.matching)
            rows_.emplace(db, all ? kAllMatching : kFewMatching, range.first, range.last, task.plan,
                          task.check_states, task.stage_states, task.outcomes);
        else
            rows_.emplace(db, all ? kAll : kFew, range.first, range.last);
    }
    /// False: there are no more.
    bool next(NodeRecord& record) {
        while (!wanted_.over() && rows_->step()) {
            if (rows_->plan(1) != task_.plan || !wanted_.contains(rows_->node(0))) continue;
            read_node(*rows_, record.row);
            if (!task_.filter.matches(record.row)) continue;
            parts_.complete(record);
            return true;
        }
        return false;
    }

private:
    const Task& task_;
    RecordReader parts_;
    WantedKeys wanted_;
    std::optional<Query> rows_;
};

void read_by_keys(Database& db, const Task& task, const std::vector<NodeKey>& keys, Delivery& delivery) {
    RecordReader parts(db, task.what.parts);
    Run run;
    for (const NodeKey key : keys) {
        NodeRecord& record = run.next();
        if (!read_node(db, key, record.row)) throw Error(ErrorCode::internal, "there is no node of that key");
        if (record.row.plan != task.plan || !task.filter.matches(record.row)) continue;
        parts.complete(record);
        run.keep();
        const bool enough = run.nodes().size() >= delivery.left();
        if ((run.full() || enough) && !delivery.hand_over(run)) return;
    }
    delivery.hand_over(run);
}

void read_range(Database& db, const Task& task, const KeyRange& range, Delivery& delivery) {
    RangeReader reader(db, task, range);
    Run run;
    while (reader.next(run.next())) {
        run.keep();
        const bool enough = run.nodes().size() >= delivery.left();
        if ((run.full() || enough) && !delivery.hand_over(run)) return;
    }
    delivery.hand_over(run);
}

/// work_in_order() with a slot of type T for what comes of a piece.
template <class T, class Make, class Work, class Deliver>
void read_in_order(Database& db, FurtherConnections& others, std::size_t pieces, const Make& make,
                   const Work& work, const Deliver& deliver) {
    OrderedWork all;
    all.pieces = pieces;
    all.threads = std::min(others.threads(), pieces);
    all.slots = std::min(all.threads * kSlotsPerThread, pieces);
    std::vector<T> slots;
    for (std::size_t i = 0; i < all.slots; ++i) slots.push_back(make());
    all.worker = [&](std::size_t thread) -> PieceWork {
        Database* const mine = thread == 0 ? &db : others.of(thread);
        if (mine == nullptr) return {};
        return [&, mine](std::size_t piece, std::size_t slot, const std::function<void()>& deliver_now) {
            work(*mine, piece, slots[slot], deliver_now);
        };
    };
    all.deliver = [&](std::size_t slot) { deliver(slots[slot]); };
    work_in_order(all);
}

[[nodiscard]] std::size_t pieces_of(const KeyRange& range, std::int64_t keys) {
    return static_cast<std::size_t>((range.last - range.first) / keys + 1);
}
[[nodiscard]] KeyRange piece_of(const KeyRange& range, std::int64_t keys, std::size_t piece) {
    const std::int64_t first = range.first + static_cast<std::int64_t>(piece) * keys;
    return {first, std::min(first + keys - 1, range.last)};
}

void read_by_threads(Database& db, FurtherConnections& others, const Task& task, const KeyRange& range,
                     Delivery& delivery) {
    struct Enough {};  // ends the threads
    const auto hand_over = [&](Run& run) {
        if (!delivery.hand_over(run)) throw Enough{};
    };
    const auto read_piece = [&](Database& own, std::size_t piece, Run& run, const auto& deliver_now) {
        RangeReader reader(own, task, piece_of(range, kKeysOfPiece, piece));
        while (reader.next(run.next())) {
            run.keep();
            if (run.full()) deliver_now();
        }
    };
    try {
        read_in_order<Run>(
            db, others, pieces_of(range, kKeysOfPiece), [] { return Run(); }, read_piece, hand_over);
    } catch (const Enough&) {
        // The taker has what it wants.
    }
}

std::size_t count_nodes(Database& db, PlanKey plan) {
    Query row(db, kNodeTotal, plan);
    const std::int64_t total = row.step() ? row.integer(0) : 0;
    if (total < 0) throw_damaged("a plan has fewer than no nodes");
    return static_cast<std::size_t>(total);
}

/// So many nodes fulfil the conditions on type, state and outcome.
std::size_t count_matching(Database& db, const Task& task, std::size_t total) {
    if (!task.matching) return total;
    Query row(db, kMatchingTotal, task.plan, task.check_states, task.stage_states, task.outcomes);
    return row.step() ? static_cast<std::size_t>(std::max<std::int64_t>(row.integer(0), 0)) : 0;
}

/// The range in which the nodes of a plan are, if most of it is the plan's; else their keys.
std::optional<KeyRange> range_of_plan(Database& db, PlanKey plan, std::size_t nodes, NodeKey next_key,
                                      std::vector<NodeKey>& keys) {
    // The counts only choose the way: they may lag behind within a write.
    const auto total = static_cast<std::int64_t>(nodes);
    const auto next = static_cast<std::int64_t>(next_key);
    if (total > 0 && total >= next / kScanFactor) return KeyRange{1, next - 1};
    {
        Query row(db, kNodeKeys, plan);
        while (row.step()) keys.push_back(row.node(0));
    }
    if (keys.empty()) return std::nullopt;
    std::ranges::sort(keys);
    const KeyRange range{static_cast<std::int64_t>(keys.front()), static_cast<std::int64_t>(keys.back())};
    if ((range.last - range.first) / kScanFactor >= static_cast<std::int64_t>(keys.size()))
        return std::nullopt;
    return range;
}

}  // namespace

FurtherConnections::FurtherConnections(const Database& first, int threads) : path_(first.path()) {
    const unsigned wanted = threads > 0 ? static_cast<unsigned>(threads)
                                        : std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
    const bool usable = sqlite3_threadsafe() != 0 && ::stat(path_.c_str(), &file_) == 0 && !first.moved();
    own_.resize(usable ? wanted - 1 : 0);
}

Database* FurtherConnections::of(std::size_t thread) {
    std::unique_ptr<Database>& own = own_[thread - 1];
    if (!own) own = open();
    return own.get();
}

std::unique_ptr<Database> FurtherConnections::open() const {
    try {
        auto db = std::make_unique<Database>(path_, Database::Mode::read_write);
        struct stat now {};
        const bool same = ::stat(path_.c_str(), &now) == 0 && is_same_file(now, file_) && !db->moved();
        if (!same) return nullptr;
        db->exec(FewPages::kSetting);
        db->exec("PRAGMA query_only=ON; BEGIN; SELECT 1 FROM plans LIMIT 1");
        return db;
    } catch (const std::exception&) {
        // Too many open files, or no memory: then there are fewer.
        return nullptr;
    }
}

FurtherConnections& NodeScanner::others() {
    if (!others_) others_ = std::make_unique<FurtherConnections>(db_, threads_);
    return *others_;
}

void NodeScanner::load_targets(PlanKey plan, const KeyRange& range, std::size_t total, bool by_threads) {
    if (targets_ && targets_->plan() == plan) return;
    auto table = std::make_unique<TargetTable>(plan);
    table->reserve(std::min(total, static_cast<std::size_t>(range.last)));
    if (by_threads)
        read_in_order<TargetTable>(
            db_, others(), pieces_of(range, kKeysOfTablePiece), [plan] { return TargetTable(plan); },
            [&](Database& own, std::size_t piece, TargetTable& part, const auto&) {
                part.load(own, piece_of(range, kKeysOfTablePiece, piece));
            },
            [&](TargetTable& part) {
                table->append(part);
                part.clear();
            });
    else
        table->load(db_, range);
    targets_ = std::move(table);
}

void NodeScanner::scan(PlanKey plan, const NodeScan& what, NodeKey next_key, const TakeNodes& take) {
    Task task(plan, what);
    Delivery delivery(take, what.limit);
    if (what.limit == 0) return;
    if (what.keys != nullptr && what.keys->size() < kAlwaysFew)
        return read_by_keys(db_, task, *what.keys, delivery);
    const std::size_t total = count_nodes(db_, plan);
    if (what.keys != nullptr && what.keys->size() < total / kLookUpFactor + kAlwaysFew)
        return read_by_keys(db_, task, *what.keys, delivery);
    std::vector<NodeKey> keys;
    const std::optional<KeyRange> range = range_of_plan(db_, plan, total, next_key, keys);
    if (!range) return read_by_keys(db_, task, what.keys != nullptr ? *what.keys : keys, delivery);
    // Who reads large tables once, from end to end, does not come back to a page, and fresh memory for each
    // costs more than reading it. Within a write, what has changed must not be driven out to the file.
    std::optional<FewPages> few_pages;
    if (total >= kMany && sqlite3_txn_state(db_.handle(), "main") != SQLITE_TXN_WRITE) few_pages.emplace(db_);
    const NodeParts& parts = what.parts;
    // For few nodes it costs less to look each of their targets up than to have a table of all.
    const bool are_few = count_matching(db_, task, total) < total / kLookUpFactor;
    const bool needs_targets =
        parts.targets && (parts.predicates || parts.assignments || parts.body) && !are_few;
    const bool by_threads = needs_targets && threads_ != 1 && total >= kMany;
    if (needs_targets) {
        load_targets(plan, *range, total, by_threads);
        task.targets = targets_.get();
    }
    if (by_threads)
        read_by_threads(db_, others(), task, *range, delivery);
    else
        read_range(db_, task, *range, delivery);
}

}  // namespace turboci::sqlite
