// SPDX-License-Identifier: Apache-2.0
#include "turboci/error.hpp"

#include <array>

namespace turboci {

const ErrorInfo& error_info(ErrorCode code) noexcept {
    static constexpr std::array<ErrorInfo, 12> kTable{{
        // code                          name                  exit  remedy, gRPC
        {ErrorCode::usage, "USAGE", 2, "see `turboci --help`", ""},
        {ErrorCode::invalid_argument, "INVALID_ARGUMENT", 3, "correct it and try again", "INVALID_ARGUMENT"},
        {ErrorCode::invalid_dependency, "INVALID_DEPENDENCY", 3, "correct it and try again",
         "INVALID_ARGUMENT"},
        {ErrorCode::cyclic_dependency, "CYCLIC_DEPENDENCY", 3, "take one of these dependencies away",
         "INVALID_ARGUMENT"},
        {ErrorCode::not_found, "NOT_FOUND", 4, "see what there is with `turboci nodes query`", "NOT_FOUND"},
        {ErrorCode::invalid_state, "INVALID_STATE", 5, "see where it is with `turboci nodes explain`",
         "FAILED_PRECONDITION"},
        {ErrorCode::conflict, "CONFLICT", 6, "read the plan again and decide anew", "ABORTED"},
        {ErrorCode::locked, "LOCKED", 7, "wait until it is done, or raise --lock-timeout", "UNAVAILABLE"},
        {ErrorCode::pending, "PENDING", 8, "try again later", "DEADLINE_EXCEEDED"},
        {ErrorCode::store, "STORE", 9, "check the file, its permissions and the disk", "DATA_LOSS"},
        {ErrorCode::output, "OUTPUT", 10, "the work is done; see where the output goes", ""},
        {ErrorCode::internal, "INTERNAL", 70, "this is a bug; please report it", "INTERNAL"},
    }};
    return kTable[static_cast<std::size_t>(code)];
}

std::string remedy_of(const Error& error) {
    if (!error.remedy().empty()) return error.remedy();
    return error.details().empty() ? std::string(error_info(error.code()).remedy) : std::string();
}

}  // namespace turboci
