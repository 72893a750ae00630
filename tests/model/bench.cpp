// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "domain/attempt_token.hpp"
#include "service/local_service.hpp"
#include "store/memory/memory_store.hpp"
#include "support/node_list.hpp"
#include "support/packed.hpp"

namespace turboci::model {

namespace {

using namespace std::chrono_literals;

std::string text(const std::vector<std::string>& items) { return fmt::format("{}", fmt::join(items, ", ")); }
std::string text(const std::vector<NodeRef>& refs) {
    std::vector<std::string> names;
    for (const auto& r : refs) names.push_back(to_string(r));
    return text(names);
}
std::string sorted_text(std::vector<NodeRef> refs) {
    std::ranges::sort(refs);
    return text(refs);
}
std::string text(const std::set<ErrorCode>& codes) {
    std::vector<std::string> names;
    for (const auto c : codes) names.emplace_back(error_info(c).name);
    return names.empty() ? "success" : fmt::format("{}", fmt::join(names, " or "));
}

std::vector<std::string> moves(const WriteResult& result) {
    std::vector<std::string> lines;
    for (const auto& a : result.advanced) {
        std::string line = fmt::format("{} {} {}", to_string(a.node), to_string(a.from), to_string(a.to));
        if (a.outcome) line += fmt::format(" {}", to_string(*a.outcome));
        lines.push_back(std::move(line));
    }
    std::ranges::sort(lines);
    return lines;
}

std::optional<std::string> differ(std::string_view what, const std::string& product,
                                  const std::string& model) {
    if (product == model) return std::nullopt;
    return fmt::format("{}\n  product: {}\n  model:   {}", what, product, model);
}

/// In memory where that is possible: what survives a crash is tested elsewhere, and here it would cost the
/// most.
std::filesystem::path fast_directory() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code ignored;
    const bool there = std::filesystem::is_directory(memory, ignored) && ::access(memory.c_str(), W_OK) == 0;
    return there ? memory : std::filesystem::temp_directory_path();
}

std::optional<std::string> compare_answer(const WriteResult& result, const Answer& expected) {
    if (auto d = differ("replayed", fmt::format("{}", result.replayed), fmt::format("{}", expected.replayed)))
        return d;
    if (auto d = differ("version of the answer", std::to_string(result.plan.version),
                        std::to_string(expected.version)))
        return d;
    if (auto d = differ("created", text(result.created), text(expected.created))) return d;
    if (auto d = differ("changed", sorted_text(result.changed), sorted_text(expected.changed))) return d;
    if (auto d = differ("advanced", text(moves(result)), text(expected.advanced))) return d;
    std::vector<std::string> ended;
    for (const auto& e : result.ended) {
        ended.push_back(fmt::format("{} {} {}", e.stage, e.idx, to_string(e.state)));
        if (e.cause) ended.back() += fmt::format(" {}", to_string(*e.cause));
    }
    std::ranges::sort(ended);
    return differ("ended", text(ended), text(expected.ended));
}

}  // namespace

Bench::Bench(BenchStore store) {
    if (store == BenchStore::memory) {
        contents_ = std::make_shared<memory::Shared>();
        store_ = std::make_unique<memory::MemoryStore>(contents_, StoreOptions{.clock = &clock_});
    } else {
        dir_.emplace(fast_directory());
        StoreOptions options;
        options.create = true;
        options.clock = &clock_;
        options.command = "test of the model";
        store_ = open_store(*dir_ / "model.db", std::move(options));
    }
    endpoint_ = std::make_unique<LocalService>(*store_);
    endpoint_->set_runner_probe([this](const RunnerIdentity& id) { return course_.model.look_for(id); });
    store_identity_ = store_->read({})->store().identity;
}

void Bench::begin(Flaw flaw) {
    course_ = Course();
    course_.model = Model(flaw);
    course_.plan = fmt::format("p{}", ++plans_);
}

Bench::Place Bench::place() const { return {course_, clock_.reading, contents_->data()}; }

