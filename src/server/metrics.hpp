// SPDX-License-Identifier: Apache-2.0
// What a server counts of itself, as Prometheus reads it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace turboci::server {

/// A histogram with fixed upper bounds, the last one being infinity.
class Histogram {
public:
    explicit Histogram(std::vector<double> bounds)
        : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
    void add(double value);
    /// Appends its lines. `labels`: as they stand between the braces, or empty.
    void print(std::string& out, std::string_view name, std::string_view labels) const;

private:
    std::vector<double> bounds_;
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

/// No id of a plan or a node is a label. Thread-safe.
class Metrics {
public:
    void add_call(std::string_view method, std::string_view code, std::chrono::microseconds took);
    void add_batch(std::size_t writes, std::chrono::microseconds took, std::chrono::microseconds waited);
    /// A value that is asked for when somebody reads. `ask` must outlive this, be thread-safe, not throw.
    void add_gauge(std::string name, std::string help, std::function<double()> ask);
    /// The text exposition format, version 0.0.4.
    [[nodiscard]] std::string text() const;

private:
    struct Gauge {
        std::string name, help;
        std::function<double()> ask;
    };
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::uint64_t> calls_;  ///< by method and code
    std::map<std::string, Histogram> seconds_;                            ///< by method
    Histogram batch_sizes_{{1, 2, 4, 8, 16, 32, 64, 128, 256}};
    Histogram commit_seconds_{{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}};
    Histogram queue_seconds_{{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}};
    std::vector<Gauge> gauges_;
};

}  // namespace turboci::server
