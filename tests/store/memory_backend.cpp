// SPDX-License-Identifier: Apache-2.0
// The store in memory, with what is at a path kept for as long as the tests run.
#include <map>

#include "store/backend.hpp"
#include "store/memory/memory_store.hpp"
#include "turboci/error.hpp"

namespace turboci::test {

std::unique_ptr<Store> open_backend(const std::string& path, StoreOptions options, const Wait&) {
    static std::map<std::string, std::shared_ptr<memory::Shared>> at_path;
    std::shared_ptr<memory::Shared>& shared = at_path[path];
    if (!shared && !options.create) throw Error(ErrorCode::not_found, "nothing was made at " + path);
    if (!shared) shared = std::make_shared<memory::Shared>();
    return std::make_unique<memory::MemoryStore>(shared, std::move(options));
}

}  // namespace turboci::test
