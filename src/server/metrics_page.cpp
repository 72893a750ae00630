// SPDX-License-Identifier: Apache-2.0
#include "server/metrics_page.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "turboci/error.hpp"

namespace turboci::server {

namespace {

constexpr std::size_t kMaxRequestBytes = 8 << 10;
constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};  // with a caller that is slow

sockaddr_in parse_address(const std::string& text) {
    const auto bad = [&] {
        return Error(ErrorCode::invalid_argument, fmt::format("'{}' is no address for metrics", text),
                     "write HOST:PORT with a numeric host, or :PORT");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) throw bad();
    const std::string host = colon == 0 ? "127.0.0.1" : text.substr(0, colon);
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (error != std::errc() || stop != end || ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
        throw bad();
    address.sin_port = htons(port);
    return address;
}

void send_all(int connection, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;  // the caller has gone
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

/// The head of a request; empty if the caller does not send one.
std::string receive_head(int connection) {
    std::string head;
    std::array<char, 1024> bytes{};
    while (head.size() < kMaxRequestBytes && head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(connection, bytes.data(), bytes.size(), 0);
        if (got <= 0) return {};
        head.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return head;
}

}  // namespace

MetricsPage::MetricsPage(const std::string& address, std::function<std::string()> text)
    : text_(std::move(text)) {
    sockaddr_in where = parse_address(address);
    socket_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    socklen_t size = sizeof where;
    auto* const generic = reinterpret_cast<sockaddr*>(&where);
    if (::bind(socket_.get(), generic, size) != 0 || ::listen(socket_.get(), 16) != 0 ||
        ::getsockname(socket_.get(), generic, &size) != 0)
        throw Error(ErrorCode::store,
                    fmt::format("cannot listen for metrics on {}: {}", address, std::strerror(errno)));
    port_ = ntohs(where.sin_port);
    wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
    thread_ = std::thread([this] { run(); });
}

MetricsPage::~MetricsPage() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t ignored = ::write(wake_.get(), &one, sizeof one);
    thread_.join();
}

void MetricsPage::run() {
    while (true) {
        std::array<pollfd, 2> waits{{{socket_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
        if (::poll(waits.data(), waits.size(), -1) < 0) continue;
        if (waits[1].revents != 0) return;
        const UniqueFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (connection.get() < 0) continue;
        ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
        ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
        answer(connection.get());
    }
}

void MetricsPage::answer(int connection) const {
    const std::string head = receive_head(connection);
    if (head.empty()) return;
    const bool found = head.starts_with("GET /metrics ") || head.starts_with("GET /metrics?");
    const std::string body = found ? text_() : "only GET /metrics is here\n";
    const std::string_view type = found ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain";
    send_all(connection, fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                                     "Connection: close\r\n\r\n{}",
                                     found ? "200 OK" : "404 Not Found", type, body.size(), body));
}

}  // namespace turboci::server
