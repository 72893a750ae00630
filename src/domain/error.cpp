// SPDX-License-Identifier: Apache-2.0
#include "turboci/error.hpp"

#include <array>

namespace turboci {

const ErrorInfo& error_info(ErrorCode code) noexcept {
    static constexpr std::array<ErrorInfo, 12> kTable{{
        // code                          name                  exit  gRPC
        {ErrorCode::usage, "USAGE", 2, ""},
        {ErrorCode::invalid_argument, "INVALID_ARGUMENT", 3, "INVALID_ARGUMENT"},
        {ErrorCode::invalid_dependency, "INVALID_DEPENDENCY", 3, "INVALID_ARGUMENT"},
        {ErrorCode::cyclic_dependency, "CYCLIC_DEPENDENCY", 3, "INVALID_ARGUMENT"},
        {ErrorCode::not_found, "NOT_FOUND", 4, "NOT_FOUND"},
        {ErrorCode::invalid_state, "INVALID_STATE", 5, "FAILED_PRECONDITION"},
        {ErrorCode::conflict, "CONFLICT", 6, "ABORTED"},
        {ErrorCode::locked, "LOCKED", 7, "UNAVAILABLE"},
        {ErrorCode::pending, "PENDING", 8, "DEADLINE_EXCEEDED"},
        {ErrorCode::store, "STORE", 9, "DATA_LOSS"},
        {ErrorCode::output, "OUTPUT", 10, ""},
        {ErrorCode::internal, "INTERNAL", 70, "INTERNAL"},
    }};
    return kTable[static_cast<std::size_t>(code)];
}

}  // namespace turboci
