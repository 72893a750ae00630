// SPDX-License-Identifier: Apache-2.0
// Calls of a server, as a client makes them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "grpc/errors.hpp"
#include "grpc/remote.hpp"

namespace turboci::rpc {

/// A thread with all signals blocked, for one job after another. Threads that gRPC makes in it inherit that,
/// so that no signal goes to one of them: who waits for signals, as a run does, is in another thread.
class CallThread {
public:
    CallThread();
    ~CallThread();
    CallThread(const CallThread&) = delete;
    CallThread& operator=(const CallThread&) = delete;
    /// Returns when the job is done; throws what it throws.
    void run(const std::function<void()>& job) const;

private:
    void work();

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    mutable const std::function<void()>* job_ = nullptr;
    mutable std::exception_ptr failure_;
    bool stopped_ = false;
    std::thread thread_;
};

/// A connection and the ways to call over it. Not thread-safe.
class Connection {
public:
    explicit Connection(const RemoteOptions& options);
    [[nodiscard]] const std::shared_ptr<grpc::Channel>& channel() const noexcept { return channel_; }

    /// Calls until it is answered, or the wait for the server is over. `call` gets a fresh context each time.
    /// Throws what the server refused. `again`: may a call that nobody has answered be made again?
    void call(const Wait& wait, bool again,
              const std::function<grpc::Status(grpc::ClientContext&)>& call) const;

private:
    void begin(grpc::ClientContext& context) const;

    void call_here(const Wait& wait, bool again,
                   const std::function<grpc::Status(grpc::ClientContext&)>& call) const;

    std::string url_, bearer_token_, attempt_token_;
    CallThread thread_;
    std::shared_ptr<grpc::Channel> channel_;
};

/// The Error of a request that a server refused, with the places that the request had here. `there`: the
/// request as the server has read it.
[[nodiscard]] Error with_places(const Error& error, const WriteNodes& here, const WriteNodes& there);
/// The same for a line of text.
[[nodiscard]] std::string with_places(const std::string& text, const WriteNodes& here,
                                      const WriteNodes& there);

}  // namespace turboci::rpc
