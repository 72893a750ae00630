// SPDX-License-Identifier: Apache-2.0
// One call of a server: who makes it, what is logged of it, and how it ends.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/attempt_token.hpp"
#include "grpc/convert.hpp"
#include "grpc/errors.hpp"
#include "grpc/host.hpp"

namespace turboci::rpc {

/// A caller is known by a bearer token of the server's file, or by the token of an attempt, which speaks for
/// that attempt's plan alone.
struct Caller {
    server::Identity identity;
    bool is_known = false;              ///< the server has a token file, and the caller is in it
    std::string attempt_token;          ///< empty: none was given
    std::optional<AttemptToken> token;  ///< what it says, where it is one of this store
};

/// Lives until the call has ended. finish() may come from any thread.
class Call : public std::enable_shared_from_this<Call> {
public:
    /// `end` gives the status to gRPC; it is called once.
    Call(Host& host, grpc::CallbackServerContext& context, std::string_view method,
         std::function<void(const grpc::Status&)> end);

    /// UNAUTHENTICATED or PERMISSION_DENIED, thrown as a grpc::Status, unless the caller may do so. `plan`:
    /// what it is about; may be empty. An attempt of that plan may read it, too: prove() looks whether it is
    /// one.
    void authorise(server::Scope scope, const std::string& plan);
    /// The same for what an attempt may write into its plan: the rules look at its token then. `token`: that
    /// which the request itself carries.
    void authorise_attempt(server::Scope scope, const std::string& plan, const std::string& token = {});
    /// Before anything is read: UNAUTHENTICATED, thrown as a grpc::Status, if the caller has nothing but the
    /// token of an attempt that is not the current one, or has ended.
    void prove(server::Reader& reader) const;

    [[nodiscard]] Host& host() noexcept { return host_; }
    [[nodiscard]] const Caller& caller() const noexcept { return caller_; }
    [[nodiscard]] FieldNames& fields() noexcept { return fields_; }
    /// In whose name it writes. `wanted`: what the request says.
    [[nodiscard]] std::string actor(const std::string& wanted) const;
    /// Does nobody wait for the answer any more?
    [[nodiscard]] bool is_dropped() const { return context_.IsCancelled(); }
    [[nodiscard]] std::chrono::system_clock::time_point deadline() const { return context_.deadline(); }
    [[nodiscard]] const std::string& request_id() const noexcept { return request_id_; }
    void add_trailer(const std::string& key, const std::string& value) {
        context_.AddTrailingMetadata(key, value);
    }
    void count_bytes(std::size_t in, std::size_t out) noexcept {
        bytes_in_ += in;
        bytes_out_ += out;
    }

    /// Is called when the call has ended. Before anybody can end it.
    void on_end(std::function<void()> told) { on_end_ = std::move(told); }
    /// Ends the call, logs it and counts it. Only the first one counts.
    void finish(const grpc::Status& status);
    void finish() { finish(grpc::Status::OK); }
    /// With what is being handled as an exception: an Error, a grpc::Status, or anything else.
    void fail() noexcept;
    /// The status of that, for who ends the call later. Also when the caller is gone already.
    [[nodiscard]] grpc::Status status_of_exception() noexcept;
    /// Calls `body`; what it throws ends the call.
    template <class Body>
    void guard(const Body& body) noexcept {
        try {
            body();
        } catch (...) {
            fail();
        }
    }
    [[nodiscard]] grpc::Status refusal(grpc::StatusCode code, const std::string& message,
                                       const std::string& reason) const {
        return server_status(code, message, reason, request_id_);
    }
    /// Too much waits already.
    [[nodiscard]] grpc::Status queue_full() const;

    /// In a reader's thread: `body` gets the Reader, and ends the call unless it throws. `admitted`: not
    /// refused however many wait.
    void read(std::function<void(server::Reader&)> body, bool admitted = false);
    /// In the writer's thread, in a batch; `done` gets the result after the commit, and ends the call.
    void write(WriteNodes request, std::size_t bytes, std::function<void(WriteResult&&)> done);
    /// The same, and `done` gets the nodes `shown` as they are then.
    void write(WriteNodes request, std::vector<RefText> shown, std::size_t bytes,
               std::function<void(WriteResult&&, const server::WrittenNodes&)> done);
    /// In the writer's thread, alone; `body` ends the call unless it throws.
    void change(std::size_t bytes, std::function<void(Service&)> body);

private:
    void identify();
    void identify(const std::string& plan, const std::string& token);
    /// Does the token say that it is of this plan? Anybody can write that.
    [[nodiscard]] bool has_token_of(const std::string& plan) const;
    [[noreturn]] void refuse() const;
    [[nodiscard]] std::string log_line(const grpc::Status& status, std::chrono::microseconds took) const;

    Host& host_;
    grpc::CallbackServerContext& context_;
    std::string method_, request_id_, plan_, peer_, failure_;
    std::function<void(const grpc::Status&)> end_;
    std::function<void()> on_end_;
    Caller caller_;
    bool by_number_ = false;   ///< the caller wants places by their numbers
    bool must_prove_ = false;  ///< it may read if its token is a true one
    FieldNames fields_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::atomic<bool> ended_ = false;
    std::atomic<std::size_t> bytes_in_ = 0, bytes_out_ = 0;
};

using CallPtr = std::shared_ptr<Call>;

/// Begins a unary call: `body` gets it, and sees to it that it ends.
template <class Body>
grpc::ServerUnaryReactor* unary(Host& host, grpc::CallbackServerContext* context, std::string_view method,
                                const google::protobuf::Message& request, const Body& body) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    const auto call = std::make_shared<Call>(
        host, *context, method, [reactor](const grpc::Status& status) { reactor->Finish(status); });
    call->count_bytes(request.ByteSizeLong(), 0);
    call->guard([&] { body(call); });
    return reactor;
}

}  // namespace turboci::rpc
