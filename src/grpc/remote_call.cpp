// SPDX-License-Identifier: Apache-2.0
#include "grpc/remote_call.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <string_view>
#include <utility>
#include <vector>

#include "turboci/problems.hpp"

namespace turboci::rpc {

namespace {

using Monotonic = std::chrono::steady_clock;

constexpr std::string_view kPlain = "grpc://", kTls = "grpcs://", kOverUnix = "grpc+unix://";
constexpr std::chrono::milliseconds kFirstPause{10}, kLongestPause{1000};
constexpr int kTries = 5;

/// What gRPC calls the address.
std::string target_of(const std::string& url) {
    if (url.starts_with(kOverUnix)) return "unix:" + url.substr(kOverUnix.size());
    return url.substr(url.find("://") + 3);
}

/// Where each numbered place of a request is here.
std::vector<Position> places(const WriteNodes& here, const WriteNodes& there) {
    std::vector<Position> positions;
    visit_positions(here, [&](const Position& at) { positions.push_back(at); });
    std::vector<Position> numbered;
    std::size_t i = 0;
    visit_positions(there, [&](const Position& at) {
        if (numbered.size() <= at.line) numbered.resize(at.line + 1);
        if (i < positions.size()) numbered[at.line] = positions[i];
        ++i;
    });
    return numbered;
}

/// `text` with the places of this side where it names places of the request.
std::string replace_places(const std::string& text, const std::vector<Position>& places,
                           const std::vector<std::string>& files) {
    std::string out;
    std::string_view rest = text;
    while (true) {
        const std::size_t found = rest.find(kRequestFile);
        out += rest.substr(0, found);
        if (found == std::string_view::npos) return out;
        rest.remove_prefix(found + kRequestFile.size());
        std::size_t number = 0;
        const char* const begin = rest.data() + (rest.empty() ? 0 : 1);
        const auto [end, error] = std::from_chars(begin, rest.data() + rest.size(), number);
        const bool known = rest.starts_with(':') && error == std::errc() && number < places.size() &&
                           places[number].line != 0 && places[number].file < files.size();
        if (!known) {
            out += kRequestFile;
            continue;
        }
        const Position& at = places[number];
        out += fmt::format("{}:{}:{}", files[at.file], at.line, at.column);
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        if (rest.starts_with(":1")) rest.remove_prefix(2);
    }
}

}  // namespace

bool is_server_url(const std::string& url) {
    return url.starts_with(kPlain) || url.starts_with(kTls) || url.starts_with(kOverUnix);
}

CallThread::CallThread() {
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { work(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CallThread::~CallThread() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void CallThread::run(const std::function<void()>& job) const {
    std::unique_lock lock(mutex_);
    job_ = &job;
    changed_.notify_all();
    changed_.wait(lock, [this] { return job_ == nullptr; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void CallThread::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopped_ || job_ != nullptr; });
        if (stopped_) return;
        try {
            (*job_)();
        } catch (...) {
            failure_ = std::current_exception();
        }
        job_ = nullptr;
        changed_.notify_all();
    }
}

Connection::Connection(const RemoteOptions& options)
    : url_(options.url), bearer_token_(options.bearer_token), attempt_token_(options.attempt_token) {
    const std::string target = target_of(url_);
    if (!is_server_url(url_) || target.empty() || target == "unix:")
        throw Error(ErrorCode::usage, fmt::format("'{}' is no server", url_),
                    "write grpc://HOST:PORT, grpcs://HOST:PORT or grpc+unix:///PATH");
    if (options.client_certificate.empty() != options.client_key.empty())
        throw Error(ErrorCode::usage,
                    "a certificate for the server needs its key, and a key its certificate");
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetMaxSendMessageSize(-1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(kFirstPause.count()));
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(kLongestPause.count()));
    // One process, one server: nothing is gained by asking DNS for a policy.
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    thread_.run([&] {
        auto credentials = grpc::InsecureChannelCredentials();
        if (url_.starts_with(kTls)) {
            grpc::SslCredentialsOptions tls;
            tls.pem_root_certs = options.root_certificates;
            tls.pem_cert_chain = options.client_certificate;
            tls.pem_private_key = options.client_key;
            credentials = grpc::SslCredentials(tls);
        }
        channel_ = grpc::CreateCustomChannel(target, credentials, arguments);
    });
}

void Connection::begin(grpc::ClientContext& context) const {
    if (!bearer_token_.empty()) context.AddMetadata("authorization", "Bearer " + bearer_token_);
    if (!attempt_token_.empty()) context.AddMetadata("turboci-attempt", attempt_token_);
    context.AddMetadata(kPlacesKey, kPlacesByNumber);
}

void Connection::call(const Wait& wait, bool again,
                      const std::function<grpc::Status(grpc::ClientContext&)>& call) const {
    thread_.run([&] { call_here(wait, again, call); });
}

void Connection::call_here(const Wait& wait, bool again,
                           const std::function<grpc::Status(grpc::ClientContext&)>& call) const {
    const auto until = Monotonic::now() + wait.at_most;
    std::chrono::milliseconds pause = kFirstPause;
    bool said = !wait.on_wait;
    for (int tried = 1;; ++tried) {
        grpc::ClientContext context;
        begin(context);
        const grpc::Status status = call(context);
        if (status.ok()) return;
        Error error = to_error(status);
        // A request that never left was not done, whatever it asks.
        const bool unsent = status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                            channel_->GetState(false) != GRPC_CHANNEL_READY;
        const bool passes = status.error_code() == grpc::StatusCode::UNAVAILABLE && (again || unsent);
        const auto now = Monotonic::now();
        const bool gives_up = wait.give_up && wait.give_up();
        if (!passes || now >= until || gives_up || (!unsent && tried >= kTries)) {
            if (status.error_code() == grpc::StatusCode::UNAVAILABLE && unsent)
                throw Error(ErrorCode::locked, fmt::format("the server {} cannot be reached", url_),
                            "see whether it runs, or raise --lock-timeout");
            throw Error(error);
        }
        if (!std::exchange(said, true)) wait.on_wait(url_);
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, until - now));
        pause = std::min(2 * pause, kLongestPause);
    }
}

Error with_places(const Error& error, const WriteNodes& here, const WriteNodes& there) {
    const auto numbered = places(here, there);
    if (error.details().empty())
        return Error(error.code(), replace_places(error.what(), numbered, here.files), error.remedy())
            .because(std::string(error.reason()));
    Problems problems;
    for (const ErrorDetail& problem : error.details()) {
        const Position at = problem.line < numbered.size() ? numbered[problem.line] : Position();
        problems.add(problem.code, at, replace_places(problem.message, numbered, here.files));
    }
    try {
        problems.raise(here.files);
    } catch (const Error& placed) {
        return Error(placed.code(), placed.what(), error.remedy(), placed.details())
            .because(std::string(error.reason()));
    }
}

std::string with_places(const std::string& text, const WriteNodes& here, const WriteNodes& there) {
    return replace_places(text, places(here, there), here.files);
}

}  // namespace turboci::rpc
