// SPDX-License-Identifier: Apache-2.0
// Sends what attempts print to a store on another machine.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/command_runner.hpp"
#include "runner/attempt_log.hpp"
#include "turboci/service.hpp"

namespace turboci {

/// What commands print goes to their logs, and in parts to the store. While that cannot be reached, as much
/// is kept as a store keeps of an attempt.
///
/// send() may be called from another thread; nothing else may be called meanwhile, but for what commands
/// print.
class LogShipper {
public:
    static constexpr std::size_t kPartBytes = std::size_t{256} << 10;
    static constexpr std::size_t kMostUnsent = std::size_t{16} << 20;

    /// What one attempt prints.
    class Feed final : public OutputSink {
    public:
        Feed(std::string token, std::shared_ptr<AttemptLog> log)
            : token_(std::move(token)), log_(std::move(log)) {}
        void write(std::string_view bytes) noexcept override;

    private:
        friend class LogShipper;
        std::string token_;
        std::shared_ptr<AttemptLog> log_;
        std::string unsent_;               ///< not cut into parts yet
        std::int64_t left_out_ = 0;        ///< of it, in the middle: these bytes are kept nowhere
        std::deque<std::string> parts_;    ///< to be sent
        std::int64_t next_ = 0;            ///< number of the first of them
        std::vector<std::int64_t> sizes_;  ///< of all parts that were cut
        bool ended_ = false;
        bool refused_ = false;  ///< the store takes no more of it
    };

    explicit LogShipper(Service& service) : service_(service) {}
    [[nodiscard]] std::shared_ptr<Feed> feed(std::string token, std::shared_ptr<AttemptLog> log);
    /// The command has ended. Returns where its output will be when all is sent.
    [[nodiscard]] LogPlace end(Feed& feed);
    /// Cuts what has been printed since into parts.
    void collect();
    /// Sends the parts, and keeps those that it could not send. Throws nothing: what keeps it from sending
    /// keeps others from writing, who will say so.
    void send() noexcept;
    [[nodiscard]] bool has_unsent() const noexcept;

private:
    static void cut(Feed& feed);

    Service& service_;
    std::vector<std::shared_ptr<Feed>> feeds_;
};

}  // namespace turboci
