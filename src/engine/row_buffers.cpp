// SPDX-License-Identifier: Apache-2.0
#include "engine/row_buffers.hpp"

#include <algorithm>
#include <utility>

namespace turboci::engine {

// ------------------------------------------------------------------------------------ attempts

std::optional<AttemptRow> AttemptBuffer::find(NodeKey stage, std::int32_t idx) const {
    const auto it = rows_.find({stage, idx});
    return it == rows_.end() ? std::nullopt : std::optional(it->second.row);
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

void ResultBuffer::adopt(std::span<const NodeKey> complete, std::span<const ResultRow> rows) {
    for (const ResultRow& row : rows) {
        const auto [it, is_new] =
            checks_[row.check].rows.try_emplace(row.result.id, Buffered{row, false, false});
        if (is_new && row.stage != NodeKey::none)
            of_attempt_[{row.stage, row.attempt}].emplace_back(row.check, row.result.id);
    }
    for (const NodeKey check : complete) checks_[check].complete = true;
}

bool ResultBuffer::is_complete(NodeKey check) const {
    const auto it = checks_.find(check);
    return it != checks_.end() && it->second.complete;
}

std::vector<ResultRow> ResultBuffer::of_check(NodeKey check) const {
    std::vector<ResultRow> rows;
    if (const auto it = checks_.find(check); it != checks_.end())
        for (const auto& [id, buffered] : it->second.rows) rows.push_back(buffered.row);
    return rows;
}

std::optional<ResultRow> ResultBuffer::find(NodeKey check, OwnerType type, std::string_view owner) const {
    if (const auto it = checks_.find(check); it != checks_.end())
        for (const auto& [id, buffered] : it->second.rows)
            if (buffered.row.result.owner_type == type && buffered.row.result.owner_id == owner)
                return buffered.row;
    return std::nullopt;
}

std::vector<ResultRow> ResultBuffer::open_of(NodeKey stage, std::int32_t idx) const {
    std::vector<ResultRow> open;
    if (const auto it = of_attempt_.find({stage, idx}); it != of_attempt_.end())
        for (const auto& [check, id] : it->second)
            if (const ResultRow& row = checks_.at(check).rows.at(id).row; !row.result.finalized_at)
                open.push_back(row);
    std::ranges::sort(open, {}, [](const ResultRow& r) { return std::pair(r.check, r.result.id); });
    return open;
}

void ResultBuffer::add(ResultRow row) {
    row.result.id = next_new_++;
    if (row.stage != NodeKey::none)
        of_attempt_[{row.stage, row.attempt}].emplace_back(row.check, row.result.id);
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

}  // namespace turboci::engine
