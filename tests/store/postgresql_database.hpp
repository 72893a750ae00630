// SPDX-License-Identifier: Apache-2.0
// The database behind the store's back, as another program would use it.
#pragma once

#include <string>

namespace turboci::test {

/// Runs a statement in a session of its own. Returns the first column of the first row.
std::string sql(const std::string& url, const std::string& statement);
/// The URL of the store that open_backend() made for `path`.
[[nodiscard]] std::string backend_url(const std::string& path);
/// The URL of a new database without anything in it.
[[nodiscard]] std::string new_database();

}  // namespace turboci::test
