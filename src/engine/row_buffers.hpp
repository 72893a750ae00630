// SPDX-License-Identifier: Apache-2.0
// Rows of one kind that a write has read or changed, kept until it is committed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "turboci/changes.hpp"

namespace turboci::engine {

/// A row as the write leaves it.
template <class Row>
struct BufferedRow {
    Row row;
    bool is_new = false;  ///< not in the store
    bool dirty = false;   ///< differs from the store
};

/// Attempts by stage and index. What is found is a copy: put() it back after a change.
class AttemptBuffer {
public:
    [[nodiscard]] std::optional<AttemptRow> find(NodeKey stage, std::int32_t idx) const;
    [[nodiscard]] bool contains(NodeKey stage, std::int32_t idx) const {
        return rows_.contains({stage, idx});
    }
    /// Keeps a stored row, unless a later state of it is there.
    void adopt(const AttemptRow& row) {
        rows_.try_emplace({row.stage, row.attempt.idx}, Buffered{row, false, false});
    }
    void add(const AttemptRow& row) { rows_[{row.stage, row.attempt.idx}] = {row, true, true}; }
    void put(const AttemptRow& row);
    /// Of rows that the store has selected: those that `wanted` still accepts, as they are now, and buffered
    /// ones that it accepts besides.
    template <class Wanted>
    [[nodiscard]] std::vector<AttemptRow> select(std::vector<AttemptRow> stored, Wanted&& wanted) const {
        std::erase_if(stored, [&](const AttemptRow& r) { return rows_.contains({r.stage, r.attempt.idx}); });
        for (const auto& [key, buffered] : rows_)
            if (wanted(buffered.row)) stored.push_back(buffered.row);
        return stored;
    }
    /// What differs from the store; valid until the next change.
    [[nodiscard]] std::vector<const AttemptRow*> changed(bool is_new) const;

private:
    using Buffered = BufferedRow<AttemptRow>;
    std::map<std::pair<NodeKey, std::int32_t>, Buffered> rows_;
};

/// Results by check. What is found is a copy: put() it back after a change.
class ResultBuffer {
public:
    /// All that are known of a check, by id; new ones come last, with ids that are theirs until the commit.
    [[nodiscard]] std::vector<ResultRow> of_check(NodeKey check) const;
    [[nodiscard]] bool is_complete(NodeKey check) const;
    [[nodiscard]] std::optional<ResultRow> find(NodeKey check, OwnerType type, std::string_view owner) const;
    /// Those of an attempt that are known and not finalized, by check and id.
    [[nodiscard]] std::vector<ResultRow> open_of(NodeKey stage, std::int32_t idx) const;
    [[nodiscard]] bool knows_open_of(NodeKey stage, std::int32_t idx) const {
        return known_open_.contains({stage, idx});
    }

    /// Keeps stored rows, unless a later state of one is there: all of the checks `complete`, and others.
    void adopt(std::span<const NodeKey> complete, std::span<const ResultRow> rows);
    /// All open results of the attempt have been adopted.
    void knows_open(NodeKey stage, std::int32_t idx) { known_open_.insert({stage, idx}); }
    void add(ResultRow row);
    void put(const ResultRow& row);
    [[nodiscard]] std::vector<const ResultRow*> changed(bool is_new) const;

private:
    using Buffered = BufferedRow<ResultRow>;
    struct OfCheck {
        bool complete = false;                  ///< no stored one is missing
        std::map<std::int64_t, Buffered> rows;  ///< by id
    };
    std::map<NodeKey, OfCheck> checks_;
    std::map<std::pair<NodeKey, std::int32_t>, std::vector<std::pair<NodeKey, std::int64_t>>> of_attempt_;
    std::set<std::pair<NodeKey, std::int32_t>> known_open_;
    std::int64_t next_new_ = std::int64_t{1} << 62;
};

}  // namespace turboci::engine
