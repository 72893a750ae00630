// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "cli/app.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"
#include "os/leftovers.hpp"
#include "os/process_identity.hpp"

namespace turboci::cli {

namespace {

/// An empty variable counts as absent.
std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

std::string real_path(const std::string& path) {
    char* resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return path;
    std::string result = resolved;
    std::free(resolved);
    return result;
}

std::string default_actor() {
    for (const char* name : {"USER", "LOGNAME"}) {
        if (auto value = environment(name)) return *value;
    }
    return "uid:" + std::to_string(::getuid());
}

}  // namespace

namespace {

/// What can be seen of a runner from here.
Liveness probe_runner(const RunnerIdentity& runner, const std::string& store_path) {
    if (!runner_is_alive_or_cleared(runner, store_path)) return Liveness::gone;
    static const RunnerIdentity kMe = this_runner();
    return runner.host == kMe.host && runner.boot_id == kMe.boot_id ? Liveness::alive : Liveness::unknown;
}

}  // namespace

void WriteFlags::declare(Parser& parser) {
    parser.option("--reason", "TEXT", reason, "why, for the log");
    parser.option("--actor", "NAME", actor, "who writes (default: $USER)");
    parser.option("--op-id", "ID", op_id, "idempotency key: a write that was seen before changes nothing");
}

Context::Context(GlobalOptions options, std::string_view command)
    : options_(std::move(options)), command_(command), out_(STDOUT_FILENO) {
    const auto store = environment("TURBOCI_STORE");
    store_path_ = options_.store ? *options_.store : store.value_or("turboci.db");
    foreign_store_ = store && options_.store && real_path(*options_.store) != real_path(*store);
    plan_ = options_.plan ? *options_.plan : environment("TURBOCI_PLAN").value_or("");
}

Context::~Context() {
    // Between transactions a store holds nothing but memory and an idle lock file.
    if (store_) leave_to_kernel(std::move(store_));
}

void Context::close_store() noexcept {
    service_.reset();
    store_.reset();
}

bool Context::color() const { return wants_color(options_.color, STDOUT_FILENO); }

Store& Context::store(Open mode) {
    if (store_) return *store_;
    StoreOptions how;
    how.path = store_path_;
    how.create = mode == Open::create;
    how.read_only = mode == Open::read;
    how.lock_timeout = options_.lock_timeout;
    how.command = command_;
    how.on_wait = [this](const std::string& holder) {
        note("waiting for the lock of " + store_path_ + (holder.empty() ? "" : ", held by " + holder));
    };
    how.give_up = [stop = stop_waiting_] { return stop->load(); };
    how.on_upgrade = [this](const std::string& sentence) { note(sentence); };
    store_ = open_sqlite_store(std::move(how));
    return *store_;
}

Service& Context::service(Open mode) {
    if (!service_) {
        ServiceOptions options;
        options.probe = [path = real_path(store_path_)](const RunnerIdentity& runner) {
            return probe_runner(runner, path);
        };
        options.lost_after = lost_after_;
        service_ = make_local_service(store(mode), system_clock(), std::move(options));
    }
    return *service_;
}

WriteNodes Context::begin_write(const WriteFlags& flags) const {
    WriteNodes request;
    finish_write(request, flags);
    return request;
}

void Context::finish_write(WriteNodes& request, const WriteFlags& flags) const {
    request.plan = plan_;
    request.inside = inside();
    if (!foreign_store_) request.token = environment("TURBOCI_TOKEN").value_or("");
    if (flags.reason) request.reason = *flags.reason;
    if (flags.actor) request.actor = *flags.actor;
    if (flags.op_id) request.op_id = *flags.op_id;
    if (request.actor.empty()) request.actor = default_actor();
}

std::optional<AttemptRef> Context::inside() const {
    const auto stage = environment("TURBOCI_STAGE");
    const auto plan = environment("TURBOCI_PLAN");
    if (!stage || foreign_store_ || (plan && *plan != plan_)) return std::nullopt;
    const auto attempt = environment("TURBOCI_ATTEMPT");
    if (!attempt) {
        throw Error(ErrorCode::usage, "TURBOCI_STAGE is set but TURBOCI_ATTEMPT is not",
                    "set both or neither");
    }
    return AttemptRef{*stage,
                      static_cast<std::int32_t>(parse_number("TURBOCI_ATTEMPT", *attempt, 1, INT32_MAX))};
}

void Context::note(const std::string& text) const {
    if (!options_.quiet) print_to_stderr(in_charset("turboci: " + printable(text), utf8()));
}

void Context::warn(const std::string& text) const {
    if (!options_.quiet) print_to_stderr(in_charset("turboci: warning: " + printable(text), utf8()));
}

void Context::print_json(const std::string& compact) {
    if (format() == Format::yaml) {
        out_.write(json_to_yaml(compact));
        return;
    }
    out_.write(format() == Format::json && out_.is_terminal() ? indent_json(compact) : compact);
    out_.write("\n");
}

void Context::print_confirmation(const std::string& text) {
    if (!options_.quiet) out_.write(text);
}

}  // namespace turboci::cli
