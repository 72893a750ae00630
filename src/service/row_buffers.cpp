// SPDX-License-Identifier: Apache-2.0
#include "service/row_buffers.hpp"
#include "service/lookups.hpp"

#include <algorithm>
#include <tuple>

namespace turboci::service {

// ------------------------------------------------------------------------------------ attempts

std::optional<AttemptRow> AttemptBuffer::find(NodeKey stage, std::int32_t idx, bool stored) {
    if (const auto it = rows_.find({stage, idx}); it != rows_.end()) return it->second.row;
    if (!stored) return std::nullopt;
    auto row = service::attempt(uow_, stage, idx);
    if (row) rows_[{stage, idx}] = {*row, false, false};
    return row;
}

void AttemptBuffer::put(const AttemptRow& row) {
    BufferedRow<AttemptRow>& buffered = rows_[{row.stage, row.attempt.idx}];
    buffered.row = row;
    buffered.dirty = true;
}

std::vector<const AttemptRow*> AttemptBuffer::changed(bool is_new) const {
    std::vector<const AttemptRow*> rows;
    for (const auto& [key, buffered] : rows_)
        if (buffered.dirty && buffered.is_new == is_new) rows.push_back(&buffered.row);
    return rows;
}

// ------------------------------------------------------------------------------------ results

const ResultRow& ResultBuffer::adopt(OfCheck& of, ResultRow row) {
    const std::int64_t id = row.result.id;
    return of.rows.try_emplace(id, Buffered{std::move(row), false, false}).first->second.row;
}

std::vector<ResultRow> ResultBuffer::of_check(NodeKey check, bool stored) {
    OfCheck& of = checks_[check];
    if (stored && !of.complete)
        for (ResultRow& row : service::results(uow_, check)) adopt(of, std::move(row));
    of.complete = true;
    std::vector<ResultRow> rows;
    rows.reserve(of.rows.size());
    for (const auto& [id, buffered] : of.rows) rows.push_back(buffered.row);
    return rows;
}

std::optional<ResultRow> ResultBuffer::find(NodeKey check, bool stored, OwnerType type,
                                            std::string_view owner) {
    OfCheck& of = checks_[check];
    for (const auto& [id, buffered] : of.rows)
        if (buffered.row.result.owner_type == type && buffered.row.result.owner_id == owner)
            return buffered.row;
    if (!stored || of.complete) return std::nullopt;
    auto row = service::find_result(uow_, check, type, owner);
    if (!row) return std::nullopt;
    return adopt(of, std::move(*row));
}

std::vector<ResultRow> ResultBuffer::open_of(NodeKey stage, std::int32_t idx, bool stored) {
    std::vector<ResultRow> open;
    const auto take = [&](const ResultRow& row) {
        if (!row.result.finalized_at) open.push_back(row);
    };
    if (stored)
        for (ResultRow& row : service::open_results_of(uow_, stage, idx)) {
            OfCheck& of = checks_[row.check];
            take(adopt(of, std::move(row)));
        }
    if (const auto it = new_of_attempt_.find({stage, idx}); it != new_of_attempt_.end())
        for (const auto& [check, id] : it->second) take(checks_.at(check).rows.at(id).row);
    std::ranges::sort(open, {}, [](const ResultRow& r) { return std::pair(r.check, r.result.id); });
    return open;
}

void ResultBuffer::add(ResultRow row) {
    row.result.id = next_new_++;
    if (row.stage != NodeKey::none)
        new_of_attempt_[{row.stage, row.attempt}].emplace_back(row.check, row.result.id);
    const NodeKey check = row.check;
    const std::int64_t id = row.result.id;
    checks_[check].rows[id] = {std::move(row), true, true};
}

void ResultBuffer::put(const ResultRow& row) {
    Buffered& buffered = checks_[row.check].rows[row.result.id];
    buffered.row = row;
    buffered.dirty = true;
}

std::vector<const ResultRow*> ResultBuffer::changed(bool is_new) const {
    std::vector<const ResultRow*> rows;
    for (const auto& [check, of] : checks_)
        for (const auto& [id, buffered] : of.rows)
            if (buffered.dirty && buffered.is_new == is_new) rows.push_back(&buffered.row);
    return rows;
}

}  // namespace turboci::service
