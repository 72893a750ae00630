// SPDX-License-Identifier: Apache-2.0
// What a server shows its callers of itself, and whom it believes.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <mutex>
#include <string>

struct grpc_ssl_server_certificate_config;

namespace turboci::rpc {

/// PEM, the texts themselves.
struct CertificateTexts {
    std::string certificate, key;  ///< of the server; both or neither
    std::string client_ca;         ///< callers need a certificate from it; empty: they need none
};

/// The certificates of a server, which can be replaced while it runs: a handshake takes what is newest.
/// Thread-safe; must outlive the server.
class Certificates {
public:
    explicit Certificates(CertificateTexts texts);
    /// INVALID_ARGUMENT if there were no certificates of callers and now are, or the other way round, or the
    /// server's own are missing: that is decided when a server starts.
    void replace(CertificateTexts texts);
    [[nodiscard]] std::shared_ptr<grpc::ServerCredentials> credentials();

private:
    /// gRPC asks before each handshake. The answer is always new: each address has its own state.
    static int fetch(void* self, grpc_ssl_server_certificate_config** config);

    std::mutex mutex_;
    CertificateTexts texts_;
};

}  // namespace turboci::rpc
