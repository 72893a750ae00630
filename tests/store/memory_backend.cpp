// SPDX-License-Identifier: Apache-2.0
// The store in memory, with what is at a path kept for as long as the tests run.
#include <map>

#include "store/backend.hpp"
#include "store/memory/memory_store.hpp"
#include "turboci/error.hpp"

namespace turboci::test {

std::unique_ptr<Store> open_store(StoreOptions options) {
    static std::map<std::string, std::shared_ptr<memory::Shared>> at_path;
    std::shared_ptr<memory::Shared>& shared = at_path[options.path];
    if (!shared && !options.create) throw Error(ErrorCode::not_found, "nothing was made at " + options.path);
    if (!shared) shared = std::make_shared<memory::Shared>();
    return std::make_unique<memory::MemoryStore>(shared, options.read_only);
}

}  // namespace turboci::test
