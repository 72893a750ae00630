// SPDX-License-Identifier: Apache-2.0
// What attempts print: in a file beside the store, where a runner on this machine put it, or in the store.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "domain/attempt_token.hpp"
#include "domain/log_place.hpp"
#include "service/local_service.hpp"
#include "service/lookups.hpp"
#include "service/plan_choice.hpp"
#include "service/view.hpp"

namespace turboci {

namespace {

using namespace service;

constexpr Duration kTakenAfterEnd = std::chrono::minutes(10);
constexpr std::int64_t kBlockBytes = std::int64_t{64} << 10;

std::vector<LogPartRow> log_parts(Snapshot& snapshot, NodeKey stage, std::int32_t idx) {
    return ask(snapshot, {}, [&](Lookup& l) { l.log_parts = {{stage, idx}}; }).log_parts;
}

[[noreturn]] void refuse_token(const AttemptToken& token, ErrorCode code, std::string_view why) {
    throw Error(code, fmt::format("attempt {} of stage:{} {}", token.idx, token.stage, why))
        .because("ATTEMPT_GONE", {{"node", "stage:" + token.stage}});
}

/// The attempt whose token it is.
AttemptRow require_attempt(Transaction& transaction, const AttemptToken& token, Timestamp now) {
    const auto plan = transaction.find_plan(token.plan);
    const bool is_there =
        token.store == transaction.store().identity && plan && plan->identity == token.plan_identity;
    const auto stage =
        is_there ? find_node(transaction, plan->key, NodeType::stage, token.stage) : std::nullopt;
    auto row = stage ? attempt(transaction, stage->key, token.idx) : std::nullopt;
    if (!row) refuse_token(token, ErrorCode::conflict, "is not there any more");
    if (token.holder.empty() || row->holder != token.holder)
        refuse_token(token, ErrorCode::conflict, "is held by another");
    if (row->attempt.ended_at && *row->attempt.ended_at + kTakenAfterEnd < now)
        refuse_token(token, ErrorCode::invalid_state,
                     "has ended long ago: nothing more is taken of its output");
    return std::move(*row);
}

/// A stretch of an output that can be read at once.
struct Stretch {
    std::int64_t begin = 0, size = 0;
    std::int64_t seq = 0;  ///< in the store
    [[nodiscard]] std::int64_t end() const { return begin + size; }
};
using ReadStretch = std::function<std::string(const Stretch&)>;

/// Where the last `lines` lines begin.
std::int64_t start_of_last(std::int64_t lines, const std::vector<Stretch>& stretches,
                           const ReadStretch& read) {
    if (stretches.empty()) return 0;
    const std::int64_t end = stretches.back().end();
    if (lines <= 0) return end;
    for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
        const std::string bytes = read(*stretch);
        for (std::size_t i = bytes.size(); i-- > 0;) {
            const std::int64_t next = stretch->begin + static_cast<std::int64_t>(i) + 1;
            // The end of the last line begins none.
            if (bytes[i] == '\n' && next != end && --lines == 0) return next;
        }
    }
    return 0;
}

/// Hands over what the request wants of the stretches.
void show(const std::vector<Stretch>& stretches, const ReadStretch& read, const ReadOutput& request,
          const std::function<void(const OutputPart&)>& visit) {
    std::int64_t at = std::max<std::int64_t>(request.offset, 0);
    if (request.tail_lines) at = std::max(at, start_of_last(*request.tail_lines, stretches, read));
    if (request.tail_bytes && !stretches.empty())
        at = std::max(at, stretches.back().end() - std::max<std::int64_t>(*request.tail_bytes, 0));
    for (const Stretch& stretch : stretches) {
        if (stretch.end() <= at) continue;
        if (stretch.begin > at) {
            visit({at, left_out_line(stretch.begin - at), stretch.begin});
            at = stretch.begin;
        }
        const std::string bytes = read(stretch);
        const auto skipped = std::min(bytes.size(), static_cast<std::size_t>(at - stretch.begin));
        const std::string_view rest = std::string_view(bytes).substr(skipped);
        if (rest.empty()) return;
        visit({at, rest, at + static_cast<std::int64_t>(rest.size())});
        at += static_cast<std::int64_t>(rest.size());
    }
}

/// Where the output of an attempt was found.
struct Found {
    OutputFileName file;            ///< where it is no file: empty
    std::optional<NodeKey> stored;  ///< the stage under which the store has it
    bool runs = false;              ///< it may come yet
    std::string gone;               ///< what to say if it is not there
};

/// The plan of which the stage was carried over, as long as it is there.
std::optional<PlanRow> origin_of(Snapshot& snapshot, const CarriedFrom& from) {
    auto plans = snapshot.plans();
    const auto found = std::ranges::find(plans, from.identity, &PlanRow::identity);
    return found == plans.end() ? std::nullopt : std::optional(std::move(*found));
}

/// Is it STORE.logs/PLAN/NAME?
bool lies_under(std::string_view path, std::string_view plan) {
    const std::size_t begin = std::min(path.find('/'), path.size()), end = path.rfind('/');
    return begin < end && end < path.size() && path.substr(begin + 1, end - begin - 1) == plan;
}

Found find_output(Snapshot& snapshot, const PlanRow& plan, const ReadOutput& request) {
    const NodeRow stage = require_node(snapshot, plan, {NodeType::stage, request.stage});
    const auto row = attempt(snapshot, stage.key, request.idx);
    const std::string name = fmt::format("stage:{} attempt {}", request.stage, request.idx);
    const bool runs = row && !is_ended(row->attempt.state) && row->attempt.state != AttemptState::pending;
    if (!row || (!runs && !row->attempt.log))
        throw Error(ErrorCode::not_found, row ? name + " has no log" : "there is no " + name);
    Found found;
    found.runs = runs;
    const auto& log = row->attempt.log;
    if (!log && log_parts(snapshot, stage.key, request.idx).empty()) {
        found.file = {{}, plan.id, plan.identity, request.stage, request.idx};
        return found;
    }
    const auto& from = body(snapshot, stage.key).carried_from;
    const auto origin = from ? origin_of(snapshot, *from) : std::nullopt;
    found.gone = "the log of " + name + " is gone";
    if (from && !origin) found.gone += " with plan " + from->plan + ", where it ran";
    if (log && !log->path.empty()) {
        // A path is what its writer said: it leads to no other plan's output.
        const bool is_ours = lies_under(log->path, from ? from->plan : plan.id);
        if (!is_ours) throw Error(ErrorCode::not_found, found.gone + ": " + log->path);
        found.file.path = log->path;
        if (!from || origin) found.gone += ": " + log->path;
        return found;
    }
    found.stored = stage.key;
    if (log && log->bytes == 0) found.gone.clear();
    if (!origin) return found;
    const auto there = find_node(snapshot, origin->key, NodeType::stage, request.stage);
    if (there) found.stored = there->key;
    return found;
}

std::vector<Stretch> stretches_of(const OutputFile& file) {
    std::vector<Stretch> all;
    const std::int64_t size = file.size();
    for (std::int64_t begin = 0; begin < size; begin += kBlockBytes)
        all.push_back({begin, std::min(kBlockBytes, size - begin)});
    return all;
}

}  // namespace

