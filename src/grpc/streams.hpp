// SPDX-License-Identifier: Apache-2.0
// Calls of which one side streams: an answer in parts, a request in parts.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "grpc/call.hpp"
#include "grpc/spool.hpp"

namespace turboci::rpc {

inline constexpr std::size_t kSpoolBytes = std::size_t{64} << 20;

/// Streams what one reading of the store brings. The reading is over before the first part is sent.
template <class Message>
class AnswerStream final : public grpc::ServerWriteReactor<Message> {
public:
    using Put = std::function<void(Message)>;
    /// In a reader's thread: hands over the parts.
    using Produce = std::function<void(server::Reader& reader, const Put& put)>;
    /// The same, again and again: returns after how long there may be more, or nothing at the end.
    using Follow = std::function<std::optional<Duration>(server::Reader& reader, const Put& put)>;

    /// Deletes itself when the call is over. `begin` checks the request, and returns what produces the
    /// answer.
    static grpc::ServerWriteReactor<Message>* start(Host& host, grpc::CallbackServerContext* context,
                                                    std::string_view method,
                                                    const google::protobuf::Message& request,
                                                    const std::function<Produce(Call&)>& begin) {
        return start_following(host, context, method, request, [begin](Call& call) -> Follow {
            return
                [produce = begin(call)](server::Reader& reader, const Put& put) -> std::optional<Duration> {
                    produce(reader, put);
                    return std::nullopt;
                };
        });
    }
    static grpc::ServerWriteReactor<Message>* start_following(Host& host,
                                                              grpc::CallbackServerContext* context,
                                                              std::string_view method,
                                                              const google::protobuf::Message& request,
                                                              const std::function<Follow(Call&)>& begin) {
        auto* const stream = new AnswerStream;
        const auto call = std::make_shared<Call>(
            host, *context, method, [stream](const grpc::Status& status) { stream->Finish(status); });
        call->count_bytes(request.ByteSizeLong(), 0);
        call->guard([&] {
            stream->call_ = call;
            stream->produce_ = begin(*call);
            call->read([stream](server::Reader& reader) { stream->run(reader); });
        });
        return stream;
    }

    void OnWriteDone(bool ok) override {
        if (ok) return next();
        end(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

private:
    void run(server::Reader& reader) {
        spool_.emplace(kSpoolBytes);
        pause_ = produce_(reader, [this](Message message) {
            call_->count_bytes(0, message.ByteSizeLong());
            spool_->put(std::move(message));
        });
        next();
    }
    void next() {
        const CallPtr call = call_;  // stays while this may be deleted
        call->guard([&] {
            if (spool_->take(message_)) return this->StartWrite(&message_);
            if (!pause_) return end(grpc::Status::OK);
            call->host().timers().at(std::chrono::steady_clock::now() + *pause_, call, [this] { again(); });
        });
    }
    /// In the timers' thread.
    void again() {
        const CallPtr call = call_;
        call->guard([&] {
            if (call->is_dropped()) return end(grpc::Status::CANCELLED);
            if (call->host().is_draining())
                throw call->refusal(grpc::StatusCode::UNAVAILABLE, "the server stops", "STOPPING");
            call->read([this](server::Reader& reader) { run(reader); }, true);
        });
    }
    void end(const grpc::Status& status) { CallPtr(call_)->finish(status); }

    CallPtr call_;
    Follow produce_;
    std::optional<Spool<Message>> spool_;  ///< of one reading
    std::optional<Duration> pause_;        ///< before the next one
    Message message_;
};

/// Takes a request in parts.
template <class Request, class Response>
class RequestStream final : public grpc::ServerReadReactor<Request> {
public:
    /// Both may throw. `take` gets each part; `end` gets the call when all parts are there, and sees to it
    /// that it ends.
    struct Steps {
        std::function<void(Call& call, Request& part)> take;
        std::function<void(const CallPtr& call, Response& response)> end;
    };

    /// Deletes itself when the call is over.
    static grpc::ServerReadReactor<Request>* start(Host& host, grpc::CallbackServerContext* context,
                                                   std::string_view method, Response* response, Steps steps) {
        auto* const stream = new RequestStream(response, std::move(steps));
        stream->call_ = std::make_shared<Call>(
            host, *context, method, [stream](const grpc::Status& status) { stream->Finish(status); });
        stream->StartRead(&stream->part_);
        return stream;
    }

    void OnReadDone(bool ok) override {
        const CallPtr call = call_;  // stays while this may be deleted
        call->guard([&] {
            if (!ok) {
                if (call->is_dropped()) return call->finish(grpc::Status::CANCELLED);
                return steps_.end(call, *response_);
            }
            call->count_bytes(part_.ByteSizeLong(), 0);
            steps_.take(*call, part_);
            this->StartRead(&part_);
        });
    }
    void OnDone() override { delete this; }

private:
    RequestStream(Response* response, Steps steps) : response_(response), steps_(std::move(steps)) {}

    CallPtr call_;
    Response* response_;
    Steps steps_;
    Request part_;
};

}  // namespace turboci::rpc
