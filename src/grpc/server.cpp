// SPDX-License-Identifier: Apache-2.0
#include "grpc/server.hpp"

#include <fmt/core.h>
#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <mutex>
#include <utility>

#include "grpc/admin.hpp"
#include "grpc/orchestrator.hpp"
#include "grpc/plans.hpp"
#include "grpc/worker.hpp"

namespace turboci::rpc {

namespace {

constexpr std::string_view kUnixSocket = "unix:";
constexpr std::array kServices{"turboci.v1.TurboCIOrchestrator", "turboci.v1.TurboCIPlans",
                               "turboci.v1.TurboCIWorker", "turboci.v1.TurboCIAdmin"};

void refuse_open_doors(const ServerOptions& options) {
    if (options.tls.certificate.empty() != options.tls.key.empty())
        throw Error(ErrorCode::invalid_argument, "TLS needs both a certificate and its key");
    if (!options.tls.client_ca.empty() && options.tls.certificate.empty())
        throw Error(ErrorCode::invalid_argument,
                    "certificates of clients need TLS: give a certificate and a key");
    const bool knows_callers = options.host.identities.has_value() || !options.tls.client_ca.empty();
    for (const std::string& address : options.listen)
        if (!is_loopback(address) && (options.tls.certificate.empty() || !knows_callers))
            throw Error(ErrorCode::invalid_argument,
                        fmt::format("{} can be reached from other machines: that needs TLS, and tokens or "
                                    "certificates of the callers",
                                    address),
                        "give --tls-cert, --tls-key, and --token-file or --client-ca");
}

}  // namespace

struct Server::Parts {
    explicit Parts(HostOptions options)
        : host(std::move(options)), orchestrator(host), plans(host), worker(host), admin(host) {}
    Host host;
    OrchestratorHandlers orchestrator;
    PlansHandlers plans;
    WorkerHandlers worker;
    AdminHandlers admin;
    std::vector<std::string> addresses;
    std::unique_ptr<Certificates> certificates;
    std::unique_ptr<grpc::Server> server;
    std::mutex mutex;
    bool drained = false;
};

bool is_loopback(const std::string& address) {
    return address.starts_with(kUnixSocket) || address.starts_with("127.") ||
           address.starts_with("localhost:") || address.starts_with("[::1]:");
}

Server::Server(ServerOptions options) {
    refuse_open_doors(options);
    if (!options.tls.client_ca.empty() && !options.host.identities) options.host.identities.emplace();
    parts_ = std::make_unique<Parts>(std::move(options.host));
    auto credentials = grpc::InsecureServerCredentials();
    if (!options.tls.certificate.empty()) {
        parts_->certificates = std::make_unique<Certificates>(std::move(options.tls));
        credentials = parts_->certificates->credentials();
    }
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    if (options.channelz) grpc::channelz::experimental::InitChannelzService();
    grpc::ServerBuilder builder;
    std::vector<int> ports(options.listen.size());
    for (std::size_t i = 0; i < options.listen.size(); ++i)
        builder.AddListeningPort(options.listen[i], credentials, &ports[i]);
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{&parts_->orchestrator, &parts_->plans,
                                                                        &parts_->worker, &parts_->admin})
        builder.RegisterService(service);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_request_bytes));
    builder.SetMaxSendMessageSize(-1);
    constexpr int kSecond = 1'000;
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * kSecond);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * kSecond);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 15 * 60 * kSecond);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    parts_->server = builder.BuildAndStart();
    if (!parts_->server)
        throw Error(ErrorCode::store, fmt::format("cannot listen on {}", options.listen.front()),
                    parts_->certificates
                        ? "is another server there already, or do the certificate and its key not fit?"
                        : "is another server there already?");
    for (std::size_t i = 0; i < options.listen.size(); ++i) {
        const std::string& address = options.listen[i];
        if (address.starts_with(kUnixSocket)) {
            // Whoever may open the socket may write.
            static_cast<void>(::chmod(address.substr(kUnixSocket.size()).c_str(), S_IRUSR | S_IWUSR));
            parts_->addresses.push_back(address);
        } else {
            parts_->addresses.push_back(address.substr(0, address.rfind(':') + 1) + std::to_string(ports[i]));
        }
    }
    if (auto* const health = parts_->server->GetHealthCheckService())
        for (const char* service : kServices) health->SetServingStatus(service, true);
}

Server::~Server() {
    if (parts_) drain(Duration::zero());
}

const std::vector<std::string>& Server::addresses() const noexcept { return parts_->addresses; }

Host& Server::host() noexcept { return parts_->host; }

void Server::replace_certificates(CertificateTexts texts) {
    if (!parts_->certificates) throw Error(ErrorCode::invalid_argument, "this server speaks plain text");
    parts_->certificates->replace(std::move(texts));
}

void Server::drain(Duration patience) {
    const std::lock_guard lock(parts_->mutex);
    if (!parts_->server || std::exchange(parts_->drained, true)) return;
    if (auto* const health = parts_->server->GetHealthCheckService()) health->Shutdown();
    parts_->host.drain();
    parts_->server->Shutdown(std::chrono::system_clock::now() + patience);
    parts_->server->Wait();
    parts_->host.close();
}

}  // namespace turboci::rpc
