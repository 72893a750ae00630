// SPDX-License-Identifier: Apache-2.0
// Making a new store file that is there whole or not at all.
#pragma once

#include "os/files.hpp"

namespace turboci::sqlite {

/// Makes an empty store of the newest schema at `where`, readable by its owner alone and durable on return.
/// The caller holds the lock and has seen that there is no such file; if there is one after all, this is
/// CONFLICT.
void create_store_file(const ResolvedPath& where);

/// Gives the file behind `fd` (which may have no name yet) the name `to`, unless that exists. Returns 0 or
/// errno.
[[nodiscard]] int publish_file(int fd, const std::string& to) noexcept;

/// STORE if files beside `path`, left over from another database of that name, would be taken for its own.
void refuse_leftovers(const std::string& path, bool store_exists);

}  // namespace turboci::sqlite
