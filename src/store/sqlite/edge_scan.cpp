// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/edge_scan.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

#include "store/sqlite/encoding.hpp"

namespace turboci::sqlite {

namespace {

constexpr const char* kFunction = "turboci_take_edge";
#define TURBOCI_TAKEN_COLUMNS "owner_key, role, group_no, target_key, target_type, on_state, on_when"
// The function is true where a row shall end the step.
const Sql kScan("SELECT 1 FROM edges WHERE owner_key >= ?1 AND turboci_take_edge(" TURBOCI_TAKEN_COLUMNS
                ") ORDER BY owner_key, role, position");
#undef TURBOCI_TAKEN_COLUMNS
constexpr std::array kNames{"owner_key",   "role",     "group_no", "target_key",
                            "target_type", "on_state", "on_when"};

std::int64_t integer(sqlite3_value** columns, std::size_t column, std::int64_t least,
                     std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const std::int64_t value = sqlite3_value_int64(columns[column]);
    // What is not a number reads as 0.
    if (value < least || value > most ||
        (value == 0 && sqlite3_value_type(columns[column]) != SQLITE_INTEGER))
        throw_damaged(fmt::format("a value of '{}' makes no sense", kNames.at(column)));
    return value;
}

template <class E>
E enumeration(sqlite3_value** columns, std::size_t column, E first, E last) {
    return static_cast<E>(
        integer(columns, column, static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)));
}

}  // namespace

EdgeScan::EdgeScan(Database& db, std::int64_t first_owner)
    : db_(prepare(db)), rows_(db, kScan, first_owner) {}

Database& EdgeScan::prepare(Database& db) {
    if (db.knows_edge_scan) return db;
    const int rc = sqlite3_create_function_v2(db.handle(), kFunction, static_cast<int>(kNames.size()),
                                              SQLITE_UTF8 | SQLITE_DIRECTONLY, &db.edge_scan,
                                              &EdgeScan::take_row, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) db.fail(rc, "reading");
    db.knows_edge_scan = true;
    return db;
}

void EdgeScan::next(std::vector<EdgeRow>& edges, std::size_t count) {
    edges.clear();
    if (over_) return;  // another step would begin again
    edges_ = &edges;
    wanted_ = count;
    db_.edge_scan = this;
    try {
        over_ = !rows_.step();
    } catch (...) {
        db_.edge_scan = nullptr;
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
        throw;
    }
    db_.edge_scan = nullptr;
    db_.count_rows(static_cast<std::int64_t>(edges.size()));
}

void EdgeScan::take_row(sqlite3_context* context, int, sqlite3_value** values) noexcept {
    EdgeScan* const self = *static_cast<EdgeScan**>(sqlite3_user_data(context));
    if (self == nullptr) {
        sqlite3_result_error(context, "not for use in statements of others", -1);
        return;
    }
    try {
        self->add(values);
        sqlite3_result_int(context, self->edges_->size() >= self->wanted_ ? 1 : 0);
    } catch (...) {
        self->failure_ = std::current_exception();
        sqlite3_result_error(context, "a row makes no sense", -1);
    }
}

void EdgeScan::add(sqlite3_value** columns) {
    EdgeRow& edge = edges_->emplace_back();
    edge.owner = NodeKey{integer(columns, 0, 1)};
    edge.role = enumeration(columns, 1, PredicateRole::dependencies, PredicateRole::continuation);
    edge.group = static_cast<std::int32_t>(integer(columns, 2, 0, std::numeric_limits<std::int32_t>::max()));
    edge.target = NodeKey{integer(columns, 3, std::numeric_limits<std::int64_t>::min())};
    const NodeType target_type = enumeration(columns, 4, NodeType::check, NodeType::stage);
    edge.on_state = decode_state(target_type, integer(columns, 5, 0));
    edge.when = enumeration(columns, 6, When::success, When::always);
    // Positions count up from 0 in the order of reading.
    if (edge.owner == last_.owner && edge.role == last_.role) edge.position = last_.position + 1;
    last_ = edge;
}

}  // namespace turboci::sqlite