void Bench::go_to(const Place& place) {
    course_ = place.course;
    clock_.reading = place.now;
    contents_->publish(place.contents);
}

bool Bench::is_unchanged_since(const Place& place) const { return contents_->data() == place.contents; }

std::string Bench::identity(const std::string& holder) const {
    if (holder.empty()) return {};
    const auto named = course_.identities.find(holder);
    return named != course_.identities.end() ? named->second : course_.plan + "-" + holder;
}

std::string Bench::token_text(const ModelToken& token) const {
    return to_string(AttemptToken{token.other_store ? "elsewhere" : store_identity_,
                                  token.other_plan ? "earlier" : course_.plans.at(course_.model.plan().id),
                                  token.other_plan_id ? "another" : course_.model.plan().id, token.stage,
                                  token.idx, identity(token.holder)});
}

WriteNodes Bench::with_holders(WriteNodes request, const std::optional<ModelToken>& token) {
    auto stages = unpacked(request.stages);
    for (auto& w : stages)
        if (w.attempt && w.attempt->holder)
            w.attempt->holder->identity = identity(w.attempt->holder->identity);
    request.stages = packed(stages);
    if (request.claim) request.claim->holder = identity(request.claim->holder);
    if (token) request.token = token_text(*token);
    return request;
}

std::map<NodeRef, SkipCause> Bench::skips(const std::string& plan) {
    test::NodeList seen;
    QueryNodes all;
    all.plan = plan;
    endpoint_->query(all, seen);
    std::map<NodeRef, SkipCause> causes;
    for (const auto& c : seen.checks)
        if (c.skip_cause) causes[{NodeType::check, c.id}] = *c.skip_cause;
    for (const auto& s : seen.stages)
        if (s.skip_cause) causes[{NodeType::stage, s.id}] = *s.skip_cause;
    return causes;
}

WriteResult Bench::ask(const Operation& operation, const WriteNodes& request) {
    WriteNodes asked = with_holders(request, operation.token);
    asked.tick = operation.kind == OperationKind::tick;
    return operation.kind == OperationKind::claim ? endpoint_->claim(asked) : endpoint_->write_nodes(asked);
}

WriteResult Bench::ask(const Operation& operation, const CreatePlan& create, std::set<ErrorCode>& refused,
                       std::string& message) {
    try {
        if (course_.model.plan().version > 0) return ask(operation, create.nodes);
        WriteResult result = endpoint_->create_plan(create);
        course_.plans[course_.plan] = result.plan.identity;
        return result;
    } catch (const Error& e) {
        refuse(e, refused, message);
    }
    return {};
}

void Bench::refuse(const Error& error, std::set<ErrorCode>& refused, std::string& message) {
    refused.insert(error.code());
    message = error.what();
    for (const auto& d : error.details()) message += "; " + d.message;
}

/// A claim prints tokens; the holder that it did not name gets an identity by them.
std::optional<std::string> Bench::compare_claimed(const WriteResult& result) {
    std::vector<std::string> claimed;
    for (const auto& c : result.claimed) claimed.push_back(fmt::format("{} {}", c.stage.id, c.idx));
    if (auto d = differ("claimed", text(claimed), text(expected_.claimed))) return d;
    for (std::size_t i = 0; i < expected_.holders.size(); ++i) {
        const ClaimedAttempt& c = result.claimed[i];
        const auto token = parse_attempt_token(c.token);
        if (!token) return "a claim prints no token";
        const std::string& holder = expected_.holders[i];
        if (holder.starts_with("auto")) course_.identities[holder] = token->holder;
        const std::string& plan = course_.model.plan().id;
        const AttemptToken right{store_identity_, course_.plans.at(plan), plan, c.stage.id,
                                 c.idx,           identity(holder)};
        // The identity of one that a write set to RUNNING is told now.
        if (holder.starts_with(Model::kSecret)) continue;
        if (*token != right) return fmt::format("token of stage:{} {}", c.stage.id, c.idx);
    }
    return std::nullopt;
}

