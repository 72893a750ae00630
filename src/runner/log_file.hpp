// SPDX-License-Identifier: Apache-2.0
// Reading the logs that AttemptLog wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "os/unique_fd.hpp"

namespace turboci {

/// A log that is open for reading.
class LogFile {
public:
    /// The log at `log_path`, which comes from the store and may have been imported: nothing is opened but a
    /// regular file in the store's own directory of logs, and no symbolic link is followed on the way. An
    /// empty result: there is none.
    [[nodiscard]] static std::optional<LogFile> open(const std::string& store_path,
                                                     std::string_view log_path);
    [[nodiscard]] std::int64_t size() const;
    /// At most `limit` bytes from `offset` on; fewer only at the end. STORE if they cannot be read.
    [[nodiscard]] std::string read(std::int64_t offset, std::size_t limit) const;
    /// Where the last `lines` lines begin.
    [[nodiscard]] std::int64_t start_of_last(std::int64_t lines) const;

private:
    explicit LogFile(UniqueFd file) : file_(std::move(file)) {}
    UniqueFd file_;
};

}  // namespace turboci
