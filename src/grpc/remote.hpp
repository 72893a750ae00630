// SPDX-License-Identifier: Apache-2.0
// The service of a server elsewhere.
#pragma once

#include <memory>
#include <string>

#include "turboci/service.hpp"
#include "turboci/wait.hpp"

namespace turboci::rpc {

struct RemoteOptions {
    /// grpc://HOST:PORT, grpcs://HOST:PORT (TLS), grpc+unix:///PATH.
    std::string url;
    std::string bearer_token;                    ///< of a token file; may be empty
    std::string attempt_token;                   ///< of the attempt that this process works in; may be empty
    std::string root_certificates;               ///< PEM; empty: those of the system
    std::string client_certificate, client_key;  ///< PEM, for a server that asks for them; both or neither
    Wait wait;  ///< for a server that cannot be reached; then the calls throw LOCKED
};

/// Is it the URL of a server?
[[nodiscard]] bool is_server_url(const std::string& url);

/// Connects when the first call is made. USAGE if the URL is none. Calls throw what the server's service
/// threw; positions are those of the request. Reads are tried again while the server cannot be reached,
/// writes only where they have an op_id: one that was answered by nobody may have been done.
[[nodiscard]] std::unique_ptr<Service> make_remote_service(RemoteOptions options);

}  // namespace turboci::rpc
