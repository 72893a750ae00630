// SPDX-License-Identifier: Apache-2.0
// What opens each kind of store, for the table of open_store().
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "turboci/store.hpp"

namespace turboci {

/// `path`: any path; made absolute.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(const std::string& path, StoreOptions options,
                                                       const Wait& wait);
[[nodiscard]] std::unique_ptr<Store> open_memory_store(StoreOptions options);

}  // namespace turboci
