// SPDX-License-Identifier: Apache-2.0
// turbocid: options, signals, and the end.
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/parser.hpp"
#include "grpc/server.hpp"
#include "os/files.hpp"
#include "os/log_file.hpp"
#include "os/process_identity.hpp"
#include "os/settings.hpp"
#include "os/unique_fd.hpp"
#include "server/metrics_page.hpp"
#include "store/openers.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

/// The options as they were given, by flag, else by environment.
struct Options {
    std::string store = "turboci.db";
    std::vector<std::string> listen;
    std::string tls_certificate, tls_key, client_ca, token_file, metrics;
    Duration drain_timeout = std::chrono::seconds(10);
    std::int64_t max_request = std::int64_t{64} << 20;
    std::int64_t readers = 2;
    Duration lost_after = ServiceOptions::kLostAfter;
    Duration watch_heartbeat = std::chrono::seconds(30);
    bool quiet = false, channelz = false;
};

std::string environment(std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (std::string value = environment_variable(name); !value.empty()) return value;
    return {};
}

void read_environment(Options& options) {
    if (const std::string store = environment({"TURBOCI_STORE", "SQLITE_PATH"}); !store.empty())
        options.store = store;
    const std::string address = environment_variable("TURBOCI_LISTEN_ADDRESS"),
                      port = environment_variable("GRPC_PORT");
    if (!address.empty())
        options.listen = {address};
    else if (!port.empty())
        options.listen = {"127.0.0.1:" + std::to_string(cli::parse_number("GRPC_PORT", port, 0, 65535))};
    options.tls_certificate = environment_variable("TURBOCI_TLS_CERT");
    options.tls_key = environment_variable("TURBOCI_TLS_KEY");
    options.client_ca = environment_variable("TURBOCI_CLIENT_CA");
    options.token_file = environment_variable("TURBOCI_AUTH_TOKENS");
    options.metrics = environment_variable("TURBOCI_METRICS");
}

/// Sizes as people write them: a number of bytes, or of KiB, MiB or GiB with that after it.
std::int64_t parse_size(const std::string& text) {
    constexpr std::int64_t kKibi = 1024;
    const std::size_t unit = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string name = text.substr(unit);
    std::int64_t factor = 1;
    if (name == "KiB" || name == "K") factor = kKibi;
    if (name == "MiB" || name == "M") factor = kKibi * kKibi;
    if (name == "GiB" || name == "G") factor = kKibi * kKibi * kKibi;
    if (!name.empty() && factor == 1) cli::usage("--max-request: write a size as 64MiB");
    return cli::parse_number("--max-request", text.substr(0, unit), 1, 2047) * factor;
}

/// False: help or the version was asked for, and has been printed.
bool parse(Options& options, const std::vector<std::string>& arguments) {
    cli::Parser parser("turbocid");
    std::vector<std::string> listen;
    std::optional<std::int64_t> readers;
    std::optional<Duration> drain, lost, heartbeat;
    bool version = false;
    parser.option("--store", "PATH", options.store, "the store; made if it is absent");
    parser.option("--listen", "ADDRESS", listen, "HOST:PORT or unix:PATH; may be given several times");
    parser.option("--tls-cert", "FILE", options.tls_certificate, "certificate of the server (PEM)");
    parser.option("--tls-key", "FILE", options.tls_key, "its key (PEM)");
    parser.option("--client-ca", "FILE", options.client_ca, "callers need a certificate from this one (PEM)");
    parser.option("--token-file", "FILE", options.token_file,
                  "who may call: NAME SCOPE[,SCOPE] TOKEN a line");
    parser.option("--metrics", "ADDRESS", options.metrics, "serve Prometheus metrics on HOST:PORT or :PORT");
    parser.option("--drain-timeout", "D", drain, "how long calls may take to end on SIGTERM (default: 10s)");
    parser.option(
        "--max-request", "SIZE", [&](const std::string& text) { options.max_request = parse_size(text); },
        "largest request (default: 64MiB)");
    parser.option("--readers", "N", readers, 1, 64, "threads that read the store (default: 2)");
    parser.option("--lost-after", "D", lost, "a silent runner is lost after so long (default: 1m)");
    parser.option("--watch-heartbeat", "D", heartbeat,
                  "a watch says at least so often that it lives (default: 30s)");
    parser.flag("--channelz", options.channelz, "serve gRPC's channelz");
    parser.flag("-q,--quiet", options.quiet, "log only errors");
    parser.flag("--version", version, "print the version");
    if (!parser.parse(arguments)) {
        fmt::print("usage: turbocid [options]\n\nServes the plans of a store over gRPC.\n\n");
        for (const auto& line : parser.help_lines()) fmt::print("  {:<26} {}\n", line.left, line.right);
        fmt::print("\nOptions up to --metrics can be given in the environment; see turbocid(8).\n");
        return false;
    }
    if (version) {
        fmt::print("turbocid {}\n", TURBOCI_VERSION);
        return false;
    }
    if (!listen.empty()) options.listen = std::move(listen);
    if (options.listen.empty()) options.listen = {"127.0.0.1:50051"};
    options.readers = readers.value_or(options.readers);
    options.drain_timeout = drain.value_or(options.drain_timeout);
    options.lost_after = lost.value_or(options.lost_after);
    options.watch_heartbeat = heartbeat.value_or(options.watch_heartbeat);
    return true;
}

