// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>

#include "cli/app.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"
#include "os/leftovers.hpp"
#include "os/log_file.hpp"
#include "os/process_identity.hpp"
#include "os/settings.hpp"

namespace turboci::cli {

namespace {

RemoteStores remote_stores;

/// Where logs go that are written here while the store is elsewhere.
constexpr const char* kDefaultStore = "turboci.db";

/// An empty variable counts as absent.
std::optional<std::string> environment(const char* name) {
    std::string value = environment_variable(name);
    if (value.empty()) return std::nullopt;
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
    for (const char* name : {"TURBOCI_ACTOR", "USER", "LOGNAME"}) {
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
    parser.option("--actor", "NAME", actor, "who writes (default: $TURBOCI_ACTOR, else $USER)");
    parser.option("--op-id", "ID", op_id, "idempotency key: a write that was seen before changes nothing");
}

void set_remote_stores(const RemoteStores& stores) noexcept { remote_stores = stores; }

Context::Context(GlobalOptions options, std::string_view command)
    : options_(std::move(options)), command_(command), out_(STDOUT_FILENO) {
    const auto store = environment("TURBOCI_STORE");
    store_url_ = options_.store ? *options_.store : store.value_or(kDefaultStore);
    is_service_ = remote_stores.serves != nullptr && remote_stores.serves(store_url_);
    is_remote_ = is_service_ || is_server_store(store_url_);
    store_path_ = is_remote_ ? kDefaultStore : store_file(store_url_);
    const auto place = [](const std::string& url) { return real_path(store_file(url)); };
    foreign_store_ = store && options_.store && place(store_url_) != place(*store);
    wait_.at_most = options_.lock_timeout;
    wait_.on_wait = [this](const std::string& holder) {
        if (is_service_) return note("waiting for the server " + holder);
        note("waiting for the lock of " + store_name() + (holder.empty() ? "" : ", held by " + holder));
    };
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

std::string Context::store_for_stages() const {
    if (is_remote_) return store_url_;
    std::error_code error;
    const auto path = std::filesystem::canonical(store_path_, error);
    if (error) throw Error(ErrorCode::store, "cannot find " + store_path_, "has the store been moved?");
    return path.string();
}

bool Context::color() const { return wants_color(options_.color, STDOUT_FILENO); }

void Context::refuse_service() const {
    throw Error(ErrorCode::usage,
                command_ + " is for the file of a store, and " + store_url_ + " is a server",
                "run it where the server's store is");
}

Store& Context::store(Open mode) {
    if (store_) return *store_;
    if (is_service_) refuse_service();
    StoreOptions how;
    how.create = mode == Open::create;
    how.read_only = mode == Open::read;
    how.command = command_;
    how.on_upgrade = [this](const std::string& sentence) { note(sentence); };
    store_ = open_store(store_url_, std::move(how), wait_);
    return *store_;
}

Service& Context::service(Open mode) {
    if (!service_ && is_service_) service_ = remote_stores.open(store_url_, wait_);
    if (!service_) {
        ServiceOptions options;
        options.probe = [path = is_remote_ ? store_url_ : real_path(store_path_)](
                            const RunnerIdentity& runner) { return probe_runner(runner, path); };
        options.open_output = log_files_of(real_path(store_path_));
        options.lost_after = lost_after_;
        options.wait = wait_;
        service_ = make_local_service(store(mode), std::move(options));
    }
    return *service_;
}

WorkPlan Context::fixed_plan(Open mode) {
    WorkPlan plan = service(mode).get_plan(plan_);
    require_identity(plan_, plan.identity, plan_identity_);
    plan_ = plan.id;
    plan_identity_ = plan.identity;
    return plan;
}

WorkPlan Context::wait_for_change(Open mode, std::int64_t seen, Duration at_most,
                                  std::function<bool()> give_up) {
    Wait wait = wait_;
    wait.give_up = std::move(give_up);
    WorkPlan plan = service(mode).with(std::move(wait))->watch(plan_, seen, at_most);
    require_identity(plan_, plan.identity, plan_identity_);
    return plan;
}

WriteNodes Context::begin_write(const WriteFlags& flags) {
    WriteNodes request;
    finish_write(request, flags);
    return request;
}

void Context::finish_write(WriteNodes& request, const WriteFlags& flags) {
    request.plan = plan_;
    request.inside = inside();
    if (!foreign_store_) request.token = environment("TURBOCI_TOKEN").value_or("");
    if (flags.reason) request.reason = *flags.reason;
    if (flags.actor) request.actor = *flags.actor;
    if (flags.op_id) request.op_id = *flags.op_id;
    if (request.actor.empty()) request.actor = default_actor();
}

bool Context::chooses_same_plan(const std::string& other) {
    if (plan_is_new_) return false;
    try {
        Service& service = this->service(Open::write);
        return service.get_plan(plan_).identity == service.get_plan(other).identity;
    } catch (const Error&) {
        return false;  // what is wrong with the plan is told by the write itself
    }
}

std::optional<AttemptRef> Context::inside() {
    const auto stage = environment("TURBOCI_STAGE");
    const auto plan = environment("TURBOCI_PLAN");
    if (!stage || foreign_store_ || (plan && *plan != plan_ && !chooses_same_plan(*plan)))
        return std::nullopt;
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
