// SPDX-License-Identifier: Apache-2.0
// Files with the output of attempts, beside the store: STORE.logs/PLAN/STAGE.IDX.log
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "os/unique_fd.hpp"
#include "turboci/runner.hpp"

namespace turboci {

/// `stage_id` as a file name: everything but A-Z a-z 0-9 _ - and inner dots is %-escaped; a long one is
/// cut and told apart by a hash.
[[nodiscard]] std::string log_file_name(std::string_view stage_id, std::int32_t idx);
/// Such a path from the store's directory on: STORE.logs is beside the store.
[[nodiscard]] std::string relative_log_path(const std::string& path);

// Says of which plan the logs of a directory are. No log has such a name.
inline constexpr const char* kLogOwnerFile = ".plan";
/// The identity in it; empty: there is none.
[[nodiscard]] std::string read_log_owner(int directory);

/// A log that is open for reading.
class LogFile final : public OutputFile {
public:
    /// The log at `log_path`, which comes from the store and may have been imported: nothing is opened but a
    /// regular file in the store's own directory of logs, and no symbolic link is followed on the way. Null:
    /// there is none.
    [[nodiscard]] static std::unique_ptr<LogFile> open(const std::string& store_path,
                                                       std::string_view log_path);
    [[nodiscard]] std::int64_t size() const override;
    [[nodiscard]] std::string read(std::int64_t offset, std::size_t limit) const override;

private:
    explicit LogFile(UniqueFd file) : file_(std::move(file)) {}
    UniqueFd file_;
};

/// Opens logs beside the store at `store_path`.
[[nodiscard]] OpenOutput log_files_of(std::string store_path);

}  // namespace turboci
