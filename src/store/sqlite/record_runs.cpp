// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/record_runs.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "os/files.hpp"
#include "os/ordered_work.hpp"

namespace turboci::sqlite {

namespace {

constexpr std::size_t kNodesOfRun = 128;
constexpr std::int64_t kKeysOfPart = 1024;
constexpr unsigned kMostThreads = 4;
constexpr std::size_t kSlotsPerThread = 2;  // so that nobody waits for the one who takes what is done

/// Visits, and takes the run whenever it is long or full: by the caller's thread alone.
template <class Read>
void read_alone(RecordRuns& runs, const Read& read) {
    const std::unique_ptr<RecordRuns::Run> run = runs.make();
    std::size_t nodes = 0;
    read([&](NodeRecord& record) {
        run->visit(record);
        if (++nodes < kNodesOfRun && !run->full()) return;
        runs.take(*run);
        nodes = 0;
    });
    if (nodes > 0) runs.take(*run);
}

class Threads {
public:
    Threads(Database& db, Beside& beside) : db_(db), beside_(beside) {}

    /// work_in_order() with a slot of type T for what comes of a piece.
    template <class T, class Make, class Work, class Deliver>
    void in_order(std::size_t pieces, const Make& make, const Work& work, const Deliver& deliver) {
        OrderedWork all;
        all.pieces = pieces;
        all.threads = std::min(beside_.threads(), pieces);
        all.slots = std::min(all.threads * kSlotsPerThread, pieces);
        std::vector<T> slots;
        for (std::size_t i = 0; i < all.slots; ++i) slots.push_back(make());
        all.worker = [&](std::size_t thread) -> PieceWork {
            Database* const mine = thread == 0 ? &db_ : beside_.of(thread);
            if (mine == nullptr) return {};
            return [&, mine](std::size_t piece, std::size_t slot, const std::function<void()>& deliver_now) {
                work(*mine, piece, slots[slot], deliver_now);
            };
        };
        all.deliver = [&](std::size_t slot) { deliver(slots[slot]); };
        work_in_order(all);
    }

private:
    Database& db_;
    Beside& beside_;
};

std::unique_ptr<NodeTable> load_table(Threads& threads, PlanKey plan, const NodeRange& range,
                                      std::size_t total) {
    auto table = std::make_unique<NodeTable>(plan);
    table->reserve(std::min(total, static_cast<std::size_t>(range.last)));
    threads.in_order<NodeTable>(
        static_cast<std::size_t>((range.last - range.first) / kKeysOfPart + 1),
        [plan] { return NodeTable(plan); },
        [&](Database& db, std::size_t piece, NodeTable& part, const auto&) {
            NodeRange keys;
            keys.first = range.first + static_cast<std::int64_t>(piece) * kKeysOfPart;
            keys.last = std::min(keys.first + kKeysOfPart - 1, range.last);
            part.load(db, keys);
        },
        [&](NodeTable& part) {
            table->append(part);
            part.clear();
        });
    return table;
}

}  // namespace

Beside::Beside(const Database& first, int threads) : path_(first.path()) {
    const unsigned wanted = threads > 0 ? static_cast<unsigned>(threads)
                                        : std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
    const bool usable = sqlite3_threadsafe() != 0 && ::stat(path_.c_str(), &file_) == 0 && !first.moved();
    own_.resize(usable ? wanted - 1 : 0);
}

Database* Beside::of(std::size_t thread) {
    std::unique_ptr<Database>& own = own_[thread - 1];
    if (!own) own = open();
    return own.get();
}

std::unique_ptr<Database> Beside::open() const {
    try {
        auto db = std::make_unique<Database>(path_, Database::Mode::read_write, Duration::zero());
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

void read_runs(Database& db, int threads, std::unique_ptr<Beside>& beside, PlanKey plan, NodeType type,
               const NodeParts& parts, const std::function<std::int64_t()>& next_key,
               std::unique_ptr<NodeTable>& cache, RecordRuns& runs) {
    const std::size_t total = count_nodes(db, plan);
    const bool large = threads != 1 && total >= PassingThrough::kMany && needs_table(parts);
    const NodeRange range = large ? nodes_of_plan(db, plan, next_key()) : NodeRange{};
    if (!large || !range.scan) {
        return read_alone(runs, [&](const std::function<void(NodeRecord&)>& visit) {
            read_records(db, plan, type, nullptr, parts, next_key, cache, visit);
        });
    }
    const PassingThrough few_pages(db, total);
    if (!beside) beside = std::make_unique<Beside>(db, threads);
    Threads all_threads(db, *beside);
    if (!cache || cache->plan() != plan) cache = load_table(all_threads, plan, range, total);
    const NodeTable& table = *cache;
    const std::optional<TablePart> all = part_of_type(table, type);
    if (!all) return;
    using Run = std::unique_ptr<RecordRuns::Run>;
    all_threads.in_order<Run>((all->last - all->first) / kNodesOfRun + 1, [&] { return runs.make(); },
                              [&](Database& own, std::size_t piece, const Run& run, const auto& deliver_now) {
                                  TablePart part;
                                  part.first = all->first + piece * kNodesOfRun;
                                  part.last = std::min(part.first + kNodesOfRun - 1, all->last);
                                  read_from_table(own, type, nullptr, parts, true, table, part,
                                                  [&](NodeRecord& record) {
                                                      run->visit(record);
                                                      if (run->full()) deliver_now();
                                                  });
                              },
                              [&](const Run& run) { runs.take(*run); });
}

}  // namespace turboci::sqlite
