// SPDX-License-Identifier: Apache-2.0
// Making a new store file that is there whole or not at all.
#pragma once

#include <memory>

#include "os/files.hpp"
#include "store/sqlite/database.hpp"

namespace turboci::sqlite {

/// An empty store of the newest schema, without a name: until its first commit a store has no file, so that a
/// command that is refused or killed leaves none.
[[nodiscard]] std::unique_ptr<Database> make_draft();

/// Makes a file of it at `where`, readable by its owner alone, whole and durable on return. The caller holds
/// the lock and has seen that there is no such file; if there is one after all, this is CONFLICT.
void publish_draft(Database& draft, const ResolvedPath& where);

/// Gives the file behind `fd` (which may have no name yet) the name `to`, unless that exists. Returns 0 or
/// errno.
[[nodiscard]] int publish_file(int fd, const std::string& to) noexcept;

/// STORE if the journal of the store at `path` is there and is not a regular file with one name. To open a
/// pipe would wait for ever for somebody at its other end.
void refuse_odd_journal(const std::string& path);

/// STORE if files beside `path`, left over from another database of that name, would be taken for its own, or
/// if the journal is not a regular file with one name.
void refuse_leftovers(const std::string& path, bool store_exists);

}  // namespace turboci::sqlite
