// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/encoding.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "domain/policy_text.hpp"
#include "turboci/error.hpp"

namespace turboci::sqlite {

namespace {

const Sql kNode("SELECT " TURBOCI_NODE_COLUMNS " FROM nodes WHERE node_key = ?1");

std::uint64_t take(std::span<const std::byte>& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (bytes.empty()) break;
        const auto b = static_cast<std::uint64_t>(bytes.front());
        bytes = bytes.subspan(1);
        value |= (b & 0x7F) << shift;
        if ((b & 0x80) == 0) return value;
    }
    throw_damaged("a history of states makes no sense");
}

/// Goes through a packed history.
template <class Visit>
void for_each_entry(NodeType type, std::span<const std::byte> bytes, const Visit& visit) {
    constexpr std::int64_t kLimit = std::int64_t{1} << 62;
    std::int64_t version = 0;
    std::int64_t time = 0;
    int entries = 0;
    do {
        if (bytes.empty() || ++entries > 4) throw_damaged("a history of states makes no sense");
        const State state = decode_state(type, static_cast<std::int64_t>(bytes.front()));
        bytes = bytes.subspan(1);
        const std::uint64_t versions = take(bytes);
        const std::uint64_t times = take(bytes);
        if (versions >= kLimit || times >= kLimit) throw_damaged("a history of states makes no sense");
        version += static_cast<std::int64_t>(versions);
        time += static_cast<std::int64_t>(times);
        if (version >= kLimit || time >= kLimit) throw_damaged("a history of states makes no sense");
        visit(StateEntry{state, version, Timestamp(Duration(time))});
    } while (!bytes.empty());
}

/// How far the target of an edge has come.
class Reach {
public:
    Reach(NodeType type, State state, EdgeRecord& edge)
        : type_(type), wanted_(state_number(type, edge.edge.on_state)), edge_(edge) {
        edge.target_furthest = 0;
        edge.reached_at.reset();
        far_enough_ = state_number(type, state) >= wanted_;
    }
    [[nodiscard]] bool far_enough() const { return far_enough_; }
    void pass(const StateEntry& entry) {
        const int number = state_number(type_, entry.state);
        if (entry.state != State::final) edge_.target_furthest = std::max(edge_.target_furthest, number);
        if (number >= wanted_ && !edge_.reached_at) edge_.reached_at = entry.at;
    }

private:
    NodeType type_;
    int wanted_;
    bool far_enough_ = false;
    EdgeRecord& edge_;
};

/// What a text of ours says; STORE if it is not as policy_text.hpp writes it.
template <class T>
T decoded(std::variant<T, std::string> parsed) {
    if (const auto* why = std::get_if<std::string>(&parsed)) throw_damaged(*why);
    return std::get<T>(std::move(parsed));
}

}  // namespace

State decode_state(NodeType type, std::int64_t number) {
    const auto state =
        number > 0 && number <= 40 ? state_from_number(type, static_cast<int>(number)) : std::nullopt;
    if (!state) throw_damaged("a node is in a state that does not exist");
    return *state;
}

std::optional<Outcome> decode_outcome(std::int64_t number) {
    if (number == 0) return std::nullopt;
    if (number < 1 || number > static_cast<std::int64_t>(Outcome::cancelled))
        throw_damaged("a node has an outcome that does not exist");
    return static_cast<Outcome>(number);
}

PackedHistory::PackedHistory(NodeType type, const StateHistory& history) {
    if (history.empty() || history.size() > 4)
        throw Error(ErrorCode::internal, "a node has between one and four states behind it");
    std::int64_t version = 0;
    std::int64_t time = 0;
    for (const StateEntry& entry : history) {
        const std::int64_t at = entry.at.time_since_epoch().count();
        if (entry.version < version || at < time)
            throw Error(ErrorCode::internal, "a history runs backwards");
        buffer_[size_++] = static_cast<std::byte>(state_number(type, entry.state));
        put(static_cast<std::uint64_t>(entry.version - version));
        put(static_cast<std::uint64_t>(at - time));
        version = entry.version;
        time = at;
    }
}

void PackedHistory::put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) buffer_[size_++] = static_cast<std::byte>((value & 0x7F) | 0x80);
    buffer_[size_++] = static_cast<std::byte>(value);
}

