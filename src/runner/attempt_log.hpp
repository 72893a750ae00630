// SPDX-License-Identifier: Apache-2.0
// Writing the output of attempts, see os/log_file.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "os/command_runner.hpp"
#include "os/process.hpp"

namespace turboci {

/// Takes the output of one attempt. The file holds all of it up to a limit; of more, the first and the last
/// half of the limit, with a line between them that says how much was left out. While the command runs the
/// second half is overwritten in a circle; finish() puts it in order.
class AttemptLog final : public OutputSink {
public:
    static constexpr std::size_t kTailBytes = std::size_t{8} * 1024;
    static constexpr std::size_t kTailLines = 32;

    AttemptLog(UniqueFd file, std::string path, std::size_t limit);
    /// The file is made, in place of an older one, by make(), or by the first write() or finish().
    AttemptLog(std::shared_ptr<const UniqueFd> directory, std::string name, std::string path,
               std::size_t limit);
    ~AttemptLog() override;
    AttemptLog(const AttemptLog&) = delete;
    AttemptLog& operator=(const AttemptLog&) = delete;

    /// Making a file takes a while, which the command need not wait for.
    void make() noexcept;
    void write(std::string_view bytes) noexcept override;
    /// Puts the file in its final form. No write() after it.
    void finish() noexcept;
    /// The last lines, at most kTailLines and kTailBytes; raw data.
    [[nodiscard]] std::string tail() const;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// The same from the store's directory on.
    [[nodiscard]] std::string relative_path() const;
    /// Why the file is not complete: an errno, or 0.
    [[nodiscard]] int error() const noexcept { return error_; }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    /// Since the last write(), or since this was made.
    [[nodiscard]] Duration quiet_for() const noexcept;

private:
    void put(std::string_view bytes, std::uint64_t offset) noexcept;

    std::shared_ptr<const UniqueFd> directory_;  ///< where `name_` is to be made; null: that is done
    std::string name_;
    UniqueFd file_;
    std::string path_;
    std::uint64_t head_;  ///< bytes at the front that are kept as they come
    std::uint64_t ring_;  ///< bytes after them that are overwritten in a circle
    std::uint64_t total_ = 0;
    std::chrono::steady_clock::time_point written_ = std::chrono::steady_clock::now();
    std::string tail_;
    int error_ = 0;
};

/// Removes all logs of a plan. False if some are left.
[[nodiscard]] bool remove_logs(const std::string& store_path, const std::string& plan) noexcept;

/// The directory of one plan's logs. Only the owner can look into it.
class LogDirectory {
public:
    /// Makes the directories where they are missing. STORE Error if that cannot be done, or if one of them
    /// is a symbolic link.
    /// `identity` is that of the plan itself: logs of another plan that had its id are removed.
    LogDirectory(const std::string& store_path, const std::string& plan, const std::string& identity);
    /// A new log. Its file is not made yet.
    [[nodiscard]] std::shared_ptr<AttemptLog> log_of(std::string_view stage_id, std::int32_t idx,
                                                     std::size_t limit) const;

private:
    std::string path_;
    std::shared_ptr<const UniqueFd> directory_;
};

}  // namespace turboci
