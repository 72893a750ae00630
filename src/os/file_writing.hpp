// SPDX-License-Identifier: Apache-2.0
// Files that a command leaves for others.
#pragma once

#include <string>
#include <string_view>

namespace turboci {

/// Puts `text` in place of the file at `path`: who reads it finds the old text or the new one, never a part.
/// What is there and is no regular file (a pipe, a device, a link) is written to as it is. 0, or the errno of
/// the failure, after which the old text is still there.
[[nodiscard]] int replace_file(const std::string& path, std::string_view text);
/// Adds to the end of the file, which is made if there is none. 0, or the errno of the failure.
[[nodiscard]] int append_to_file(const std::string& path, std::string_view text);
/// Bytes in the file; 0 if there is none.
[[nodiscard]] std::size_t file_size(const std::string& path) noexcept;
/// 0 if a file could be written at `path`, as far as that can be told beforehand; else the errno.
[[nodiscard]] int writing_problem(const std::string& path) noexcept;

}  // namespace turboci