std::optional<std::string> Bench::step(const Operation& operation) {
    Model& model = course_.model;
    pass_time(clock_.reading, operation);
    const bool exists = !model.ids().empty();
    if (exists) model.turn_to(plan_of(model, operation));
    if (exists && operation.kind == OperationKind::rerun) return step_rerun(operation);
    CreatePlan create;
    create.id = course_.plan;
    create.nodes = operation.request;
    create.nodes.plan = exists ? model.plan().id : course_.plan;
    if (operation.kind > OperationKind::tick) {
        if (operation.kind == OperationKind::beat)
            static_cast<void>(endpoint_->beat({.holder = identity(operation.holder)}));
        expected_ = answer(model, operation, clock_.reading);
        return std::nullopt;
    }
    const std::int64_t before = model.plan().version;
    std::set<ErrorCode> refused;
    std::string message;
    const WriteResult result = ask(operation, create, refused, message);
    // A claim in vain is an error, and yet a write.
    bool skipped = before > 0 && !refused.empty() && operation.kind == OperationKind::claim;
    for (const auto& a : result.advanced) skipped |= a.outcome == Outcome::skipped;
    model.expect_skips(skipped ? skips(model.plan().id) : std::map<NodeRef, SkipCause>());
    Operation named = operation;
    named.request = create.nodes;
    expected_ = answer(model, named, clock_.reading);
    if (operation.kind == OperationKind::claim && expected_.errors.empty() && expected_.claimed.empty()) {
        // The write took place; only the caller gets nothing.
        if (!refused.contains(expected_.replayed ? ErrorCode::conflict : ErrorCode::pending))
            return fmt::format("a claim in vain\n  product: {}", text(refused));
        return compare_state();
    }
    if (refused.empty() != expected_.errors.empty() ||
        (!refused.empty() && !expected_.errors.contains(*refused.begin())))
        return fmt::format("answer\n  product: {} {}\n  model:   {}", text(refused), message,
                           text(expected_.errors));
    if (!refused.empty()) return std::nullopt;  // that it left no trace is seen after the next success
    if (auto d = compare_answer(result, expected_)) return d;
    if (auto d = compare_claimed(result)) return d;
    if (auto d = compare_state()) return d;
    return model.plan().version == before ? std::nullopt : compare_record(before);
}

/// The old plan and the new one, and what both have come to.
std::optional<std::string> Bench::step_rerun(const Operation& operation) {
    Model& model = course_.model;
    const std::string old = model.plan().id;
    const RerunPlan request = rerun_request(model, operation);
    std::set<ErrorCode> refused;
    std::string message;
    RerunResult result;
    try {
        result = endpoint_->rerun_plan(request);
    } catch (const Error& e) {
        refuse(e, refused, message);
    }
    const bool made = refused.empty() && !result.replayed && !result.nothing_to_do;
    model.expect_skips(made ? skips(old) : std::map<NodeRef, SkipCause>());
    model.expect_skips_in_new_plan(made ? skips(request.id) : std::map<NodeRef, SkipCause>());
    expected_ = answer(model, operation, clock_.reading);
    if (refused.empty() != expected_.errors.empty() ||
        (!refused.empty() && !expected_.errors.contains(*refused.begin())))
        return fmt::format("answer to a rerun\n  product: {} {}\n  model:   {}", text(refused), message,
                           text(expected_.errors));
    if (!refused.empty()) return std::nullopt;
    const auto says = [](const std::string& plan, std::int64_t version, bool nothing, bool again) {
        return fmt::format("{} at {} nothing to do {} replayed {}", plan, version, nothing, again);
    };
    if (auto d =
            differ("rerun", says(result.plan.id, result.plan.version, result.nothing_to_do, result.replayed),
                   says(expected_.plan, expected_.version, expected_.nothing_to_do, expected_.replayed)))
        return d;
    if (!made) return compare_state();
    course_.plans[result.plan.id] = result.plan.identity;
    if (auto d = differ("carried", text(result.carried), text(expected_.carried))) return d;
    if (auto d = differ("begun", text(result.begun), text(expected_.begun))) return d;
    if (auto d = differ("ended", sorted_text(result.ended), text(expected_.superseded))) return d;
    if (auto d = compare_state()) return d;
    if (auto d = compare_record(0)) return d;
    model.turn_to(old);
    expected_.recorded = expected_.superseded;
    const bool ended = !expected_.superseded.empty();
    const auto d = ended ? compare_record(model.plan().version - 1) : std::nullopt;
    model.turn_to(result.plan.id);
    return d;
}

