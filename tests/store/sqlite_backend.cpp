// SPDX-License-Identifier: Apache-2.0
#include "store/backend.hpp"

namespace turboci::test {

std::unique_ptr<Store> open_backend(const std::string& path, StoreOptions options, const Wait& wait) {
    return open_store(path, std::move(options), wait);
}

}  // namespace turboci::test
