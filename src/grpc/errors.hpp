// SPDX-License-Identifier: Apache-2.0
// turboci's errors as gRPC's, with google.rpc details, and back.
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <vector>

#include "grpc/convert.hpp"
#include "turboci/error.hpp"

namespace turboci::rpc {

/// What a server adds to an error.
struct ErrorContext {
    const FieldNames* fields = nullptr;  ///< of the request; null: it has no fields that can be wrong
    std::string request_id;
    std::string subject_type, subject;  ///< what the call is about: "work_plan" and its id
    bool is_local = true;               ///< the caller is on this machine: it may be told of paths
    /// The caller reads the request once more and knows the places by their numbers: they are not told as
    /// names of fields.
    bool by_number = false;
};

/// The status of an error. Its details are ErrorInfo, RequestInfo, and what fits the code.
[[nodiscard]] grpc::Status to_status(const Error& error, const ErrorContext& context);
/// Of anything that is not an Error. Its text is for the log alone.
[[nodiscard]] grpc::Status internal_status(const std::string& request_id);
/// A refusal of the server itself: its code, and an upper-case reason for programs.
[[nodiscard]] grpc::Status server_status(grpc::StatusCode code, const std::string& message,
                                         const std::string& reason, const std::string& request_id);

/// The key of the metadata with which a caller asks for numbers of places, and its value.
inline constexpr const char* kPlacesKey = "turboci-places";
inline constexpr const char* kPlacesByNumber = "numbers";

/// What a status says, as the Error that the server had, as far as it tells. Problems have in `file` the name
/// of the field, or kRequestFile and the number of the place in `line`.
[[nodiscard]] Error to_error(const grpc::Status& status);
/// The names of codes: "ABORTED".
[[nodiscard]] std::string_view name_of(grpc::StatusCode code) noexcept;

}  // namespace turboci::rpc
