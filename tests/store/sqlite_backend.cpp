// SPDX-License-Identifier: Apache-2.0
#include "store/backend.hpp"

namespace turboci::test {

std::unique_ptr<Store> open_store(StoreOptions options) { return open_sqlite_store(std::move(options)); }

}  // namespace turboci::test