void unpack_history(NodeType type, std::span<const std::byte> bytes, StateHistory& history) {
    history.clear();
    for_each_entry(type, bytes, [&](const StateEntry& entry) { history.push_back(entry); });
}

void read_reached(NodeType type, State state, std::span<const std::byte> history, EdgeRecord& edge) {
    Reach reach(type, state, edge);
    if (reach.far_enough())
        for_each_entry(type, history, [&](const StateEntry& entry) { reach.pass(entry); });
}

void read_reached(NodeType type, State state, const StateHistory& history, EdgeRecord& edge) {
    Reach reach(type, state, edge);
    if (reach.far_enough())
        std::ranges::for_each(history, [&](const StateEntry& entry) { reach.pass(entry); });
}

std::string pack_claimed(const std::vector<OperationRow::Taken>& claimed) {
    std::string text;
    for (const auto& [stage, idx] : claimed)
        text += fmt::format("{}{}:{}", text.empty() ? "" : " ", static_cast<std::int64_t>(stage), idx);
    return text;
}

std::vector<OperationRow::Taken> unpack_claimed(std::string_view text) {
    constexpr std::string_view kNonsense = "the attempts that an operation took make no sense";
    std::vector<OperationRow::Taken> claimed;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto take_number = [&](auto& number, bool is_last_part) {
        const auto [next, error] = std::from_chars(at, end, number);
        const bool ends_well = is_last_part ? next == end || *next == ' ' : next != end && *next == ':';
        if (error != std::errc() || number < 1 || !ends_well) throw_damaged(kNonsense);
        at = next == end ? end : next + 1;
    };
    if (text.ends_with(' ')) throw_damaged(kNonsense);
    while (at != end) {
        std::int64_t stage = 0;
        std::int32_t idx = 0;
        take_number(stage, false);
        take_number(idx, true);
        claimed.push_back({NodeKey{stage}, idx});
    }
    return claimed;
}

void read_node(const Query& row, NodeRow& node) {
    node.key = row.node(0);
    node.plan = row.plan(1);
    node.type = row.enumeration(2, NodeType::check, NodeType::stage);
    node.id = row.text(3);
    node.kind = row.text(4);
    node.state = decode_state(node.type, row.integer(5));
    node.outcome = row.is_null(6) ? std::nullopt
                                  : std::optional(row.enumeration(6, Outcome::passed, Outcome::cancelled));
    node.concluded_reason =
        row.is_null(7) ? std::nullopt
                       : std::optional(row.enumeration(7, ConcludedReason::attempt_complete, kLastReason));
    node.version = row.integer(8);
    node.updated_at = row.time(9);
    node.history.clear();
    if (!row.is_null(10)) unpack_history(node.type, row.blob(10), node.history);
    node.dependencies = read_count(row, 11);
    node.dependencies_since = row.time(16);
    node.attempt = row.small(17);
    node.has_continuation = row.boolean(18);
    node.required = row.boolean(19);
    node.skip_cause = row.is_null(20)
                          ? std::nullopt
                          : std::optional(row.enumeration(20, SkipCause::upstream, SkipCause::not_needed));
}

bool read_node(Database& db, NodeKey key, NodeRow& node) {
    Query row(db, kNode, key);
    const bool found = row.step();
    if (found) read_node(row, node);
    return found;
}

void read_body(const Query& row, int column, NodeBody& body) {
    body.json.text = row.object(column);
    body.retry.max_retries = row.small(column + 1);
    body.retry.backoff = Duration(row.integer(column + 2));
    body.timeout = row.maybe_duration(column + 3);
    body.heartbeat = row.maybe_duration(column + 4);
    body.created_by = row.is_null(column + 5) ? NodeKey::none : row.node(column + 5);
    body.created_by_attempt = row.is_null(column + 6) ? 0 : row.small(column + 6);
    body.message = row.maybe_string(column + 7);
    body.condition =
        row.is_null(column + 8) ? std::vector<Condition>() : decoded(parse_condition(row.text(column + 8)));
    body.silence = row.maybe_duration(column + 9);
    body.runner = row.is_null(column + 10) ? std::string_view() : row.text(column + 10);
    body.uses = row.is_null(column + 11) ? std::vector<Use>() : decoded(parse_uses(row.text(column + 11)));
    body.retry.max_backoff = row.maybe_duration(column + 12).value_or(kMaxBackoff);
    body.retry.on = row.is_null(column + 13) ? RetryOn() : decoded(parse_retry_on(row.text(column + 13)));
    body.retry.on_interrupt = row.is_null(column + 14)
                                  ? OnInterrupt::again
                                  : row.enumeration(column + 14, OnInterrupt::again, OnInterrupt::fail);
    body.carried_from.reset();
    if (!row.is_null(column + 15))
        body.carried_from =
            CarriedFrom{row.string(column + 15), row.string(column + 16), row.integer(column + 17)};
}

