// SPDX-License-Identifier: Apache-2.0
// The one place where SQLite's codes become Errors.
#pragma once

#include <string_view>

#include "domain/stored_values.hpp"

struct sqlite3;

namespace turboci::sqlite {

/// Throws what extended result code `rc` means for the user: LOCKED for a database that stayed busy,
/// std::bad_alloc when out of memory, INTERNAL for misuse, STORE with cause and remedy for the rest.
/// `db` may be null; `doing` is a clause such as "writing"; `error` is the operating system's reason, if it
/// is known without SQLite, which forgets that of a COMMIT.
[[noreturn]] void throw_error(sqlite3* db, int rc, std::string_view path, std::string_view doing,
                              int error = 0);

}  // namespace turboci::sqlite
