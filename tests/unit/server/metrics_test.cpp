// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "os/unique_fd.hpp"
#include "server/metrics_page.hpp"
#include "support/catch.hpp"
#include "turboci/error.hpp"

using namespace turboci;
using namespace turboci::server;
using Catch::Matchers::Contains;
using namespace std::chrono_literals;

namespace {

std::string fetch(int port, const std::string& request) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::send(fd.get(), request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
    std::string answer;
    std::array<char, 512> bytes{};
    for (ssize_t got = 0; (got = ::recv(fd.get(), bytes.data(), bytes.size(), 0)) > 0;)
        answer.append(bytes.data(), static_cast<std::size_t>(got));
    return answer;
}

}  // namespace

TEST_CASE("What was counted is printed as Prometheus reads it") {
    Metrics metrics;
    metrics.add_call("WriteNodes", "OK", 3ms);
    metrics.add_call("WriteNodes", "OK", 2s);
    metrics.add_call("WriteNodes", "ABORTED", 1ms);
    metrics.add_batch(3, 20ms, 1ms);
    metrics.add_gauge("turboci_watchers", "Streams that watch.", [] { return 4.0; });
    const std::string text = metrics.text();
    CHECK_THAT(text, Contains("turboci_rpc_total{method=\"WriteNodes\",code=\"OK\"} 2\n"));
    CHECK_THAT(text, Contains("turboci_rpc_seconds_bucket{method=\"WriteNodes\",le=\"0.005\"} 2\n"));
    CHECK_THAT(text, Contains("turboci_rpc_seconds_bucket{method=\"WriteNodes\",le=\"+Inf\"} 3\n"));
    CHECK_THAT(text, Contains("turboci_rpc_seconds_count{method=\"WriteNodes\"} 3\n"));
    CHECK_THAT(text, Contains("turboci_batch_size_bucket{le=\"2\"} 0\n"));
    CHECK_THAT(text, Contains("turboci_batch_size_bucket{le=\"4\"} 1\n"));
    CHECK_THAT(text, Contains("# TYPE turboci_watchers gauge\nturboci_watchers 4\n"));
    CHECK_THAT(text, Contains("process_resident_memory_bytes "));
}

TEST_CASE("The page of metrics answers one request a connection, and nothing else") {
    const MetricsPage page(":0", [] { return std::string("turboci_up 1\n"); });
    CHECK_THAT(fetch(page.port(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
               Contains("200 OK") && Contains("version=0.0.4") && Contains("\r\n\r\nturboci_up 1\n"));
    CHECK_THAT(fetch(page.port(), "GET / HTTP/1.1\r\n\r\n"), Contains("404 Not Found"));
    CHECK_THAT(fetch(page.port(), "POST /metrics HTTP/1.1\r\n\r\n"), Contains("404 Not Found"));
    CHECK_THAT(fetch(page.port(), std::string(9000, 'x')), Contains("404 Not Found"));
    CHECK_THAT(fetch(page.port(), "GET /metrics?a HTTP/1.1\r\n\r\n"), Contains("200 OK"));
    CHECK_THROWS_AS(MetricsPage("127.0.0.1:" + std::to_string(page.port()), nullptr), Error);
    for (const char* bad : {"9090", "host:9090", ":", ":x", ":99999", "1.2.3.4:1 "})
        CHECK_THROWS_AS(MetricsPage(bad, nullptr), Error);
}
