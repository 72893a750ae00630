// SPDX-License-Identifier: Apache-2.0
#include "grpc/call.hpp"

#include <fmt/core.h>

#include <exception>

#include "service/view.hpp"
#include "turboci/json_text.hpp"
#include "turboci/work_plan.hpp"

namespace turboci::rpc {

namespace {

constexpr std::size_t kMaxRequestIdBytes = 128;
constexpr std::string_view kBearer = "Bearer ";

/// The first value of a key of the caller's metadata; empty: none.
std::string metadata(const grpc::CallbackServerContext& context, const char* key) {
    const auto found = context.client_metadata().find(key);
    if (found == context.client_metadata().end()) return {};
    return {found->second.data(), found->second.size()};
}

bool is_local_peer(std::string_view peer) {
    return peer.starts_with("unix:") || peer.starts_with("ipv4:127.") || peer.starts_with("ipv6:[::1]") ||
           peer.starts_with("ipv6:%5B::1%5D");
}

}  // namespace

Call::Call(Host& host, grpc::CallbackServerContext& context, std::string_view method,
           std::function<void(const grpc::Status&)> end)
    : host_(host), context_(context), method_(method), peer_(context.peer()), end_(std::move(end)) {
    request_id_ = metadata(context, "x-request-id");
    if (request_id_.empty() || request_id_.size() > kMaxRequestIdBytes || has_control_character(request_id_))
        request_id_ = new_identity();
    context.AddTrailingMetadata("x-request-id", request_id_);
    by_number_ = metadata(context, kPlacesKey) == kPlacesByNumber;
}

void Call::identify() {
    const auto known = host_.identities();
    if (!known) {
        caller_.identity.scopes = server::kAllScopes;
        return;
    }
    const std::string header = metadata(context_, "authorization");
    if (!header.empty()) {
        const auto found = header.starts_with(kBearer)
                               ? known->find(std::string_view(header).substr(kBearer.size()))
                               : std::nullopt;
        if (!found)
            throw refusal(grpc::StatusCode::UNAUTHENTICATED, "the bearer token is not known here",
                          "WRONG_TOKEN");
        caller_.identity = *found;
        caller_.is_known = true;
        return;
    }
    // Over TLS with a client's certificate the subject is the name.
    const auto auth = context_.auth_context();
    if (auth && auth->IsPeerAuthenticated()) {
        for (const auto& name : auth->GetPeerIdentity()) {
            caller_.identity.name.assign(name.data(), name.size());
            caller_.identity.scopes = server::kAllScopes & ~server::bits(server::Scope::actor);
            caller_.is_known = true;
            return;
        }
    }
}

bool Call::has_token_of(const std::string& plan) const {
    return caller_.token && caller_.token->plan == plan;
}

void Call::identify(const std::string& plan, const std::string& token) {
    plan_ = plan;
    identify();
    caller_.attempt_token = token.empty() ? metadata(context_, "turboci-attempt") : token;
    if (!caller_.attempt_token.empty()) {
        auto told = parse_attempt_token(caller_.attempt_token);
        // The rules look at the rest of it when it writes; of another store they would not.
        if (told && told->store == host_.store_identity()) caller_.token = std::move(told);
    }
}

void Call::refuse() const {
    if (caller_.is_known)
        throw refusal(grpc::StatusCode::PERMISSION_DENIED,
                      fmt::format("{} may not do that", caller_.identity.name), "NOT_ALLOWED");
    throw refusal(grpc::StatusCode::UNAUTHENTICATED,
                  "send a bearer token as `authorization`, or the token of an attempt as `turboci-attempt`",
                  "NO_TOKEN");
}

void Call::authorise(server::Scope scope, const std::string& plan) {
    identify(plan, {});
    if (caller_.identity.may(scope)) return;
    must_prove_ = scope == server::Scope::read && has_token_of(plan);
    if (!must_prove_) refuse();
}

void Call::authorise_attempt(server::Scope scope, const std::string& plan, const std::string& token) {
    identify(plan, token);
    if (!caller_.identity.may(scope) && !has_token_of(plan)) refuse();
}

void Call::prove(server::Reader& reader) const {
    if (!must_prove_) return;
    const auto snapshot = reader.store->read({});
    if (!service::is_current(*snapshot, *caller_.token))
        throw refusal(grpc::StatusCode::UNAUTHENTICATED,
                      "the attempt of this token has ended, or is not the current one", "ATTEMPT_GONE");
}

std::string Call::actor(const std::string& wanted) const {
    const bool may_say = caller_.identity.may(server::Scope::actor);
    if (!wanted.empty() && may_say) return wanted;
    if (!caller_.identity.name.empty()) return caller_.identity.name;
    return wanted.empty() || caller_.is_known ? "grpc" : wanted;
}

void Call::finish(const grpc::Status& status) {
    if (ended_.exchange(true)) return;
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_);
    host_.metrics().add_call(method_, name_of(status.error_code()), took);
    const auto log = host_.options().log;
    const std::string line = log ? log_line(status, took) : std::string();
    // What it holds may be gone as soon as gRPC has the status, and the server with it.
    const auto end = std::move(end_);
    const auto told = std::move(on_end_);
    end(status);
    if (log) log(line);  // nobody waits for it
    if (told) told();
}

