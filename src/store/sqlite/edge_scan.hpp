// SPDX-License-Identifier: Apache-2.0
// The edges of very many nodes.
#pragma once

#include <vector>

#include "store/sqlite/row_scan.hpp"

namespace turboci::sqlite {

/// All edges from one owner on, by owner, role, position.
class EdgeScan final : RowScan {
public:
    EdgeScan(Database& db, std::int64_t first_owner);

    /// Replaces `edges` by the next ones, at most `count`; none: there are no more.
    void next(std::vector<EdgeRow>& edges, std::size_t count);

private:
    bool take(const RowValues& row) override;

    std::vector<EdgeRow>* edges_ = nullptr;  ///< where the present call of next() wants them
    std::size_t wanted_ = 0;
    EdgeRow last_;
};

}  // namespace turboci::sqlite