/// All plans: what is asked of one changes no other.
std::optional<std::string> Bench::compare_state() {
    for (const auto& plan : course_.model.ids())
        if (auto d = compare_state(plan)) return d;
    return std::nullopt;
}

std::optional<std::string> Bench::compare_state(const std::string& plan) {
    test::NodeList seen;
    QueryNodes all;
    all.plan = plan;
    endpoint_->query(all, seen);
    const auto product = picture(seen.work_plan, seen.checks, seen.stages);
    const auto expected = picture(course_.model, course_.model.plan(plan));
    for (std::size_t i = 0; i < std::max(product.size(), expected.size()); ++i) {
        const std::string ours = i < product.size() ? product[i] : "nothing";
        const std::string theirs = i < expected.size() ? expected[i] : "nothing";
        if (auto d = differ("state", ours, theirs)) return d;
    }
    return compare_prose(course_.model.plan(plan), seen.checks);
}

/// What was recorded last is about the nodes that changed, and no others.
std::optional<std::string> Bench::compare_record(std::int64_t since) {
    std::vector<NodeRef> nodes;
    ReadLog log;
    log.plan = course_.model.plan().id;
    log.since = since;
    endpoint_->read_log(log, [&](const LogEntry& e) {
        if (e.node && std::ranges::find(nodes, *e.node) == nodes.end()) nodes.push_back(*e.node);
    });
    std::ranges::sort(nodes);
    return differ("recorded", text(nodes), text(expected_.recorded));
}

/// Every state that is reached can be exported, imported, and exported as the same bytes.
std::optional<std::string> Bench::compare_copy() {
    const std::string plan = course_.model.plan().id;
    const auto exported = [&] {
        std::string lines;
        endpoint_->export_plan(plan, [&](std::string_view line) { lines.append(line).append("\n"); });
        return lines;
    };
    try {
        const std::string before = exported();
        endpoint_->delete_plan(plan, true);
        endpoint_->import_plan(before, "copy");
        if (auto d = differ("export of the import", exported(), before)) return d;
        if (auto d = compare_state(plan)) return "after the import: " + *d;
        // What was held is held by nobody here: the next look at it says so.
        course_.model.import();
        Operation tick;
        tick.kind = OperationKind::tick;
        tick.pause = 1s;
        const auto& ids = course_.model.ids();
        tick.back = static_cast<std::size_t>(ids.end() - std::ranges::find(ids, plan)) - 1;
        const auto d = step(tick);
        return d ? std::optional("after the import: " + *d) : std::nullopt;
    } catch (const Error& e) {
        std::string message = e.what();
        for (const auto& d : e.details()) message += fmt::format("; {}: {}", d.line, d.message);
        return "the plan cannot be imported again: " + message;
    }
}

std::optional<std::string> Bench::check_end(bool copies) {
    for (const auto& problem : endpoint_->check_states())
        return "not a state that the rules lead to: " + problem;
    return copies ? compare_copy() : std::nullopt;
}

std::optional<Divergence> Bench::run(const Operations& operations, Flaw flaw, bool copies) {
    begin(flaw);
    std::optional<Divergence> found;
    bool exists = false;
    for (std::size_t i = 0; i < operations.size() && !found; ++i) {
        if (auto d = step(operations[i])) found = Divergence{i, *d};
        exists = course_.model.plan().version > 0;
        if (!exists) break;  // its creation was refused
    }
    if (!found && exists && flaw == Flaw::none)
        if (auto d = check_end(copies)) found = Divergence{operations.size() - 1, *d};
    for (const auto& plan : endpoint_->list_plans()) endpoint_->delete_plan(plan.id, true);
    return found;
}

