// SPDX-License-Identifier: Apache-2.0
// The store under test. Each backend defines these in a file of its own and links contract/*.cpp unchanged.
#pragma once

#include <memory>
#include <string>

#include "turboci/store.hpp"

namespace turboci::test {

/// The store at `path`, as several processes would open it.
[[nodiscard]] std::unique_ptr<Store> open_backend(const std::string& path, StoreOptions options,
                                                  const Wait& wait);

}  // namespace turboci::test
