// SPDX-License-Identifier: Apache-2.0
// Rows of one kind that a write has read or changed, kept until it is committed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "turboci/store.hpp"

namespace turboci::service {

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
    explicit AttemptBuffer(UnitOfWork& uow) : uow_(uow) {}

    /// In the buffer or, if the stage is `stored`, in the store.
    [[nodiscard]] std::optional<AttemptRow> find(NodeKey stage, std::int32_t idx, bool stored);
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
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    /// What differs from the store; valid until the next change.
    [[nodiscard]] std::vector<const AttemptRow*> changed(bool is_new) const;

private:
    UnitOfWork& uow_;
    std::map<std::pair<NodeKey, std::int32_t>, BufferedRow<AttemptRow>> rows_;
};

/// Results by check. What is found is a copy: put() it back after a change.
class ResultBuffer {
public:
    explicit ResultBuffer(UnitOfWork& uow) : uow_(uow) {}

    /// All of a check, by id; new ones come last, with ids that are theirs until the commit.
    [[nodiscard]] std::vector<ResultRow> of_check(NodeKey check, bool stored);
    [[nodiscard]] std::optional<ResultRow> find(NodeKey check, bool stored, OwnerType type,
                                                std::string_view owner);
    /// Results of an attempt that are not finalized, by check and id.
    [[nodiscard]] std::vector<ResultRow> open_of(NodeKey stage, std::int32_t idx, bool stored);
    void add(ResultRow row);
    void put(const ResultRow& row);
    [[nodiscard]] std::vector<const ResultRow*> changed(bool is_new) const;

private:
    using Buffered = BufferedRow<ResultRow>;
    struct OfCheck {
        bool complete = false;                  ///< no stored one is missing
        std::map<std::int64_t, Buffered> rows;  ///< by id
    };
    /// Keeps a stored row, unless a later state of it is there. Returns that state.
    const ResultRow& adopt(OfCheck& of, ResultRow row);

    UnitOfWork& uow_;
    std::map<NodeKey, OfCheck> checks_;
    std::map<std::pair<NodeKey, std::int32_t>, std::vector<std::pair<NodeKey, std::int64_t>>> new_of_attempt_;
    std::int64_t next_new_ = std::int64_t{1} << 62;
};

}  // namespace turboci::service