void Call::fail() noexcept { finish(status_of_exception()); }

grpc::Status Call::status_of_exception() noexcept {
    try {
        throw;
    } catch (const grpc::Status& status) {
        return status;
    } catch (const Error& error) {
        if (error.code() == ErrorCode::internal || error.code() == ErrorCode::store) failure_ = error.what();
        if (error.code() == ErrorCode::internal) return internal_status(request_id_);
        ErrorContext about;
        about.fields = &fields_;
        about.request_id = request_id_;
        about.subject_type = "work_plan";
        about.subject = plan_;
        about.is_local = is_local_peer(peer_);
        about.by_number = by_number_;
        return to_status(error, about);
    } catch (const std::exception& error) {
        failure_ = error.what();
    } catch (...) {
        failure_ = "something that is no exception was thrown";
    }
    return internal_status(request_id_);
}

grpc::Status Call::queue_full() const {
    if (host_.is_draining()) return refusal(grpc::StatusCode::UNAVAILABLE, "the server stops", "STOPPING");
    return refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls wait already", "QUEUE_FULL");
}

std::string Call::log_line(const grpc::Status& status, std::chrono::microseconds took) const {
    const double ms = static_cast<double>(took.count()) / 1000;
    std::string line = fmt::format(
        R"({{"time":"{}","level":"{}","request_id":{},"peer":{},"identity":{},"method":"{}","plan":{},"code":"{}","ms":{:.3f},"bytes_in":{},"bytes_out":{})",
        format_timestamp(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())),
        failure_.empty() ? "info" : "error", json_string(request_id_), json_string(peer_),
        json_string(caller_.identity.name), method_, json_string(plan_), name_of(status.error_code()), ms,
        bytes_in_.load(), bytes_out_.load());
    if (!failure_.empty()) line += fmt::format(",\"failure\":{}", json_string(failure_));
    return line + "}";
}

void Call::read(std::function<void(server::Reader&)> body, bool admitted) {
    const auto call = shared_from_this();
    server::ReaderPool::Job job = [call, body = std::move(body)](server::Reader& reader) {
        call->guard([&] {
            call->prove(reader);
            body(reader);
        });
    };
    auto failed = [call](const Error& error) { call->guard([&] { throw Error(error); }); };
    const bool taken = admitted ? host_.readers().push_admitted(std::move(job), std::move(failed))
                                : host_.readers().push(std::move(job), std::move(failed));
    if (!taken) throw queue_full();
}

void Call::write(WriteNodes request, std::size_t bytes, std::function<void(WriteResult&&)> done) {
    write(std::move(request), {}, bytes,
          [done = std::move(done)](WriteResult&& result, const server::WrittenNodes&) {
              done(std::move(result));
          });
}

void Call::write(WriteNodes request, std::vector<RefText> shown, std::size_t bytes,
                 std::function<void(WriteResult&&, const server::WrittenNodes&)> done) {
    const auto call = shared_from_this();
    server::QueuedWrite write;
    write.request = std::move(request);
    write.shown = std::move(shown);
    write.bytes = bytes;
    write.is_dropped = [call] { return call->is_dropped(); };
    write.done = [call, done = std::move(done)](BatchAnswer answer, const server::WrittenNodes& nodes) {
        call->guard([&] {
            if (answer.error) throw Error(*answer.error);
            done(std::move(answer.result).value(), nodes);
        });
    };
    if (!host_.writes().push(std::move(write))) throw queue_full();
}

void Call::change(std::size_t bytes, std::function<void(Service&)> body) {
    const auto call = shared_from_this();
    server::QueuedCall change;
    change.bytes = bytes;
    change.is_dropped = [call] { return call->is_dropped(); };
    change.call = [call, body = std::move(body)](Service& service) { call->guard([&] { body(service); }); };
    change.failed = [call](const Error& error) { call->guard([&] { throw Error(error); }); };
    if (!host_.writes().push(std::move(change))) throw queue_full();
}

}  // namespace turboci::rpc