void read_group(const Query& row, GroupRow& group) {
    group.owner = row.node(0);
    group.role = row.enumeration(1, PredicateRole::dependencies, PredicateRole::continuation);
    group.group = row.index(2);
    group.parent = row.small(3);
    group.count = read_count(row, 4);
    group.since = row.time(9);
}

void read_edge(const Query& row, EdgeRow& edge) {
    edge.owner = row.node(0);
    edge.role = row.enumeration(1, PredicateRole::dependencies, PredicateRole::continuation);
    edge.position = row.index(2);
    edge.group = row.index(3);
    edge.target = row.node(4);
    const NodeType target_type = row.enumeration(5, NodeType::check, NodeType::stage);
    edge.on_state = decode_state(target_type, row.integer(6));
    edge.when = row.enumeration(7, When::success, When::unsuccessful);
}

void read_attempt(const Query& row, AttemptRow& a) {
    a.stage = row.node(0);
    Attempt& attempt = a.attempt;
    attempt.idx = row.small(1);
    attempt.state = row.enumeration(3, AttemptState::pending, AttemptState::incomplete, 10);
    attempt.process_uid = row.text(4);
    attempt.details.text = row.object(5);
    attempt.failure = row.maybe_string(6);
    attempt.not_before = row.maybe_time(7);
    attempt.last_heartbeat = row.maybe_time(8);
    attempt.created_at = row.time(9);
    attempt.updated_at = row.time(10);
    attempt.started_at = row.maybe_time(12);
    attempt.has_runner = !row.is_null(15);
    const auto cause = [&](int column) { return row.enumeration(column, Cause::failed, Cause::cancelled); };
    attempt.cause = row.is_null(20) ? std::nullopt : std::optional(cause(20));
    attempt.exit_code = row.is_null(21) ? std::nullopt : std::optional(row.small(21));
    attempt.signal = row.is_null(22) ? std::nullopt : std::optional(row.small(22));
    attempt.log.reset();
    if (!row.is_null(23)) attempt.log = LogPlace{row.string(23), 0, 0};
    if (!row.is_null(33)) attempt.log = LogPlace{{}, row.integer(33), row.integer(34)};
    attempt.stopping.reset();
    if (!row.is_null(24))
        attempt.stopping = Stopping{row.time(24), row.string(25), row.string(26), cause(27), row.boolean(28)};
    attempt.ended_at = row.maybe_time(29);
    a.plan = row.plan(2);
    a.ready_at = row.time(11);
    a.deadline = row.maybe_time(13);
    a.no_retry = row.boolean(14);
    a.runner.reset();
    if (attempt.has_runner)
        a.runner = RunnerIdentity{row.string(15), row.string(16), row.integer(17), row.integer(18)};
    a.holder = row.text(19);
    a.retries = row.small(30);
    a.interruptions = row.small(31);
    a.class_number = row.small(32);
}

void read_result(const Query& row, ResultRow& r) {
    r.check = row.node(0);
    r.stage = row.node(8);
    r.attempt = row.small(9);
    Result& result = r.result;
    result.id = row.integer(1);
    result.owner_type = row.enumeration(2, OwnerType::stage_attempt, OwnerType::orchestrator);
    result.owner_id = row.text(3);
    result.data.text = row.object(4);
    result.failure = row.maybe_string(5);
    result.created_at = row.time(6);
    result.finalized_at = row.maybe_time(7);
}

}  // namespace turboci::sqlite
