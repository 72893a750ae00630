// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/row_scan.hpp"

#include <fmt/core.h>

#include <new>

#include "store/sqlite/encoding.hpp"

namespace turboci::sqlite {

std::string_view RowValues::bytes_of_text(int column) const {
    if (type(column) == SQLITE_NULL) bad_column(column);
    const unsigned char* data = sqlite3_value_text(values_[column]);
    if (data == nullptr) throw std::bad_alloc();
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_value_bytes(values_[column]))};
}

std::span<const std::byte> RowValues::bytes_of_blob(int column) const {
    const void* data = sqlite3_value_blob(values_[column]);
    return {static_cast<const std::byte*>(data),
            static_cast<std::size_t>(sqlite3_value_bytes(values_[column]))};
}

void RowValues::bad_column(int column) const {
    constexpr std::string_view kBetween = ", ";
    std::string_view name = names_;
    for (; column > 0; --column) name.remove_prefix(name.find(kBetween) + kBetween.size());
    throw_damaged(fmt::format("a value of '{}' makes no sense", name.substr(0, name.find(kBetween))));
}

Database& RowScan::prepare(Database& db) {
    if (db.knows_row_scan) return db;
    constexpr int kAnyNumber = -1;
    const int rc =
        sqlite3_create_function_v2(db.handle(), "turboci_take", kAnyNumber, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                   &db.row_scan, &RowScan::take_row, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) db.fail(rc, "reading");
    db.knows_row_scan = true;
    return db;
}

bool RowScan::step() {
    if (over_) return false;  // another step would begin again
    RowScan* const outer = std::exchange(db_.row_scan, this);
    try {
        over_ = !rows_.step();
    } catch (...) {
        db_.row_scan = outer;
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
        throw;
    }
    db_.row_scan = outer;
    return !over_;
}

void RowScan::take_row(sqlite3_context* context, int, sqlite3_value** values) noexcept {
    RowScan* const self = *static_cast<RowScan**>(sqlite3_user_data(context));
    if (self == nullptr) {
        sqlite3_result_error(context, "not for use in statements of others", -1);
        return;
    }
    try {
        sqlite3_result_int(context, self->take(RowValues(values, self->names_)) ? 1 : 0);
    } catch (...) {
        self->failure_ = std::current_exception();
        sqlite3_result_error(context, "a row makes no sense", -1);
    }
}

}  // namespace turboci::sqlite
