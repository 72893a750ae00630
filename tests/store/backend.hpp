// SPDX-License-Identifier: Apache-2.0
// The store under test. Each backend defines open_store() in a file of its own and links contract/*.cpp
// unchanged.
#pragma once

#include <memory>

#include "turboci/store.hpp"

namespace turboci::test {

[[nodiscard]] std::unique_ptr<Store> open_store(StoreOptions options);

}  // namespace turboci::test
