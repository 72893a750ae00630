// SPDX-License-Identifier: Apache-2.0
// The one error system: a closed set of kinds, one exception type, caught once (in main).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace turboci {

/// Every way in which turboci says no. Exit and gRPC codes stand in one table, see error_info().
enum class ErrorCode : std::uint8_t {
    usage,               ///< wrong flags or arguments; exit 2
    invalid_argument,    ///< a definition is malformed; exit 3
    invalid_dependency,  ///< an empty group, an impossible threshold, a target that is not there; exit 3
    cyclic_dependency,   ///< dependency edges form a cycle; exit 3
    not_found,           ///< no such store, plan or node; exit 4
    invalid_state,       ///< a state rule forbids it; exit 5
    conflict,            ///< another version, another holder, an id that exists; exit 6
    locked,              ///< the store's lock was not obtained in time; exit 7
    pending,             ///< `wait` timed out, or nothing is ready to claim; exit 8
    store,               ///< I/O error, disk full, corrupt, not ours, newer schema; exit 9
    output,              ///< committed, but the output could not be written; exit 10
    internal,            ///< a bug in turboci; exit 70
};

/// What the outside calls an ErrorCode.
struct ErrorInfo {
    ErrorCode code;
    std::string_view name;       ///< e.g. "INVALID_STATE", as printed in JSON
    int exit_code;               ///< process exit status
    std::string_view remedy;     ///< what to do where the error itself does not say
    std::string_view grpc_code;  ///< e.g. "FAILED_PRECONDITION"; empty where gRPC has no use for it
};

/// The table row of `code`. Never fails.
[[nodiscard]] const ErrorInfo& error_info(ErrorCode code) noexcept;

/// Where in the input something stands. `file` is what the user called it ("-" for standard input).
struct Position {
    std::uint32_t file = 0;    ///< index into the request's list of file names
    std::uint32_t line = 0;    ///< from 1; 0 means "not from a file"
    std::uint32_t column = 0;  ///< from 1, in characters
};

/// What programs may want to know of an error beside its text: "current_version", "held_by" (the
/// process_uid), "node" (as `stage:build`), each at most once.
using ErrorFacts = std::vector<std::pair<std::string, std::string>>;

/// One problem among the several that one Error may report.
struct ErrorDetail {
    std::string file;          ///< empty when the problem has no place in a file
    std::uint32_t line = 0;    ///< from 1; 0 when unknown
    std::uint32_t column = 0;  ///< from 1; 0 when unknown
    std::string message;       ///< one line: what is wrong and, where known, what to do
    ErrorCode code = ErrorCode::invalid_argument;
};

/// The only exception that turboci throws on purpose. what() is one line without a trailing stop.
class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message, std::string remedy = {},
          std::vector<ErrorDetail> details = {})
        : std::runtime_error(message),
          code_(code),
          remedy_(std::move(remedy)),
          details_(std::move(details)) {}

    [[nodiscard]] ErrorCode code() const noexcept { return code_; }
    /// What the user can do about it, one clause; may be empty.
    [[nodiscard]] const std::string& remedy() const noexcept { return remedy_; }
    /// Which of its kind it is, for programs: "IF_VERSION"; where nothing is said, the name of the code.
    [[nodiscard]] std::string_view reason() const noexcept {
        return reason_.empty() ? error_info(code_).name : std::string_view(reason_);
    }
    [[nodiscard]] const ErrorFacts& facts() const noexcept { return facts_; }
    [[nodiscard]] Error because(std::string reason, ErrorFacts facts = {}) && {
        reason_ = std::move(reason);
        facts_ = std::move(facts);
        return std::move(*this);
    }
    /// All problems when there were several (bad plan files); empty for a single plain error.
    [[nodiscard]] const std::vector<ErrorDetail>& details() const noexcept { return details_; }

private:
    ErrorCode code_;
    std::string remedy_;
    std::string reason_;
    ErrorFacts facts_;
    std::vector<ErrorDetail> details_;
};

/// Reason of an error of a store that cannot be reached, or was lost on the way: it may be there again later.
/// Whether a write was done is not known then, unless the message says so.
inline constexpr const char* kReasonConnectionLost = "CONNECTION_LOST";

/// What to do: what the error says, else what its code suggests; empty where each problem has a place, which
/// says it.
[[nodiscard]] std::string remedy_of(const Error& error);

}  // namespace turboci
