// SPDX-License-Identifier: Apache-2.0
// The page that a metrics collector reads.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "os/unique_fd.hpp"

namespace turboci::server {

/// Answers GET /metrics over HTTP/1.1, one caller after another, each connection for one request.
class MetricsPage {
public:
    /// `address`: HOST:PORT or :PORT, numeric; without a host, on loopback. INVALID_ARGUMENT if it is no
    /// address, STORE if it cannot be listened on. `text` makes the page; must be thread-safe, not throw.
    MetricsPage(const std::string& address, std::function<std::string()> text);
    ~MetricsPage();
    MetricsPage(const MetricsPage&) = delete;
    MetricsPage& operator=(const MetricsPage&) = delete;
    /// The port, also where 0 was asked for.
    [[nodiscard]] int port() const noexcept { return port_; }

private:
    void run();
    void answer(int connection) const;

    std::function<std::string()> text_;
    UniqueFd socket_, wake_;
    int port_ = 0;
    std::thread thread_;
};

}  // namespace turboci::server
