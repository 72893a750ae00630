// SPDX-License-Identifier: Apache-2.0
// The format: https://prometheus.io/docs/instrumenting/exposition_formats/
#include "server/metrics.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>

namespace turboci::server {

namespace {

double seconds(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }

void head(std::string& out, std::string_view name, std::string_view kind, std::string_view help) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, kind);
}

double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double size = 0, resident = 0;
    if (!(file >> size >> resident)) return 0;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double processor_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void single(std::string& out, std::string_view name, std::string_view kind, std::string_view help,
            double value) {
    head(out, name, kind, help);
    out += fmt::format("{} {}\n", name, value);
}

}  // namespace

void Histogram::add(double value) {
    const auto bound = std::ranges::lower_bound(bounds_, value);
    ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
    ++count_;
    sum_ += value;
}

void Histogram::print(std::string& out, std::string_view name, std::string_view labels) const {
    const std::string_view comma = labels.empty() ? "" : ",";
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
        sum += counts_[i];
        out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bounds_[i], sum);
    }
    out += fmt::format("{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, labels, comma, count_);
    const std::string braces = labels.empty() ? std::string() : fmt::format("{{{}}}", labels);
    out += fmt::format("{0}_sum{1} {2}\n{0}_count{1} {3}\n", name, braces, sum_, count_);
}

void Metrics::add_call(std::string_view method, std::string_view code, std::chrono::microseconds took) {
    const std::lock_guard lock(mutex_);
    ++calls_[{std::string(method), std::string(code)}];
    const auto found =
        seconds_
            .try_emplace(std::string(method),
                         std::vector<double>{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30})
            .first;
    found->second.add(seconds(took));
}

void Metrics::add_batch(std::size_t writes, std::chrono::microseconds took,
                        std::chrono::microseconds waited) {
    const std::lock_guard lock(mutex_);
    batch_sizes_.add(static_cast<double>(writes));
    commit_seconds_.add(seconds(took));
    queue_seconds_.add(seconds(waited));
}

void Metrics::add_gauge(std::string name, std::string help, std::function<double()> ask) {
    const std::lock_guard lock(mutex_);
    gauges_.push_back({std::move(name), std::move(help), std::move(ask)});
}

std::string Metrics::text() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    head(out, "turboci_rpc_total", "counter", "Calls that have ended.");
    for (const auto& [key, count] : calls_)
        out +=
            fmt::format("turboci_rpc_total{{method=\"{}\",code=\"{}\"}} {}\n", key.first, key.second, count);
    head(out, "turboci_rpc_seconds", "histogram", "How long calls took.");
    for (const auto& [method, histogram] : seconds_)
        histogram.print(out, "turboci_rpc_seconds", fmt::format("method=\"{}\"", method));
    head(out, "turboci_batch_size", "histogram", "Writes that were committed together.");
    batch_sizes_.print(out, "turboci_batch_size", "");
    head(out, "turboci_commit_seconds", "histogram", "Lock, transaction and commit of a batch.");
    commit_seconds_.print(out, "turboci_commit_seconds", "");
    head(out, "turboci_queue_seconds", "histogram", "The longest wait of a batch's writes before it began.");
    queue_seconds_.print(out, "turboci_queue_seconds", "");
    for (const Gauge& gauge : gauges_) single(out, gauge.name, "gauge", gauge.help, gauge.ask());
    single(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
    single(out, "process_cpu_seconds_total", "counter", "Processor time.", processor_seconds());
    return out;
}

}  // namespace turboci::server
