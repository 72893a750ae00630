// SPDX-License-Identifier: Apache-2.0
#include "grpc/certificates.hpp"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/version_info.h>

#include <utility>

#include "turboci/error.hpp"

namespace turboci::rpc {

namespace {

/// gRPC's C++ has credentials that read files again by the clock, and none that are told.
class GivenCredentials final : public grpc::ServerCredentials {
public:
#if GRPC_CPP_VERSION_MAJOR > 1 || GRPC_CPP_VERSION_MINOR >= 54
    explicit GivenCredentials(grpc_server_credentials* given) : ServerCredentials(given) {}
#else
    explicit GivenCredentials(grpc_server_credentials* given) : given_(given) {}
    ~GivenCredentials() override { grpc_server_credentials_release(given_); }
    GivenCredentials(const GivenCredentials&) = delete;
    GivenCredentials& operator=(const GivenCredentials&) = delete;
    void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& processor) override {
        static_cast<void>(processor);  // a call looks at its own metadata
    }

private:
    int AddPortToServer(const std::string& address, grpc_server* server) override {
        return grpc_server_add_http2_port(server, address.c_str(), given_);
    }

    grpc_server_credentials* given_;
#endif
};

}  // namespace

Certificates::Certificates(CertificateTexts texts) : texts_(std::move(texts)) {}

void Certificates::replace(CertificateTexts texts) {
    const std::lock_guard lock(mutex_);
    if (texts.certificate.empty() || texts.key.empty() || texts.client_ca.empty() != texts_.client_ca.empty())
        throw Error(ErrorCode::invalid_argument,
                    "a server that runs cannot begin or end to use a certificate", "start it again");
    texts_ = std::move(texts);
}

int Certificates::fetch(void* self, grpc_ssl_server_certificate_config** config) {
    auto& me = *static_cast<Certificates*>(self);
    const std::lock_guard lock(me.mutex_);
    const grpc_ssl_pem_key_cert_pair pair{me.texts_.key.c_str(), me.texts_.certificate.c_str()};
    // gRPC wants some, also where nobody is asked for a certificate.
    const std::string& roots = me.texts_.client_ca.empty() ? me.texts_.certificate : me.texts_.client_ca;
    *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

std::shared_ptr<grpc::ServerCredentials> Certificates::credentials() {
    const std::lock_guard lock(mutex_);
    const auto needs = texts_.client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    const auto ask = [](void* self, grpc_ssl_server_certificate_config** config) {
        return static_cast<grpc_ssl_certificate_config_reload_status>(fetch(self, config));
    };
    return std::make_shared<GivenCredentials>(grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(needs, ask, this)));
}

}  // namespace turboci::rpc