std::vector<std::vector<std::string>> notes(const Model& model) {
    std::vector<std::vector<std::string>> all;
    for (const auto& id : model.ids())
        for (const auto& check : model.plan(id).checks)
            for (const auto& result : check.results) all.push_back(result.names_all);
    return all;
}

const std::string& plan_of(const Model& model, const Operation& operation) {
    const auto& ids = model.ids();
    return ids[ids.size() - 1 - std::min(operation.back, ids.size() - 1)];
}

RerunPlan rerun_request(const Model& model, const Operation& operation) {
    RerunPlan request;
    request.plan = plan_of(model, operation);
    const std::string& first = model.ids().front();
    request.id = operation.rerun.takes_id ? first : fmt::format("{}-{}", first, model.ids().size() + 1);
    request.again = operation.rerun.again;
    request.fork = operation.rerun.fork;
    request.redefines = operation.rerun.redefines;
    request.definitions = operation.request;
    return request;
}

Answer answer(Model& model, const Operation& operation, const ClockReading& now) {
    if (!model.ids().empty()) model.turn_to(plan_of(model, operation));
    switch (operation.kind) {
        case OperationKind::write:
        case OperationKind::claim:
            break;
        case OperationKind::rerun:
            if (model.ids().empty()) return {};
            return model.rerun(rerun_request(model, operation), now);
        case OperationKind::tick:
            return model.tick(now);
        case OperationKind::die:
            model.die(operation.pid);
            return {};
        case OperationKind::beat:
            model.beat(operation.holder, now);
            return {};
        case OperationKind::wait:
            return {};
    }
    if (model.plan().version > 0) return model.write(operation.request, now, operation.token);
    CreatePlan create;
    create.nodes = operation.request;
    return model.create(create, now);
}

bool differ(const Answer& a, const Answer& b) {
    return a.errors != b.errors || a.version != b.version || a.replayed != b.replayed ||
           a.advanced != b.advanced || a.claimed != b.claimed || a.ended != b.ended ||
           a.recorded != b.recorded || a.plan != b.plan || a.nothing_to_do != b.nothing_to_do ||
           a.carried != b.carried || a.begun != b.begun || a.superseded != b.superseded;
}

namespace {

/// Calls `told` with each answer, until it returns false. False then.
template <class Told>
bool run_alone(Model& model, const Operations& operations, const Told& told) {
    ClockReading now{{}, 1000s, "boot-1"};
    for (Operation operation : operations) {
        pass_time(now, operation);
        operation.request.plan = "p";
        if (!told(answer(model, operation, now))) return false;
    }
    return true;
}

}  // namespace

Tale tell(const Operations& operations) {
    Model model;
    Tale tale;
    run_alone(model, operations, [&](const Answer& a) {
        tale.answers.push_back(a);
        return true;
    });
    tale.picture = picture(model);
    tale.notes = notes(model);
    return tale;
}

bool shows(const Operations& operations, const Tale& right, Flaw flaw) {
    Model wrong(flaw);
    std::size_t at = 0;
    const auto same = [&](const Answer& a) { return !differ(a, right.answers[at++]); };
    if (!run_alone(wrong, operations, same)) return true;
    return picture(wrong) != right.picture || notes(wrong) != right.notes;
}

std::string Bench::explain(const Operations& failing, Flaw flaw) {
    // What parts in another way is another story.
    const auto kind = [&](const Operations& operations) {
        const auto found = run(operations, flaw);
        return found ? found->text.substr(0, found->text.find('\n')) : std::string();
    };
    const std::string wanted = kind(failing);
    const auto parts = [&](const Operations& operations) {
        const std::string found = kind(operations);
        return !found.empty() && found == wanted;
    };
    const Operations least = shrink(failing, parts);
    const auto where = run(least, flaw);
    if (!where) return fmt::format("{}when run once more, they agree\n", describe(least));
    return fmt::format("{}parts at {}: {}\n", describe(least), where->operation + 1, where->text);
}

}  // namespace turboci::model
