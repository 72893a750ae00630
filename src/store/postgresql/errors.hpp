// SPDX-License-Identifier: Apache-2.0
// The one place where the server's codes become Errors.
#pragma once

#include <string>
#include <string_view>

namespace turboci::postgresql {

// SQLSTATE codes that are asked for by name.
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kUniqueViolation = "23505";
/// Not the server's: the connection is gone, and with it any transaction in it.
inline constexpr std::string_view kConnectionLost = "08006";

/// Why a statement failed.
struct Failure {
    std::string state;    ///< SQLSTATE
    std::string message;  ///< the server's, one line
    std::string detail;   ///< the name of the constraint that was violated, if one was

    /// Has the connection ended, on whichever side?
    [[nodiscard]] bool is_lost_connection() const {
        return state.starts_with("08") || state.starts_with("57P0");
    }
};

/// Throws what `failure` means for the user of the store at `location`.
[[noreturn]] void throw_failure(const Failure& failure, std::string_view location);

}  // namespace turboci::postgresql
