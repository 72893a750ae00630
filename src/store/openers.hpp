// SPDX-License-Identifier: Apache-2.0
// What opens each kind of store, for the table of open_store().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/store.hpp"

namespace turboci {

/// `path`: any path; made absolute.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(const std::string& path, StoreOptions options,
                                                       const Wait& wait);
[[nodiscard]] std::unique_ptr<Store> open_memory_store(StoreOptions options);

/// Only in programs that link the store. `url`: postgresql://… as libpq reads it.
[[nodiscard]] std::unique_ptr<Store> open_postgresql_store(const std::string& url, StoreOptions options);
/// As init_store().
std::vector<std::string> init_postgresql_store(const std::string& url);

/// What there is beside files and memory, for URLs that begin with one of `schemes`: none until a program
/// that links it says so.
struct ServerStores {
    std::vector<std::string_view> schemes;  ///< with the colon
    std::unique_ptr<Store> (*open)(const std::string& url, StoreOptions options) = nullptr;
    std::vector<std::string> (*init)(const std::string& url) = nullptr;
};
/// To be called before any store is opened.
void set_server_stores(ServerStores stores);
/// With those of PostgreSQL. Only in programs that link them.
void use_postgresql_stores();

}  // namespace turboci