std::int64_t LocalService::append_output(const AppendOutput& request) {
    const auto token = parse_attempt_token(request.token);
    if (!token) throw Error(ErrorCode::invalid_argument, "attempt_token: is no token of an attempt");
    if (request.data.size() > kMaxOutputPart)
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("data: a part of an output has at most {} bytes", kMaxOutputPart));
    const auto transaction = store_.write(token->plan, options_.wait);
    const AttemptRow row = require_attempt(*transaction, *token, transaction->now().wall);
    const auto parts = log_parts(*transaction, row.stage, token->idx);
    const std::int64_t next = parts.empty() ? 0 : parts.back().seq + 1;
    if (request.seq > next)
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("seq: {} comes too early, {} is expected next", request.seq, next));
    if (request.seq < next || request.data.empty()) return next;
    ChangeSet changes;
    changes.plan = row.plan;
    const std::int64_t begin = parts.empty() ? 0 : parts.back().begin + parts.back().size;
    const auto size = static_cast<std::int64_t>(request.data.size());
    changes.log_parts.push_back({row.stage, token->idx, next, begin, size, request.data});
    for (const LogPartRow& part : parts)
        if (!keeps_log_part(part.begin, part.size, begin + size))
            changes.dropped_log.push_back({part.stage, part.idx, part.seq});
    transaction->apply(changes);
    transaction->commit();
    return next + 1;
}

void LocalService::read_output(const ReadOutput& request,
                               const std::function<void(const OutputPart&)>& visit) {
    std::vector<Stretch> stretches;
    // What is found is handed over when the snapshot is gone: whoever takes it may be slow, and writers wait.
    const Found found = [&] {
        const auto snapshot = store_.read(options_.wait);
        const PlanRow plan = require_plan(*snapshot, request.plan, options_.exact_ids);
        Found place = find_output(*snapshot, plan, request);
        if (place.stored)
            for (const LogPartRow& part : log_parts(*snapshot, *place.stored, request.idx))
                stretches.push_back({part.begin, part.size, part.seq});
        return place;
    }();
    if (found.stored) {
        if (stretches.empty() && !found.runs && !found.gone.empty())
            throw Error(ErrorCode::not_found, found.gone);
        const auto read = [&](const Stretch& stretch) {
            const auto snapshot = store_.read(options_.wait);
            auto parts = ask(*snapshot, {}, [&](Lookup& l) {
                             l.log_bytes = {{*found.stored, request.idx, stretch.seq}};
                         }).log_bytes;
            return parts.empty() ? std::string() : std::move(parts.front().bytes);
        };
        return show(stretches, read, request, visit);
    }
    const auto file = options_.open_output ? options_.open_output(found.file) : nullptr;
    if (!file && found.gone.empty()) return;
    if (!file) throw Error(ErrorCode::not_found, found.gone);
    const auto read = [&](const Stretch& stretch) {
        return file->read(stretch.begin, static_cast<std::size_t>(stretch.size));
    };
    show(stretches_of(*file), read, request, visit);
}

}  // namespace turboci