/// Empty where none is named.
std::string file_of(const std::string& path) { return path.empty() ? std::string() : read_named_file(path); }

/// One line a call, whole lines from whatever thread.
void log_line(const std::string& line, bool errors_alone) {
    static std::mutex mutex;
    if (errors_alone && line.find("\"level\":\"info\"") != std::string::npos) return;
    const std::lock_guard lock(mutex);
    static_cast<void>(write_all(STDERR_FILENO, line + "\n"));
}

/// What can be seen of a runner from here. A server ends nothing that a dead runner has left behind.
Liveness probe_runner(const RunnerIdentity& runner) {
    static const RunnerIdentity kMe = this_runner();
    if (!runner_is_alive(runner)) return Liveness::gone;
    return runner.host == kMe.host && runner.boot_id == kMe.boot_id ? Liveness::alive : Liveness::unknown;
}

/// Tells the service manager, if there is one (sd_notify(3)).
void notify(const std::string& state) {
    const std::string path = environment_variable("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
}

rpc::CertificateTexts read_certificates(const Options& options) {
    return {file_of(options.tls_certificate), file_of(options.tls_key), file_of(options.client_ca)};
}

rpc::ServerOptions server_options(const Options& options) {
    rpc::ServerOptions server;
    server.listen = options.listen;
    server.tls = read_certificates(options);
    server.max_request_bytes = static_cast<std::size_t>(options.max_request);
    server.channelz = options.channelz;
    rpc::HostOptions& host = server.host;
    host.store_url = options.store;
    host.readers = static_cast<std::size_t>(options.readers);
    host.lost_after = options.lost_after;
    host.ticker.first_runners_after = options.lost_after;
    host.watch_heartbeat = options.watch_heartbeat;
    host.log = [quiet = options.quiet](const std::string& line) { log_line(line, quiet); };
    host.probe = probe_runner;
    host.open_output = log_files_of(store_file(options.store));
    if (!options.token_file.empty()) host.identities = server::Identities::read(options.token_file);
    return server;
}

/// Reads tokens and certificates again; what is wrong with them is said, and those from before stay.
void read_again(rpc::Server& server, const Options& options) {
    const auto attempt = [&](const char* what, const std::string& file, const auto& read) {
        if (file.empty()) return;
        try {
            read();
            log_line(fmt::format(R"({{"level":"info","event":"{} were read again"}})", what), options.quiet);
        } catch (const Error& error) {
            log_line(fmt::format(R"({{"level":"error","event":{}}})", json_string(error.what())),
                     options.quiet);
        }
    };
    attempt("tokens", options.token_file,
            [&] { server.host().set_identities(server::Identities::read(options.token_file)); });
    attempt("certificates", options.tls_certificate,
            [&] { server.replace_certificates(read_certificates(options)); });
}

int serve(const Options& options) {
    // Threads inherit the mask: signals come to this one alone.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);

    rpc::Server server(server_options(options));
    std::unique_ptr<server::MetricsPage> metrics;
    if (!options.metrics.empty())
        metrics = std::make_unique<server::MetricsPage>(options.metrics,
                                                        [&server] { return server.host().metrics().text(); });
    for (const std::string& address : server.addresses())
        log_line(fmt::format(R"({{"level":"info","event":"listening","address":{}}})", json_string(address)),
                 false);
    if (metrics)
        log_line(fmt::format(R"({{"level":"info","event":"metrics","port":{}}})", metrics->port()), false);
    notify("READY=1");
    int signal = 0;
    while (::sigwait(&signals, &signal) != 0 || signal == SIGHUP) read_again(server, options);
    notify("STOPPING=1");
    // What was acknowledged is durable: a second signal may end it at once.
    std::thread([signals] {
        int second = 0;
        do ::sigwait(&signals, &second);
        while (second == SIGHUP);
        ::_exit(0);
    }).detach();
    server.drain(options.drain_timeout);
    return 0;
}

int run(const std::vector<std::string>& arguments) {
    try {
        Options options;
        read_environment(options);
        return parse(options, arguments) ? serve(options) : 0;
    } catch (const Error& error) {
        const std::string remedy = remedy_of(error);
        fmt::print(stderr, "turbocid: error: {}{}{}\n", error.what(), remedy.empty() ? "" : "; ", remedy);
        return error_info(error.code()).exit_code;
    } catch (const std::exception& error) {
        fmt::print(stderr, "turbocid: error: {}\n", error.what());
        return error_info(ErrorCode::internal).exit_code;
    }
}

}  // namespace

}  // namespace turboci

int main(int argc, char** argv) {
#ifdef TURBOCI_WITH_POSTGRESQL
    turboci::use_postgresql_stores();
#endif
    return turboci::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
