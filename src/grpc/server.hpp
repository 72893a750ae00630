// SPDX-License-Identifier: Apache-2.0
// A gRPC server of plans, from listening to its end.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "grpc/certificates.hpp"
#include "grpc/host.hpp"

namespace turboci::rpc {

struct ServerOptions {
    HostOptions host;
    /// HOST:PORT, [HOST]:PORT or unix:PATH each. Port 0: any that is free.
    std::vector<std::string> listen{"127.0.0.1:50051"};
    CertificateTexts tls;  ///< all empty: plain text
    std::size_t max_request_bytes = std::size_t{64} << 20;
    bool channelz = false;
};

/// Runs from its constructor to its destructor. Thread-safe.
class Server {
public:
    /// INVALID_ARGUMENT for addresses beyond this machine without TLS and without tokens or certificates of
    /// callers; STORE if an address cannot be listened on; else what open_store() throws.
    explicit Server(ServerOptions options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Where it listens: as asked for, with the port that was found.
    [[nodiscard]] const std::vector<std::string>& addresses() const noexcept;
    [[nodiscard]] Host& host() noexcept;
    /// What connections from now on are shown. Throws as Certificates::replace() does, and if there is no
    /// TLS.
    void replace_certificates(CertificateTexts texts);
    /// Takes no more calls, ends those that wait for news, does what has begun, and returns when all calls
    /// have ended; those that have not after `patience` are cancelled.
    void drain(Duration patience);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// Is it an address of this machine alone?
[[nodiscard]] bool is_loopback(const std::string& address);

}  // namespace turboci::rpc
