// SPDX-License-Identifier: Apache-2.0
// How checks and stages of a request are kept as bytes. They never leave the process: there is no version, no
// check of what is read, and the order of members may change.
//
// Numbers are LEB128, signed ones after ZigZag; texts have their length before them. The head comes first:
// the id, which members are there, the positions, and what a node's body is made of.
#include "domain/packed_writes.hpp"

namespace turboci {

namespace {

class Packer {
public:
    explicit Packer(std::string& bytes) : bytes_(bytes) {}

    void number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
        bytes_ += static_cast<char>(value);
    }
    void signed_number(std::int64_t value) {
        number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    template <class Enum>
    void enumeration(Enum value) {
        bytes_ += static_cast<char>(value);
    }
    void text(std::string_view value) {
        number(value.size());
        bytes_ += value;
    }
    /// Near `base`, as most are, it is three bytes.
    void position(Position at, Position base) {
        signed_number(std::int64_t{at.file} - base.file);
        signed_number(std::int64_t{at.line} - base.line);
        number(at.column);
    }
    void duration(Duration value) { signed_number(value.count()); }

private:
    std::string& bytes_;
};

class Unpacker {
public:
    explicit Unpacker(const char* bytes) : at_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (int shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(*at_++);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
    }
    std::int64_t signed_number() {
        const std::uint64_t value = number();
        return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
    }
    std::int32_t small() { return static_cast<std::int32_t>(signed_number()); }
    template <class Enum>
    Enum enumeration() {
        return static_cast<Enum>(*at_++);
    }
    std::string_view text() {
        const auto size = static_cast<std::size_t>(number());
        const std::string_view value(at_, size);
        at_ += size;
        return value;
    }
    Position position(Position base) {
        Position at;
        at.file = static_cast<std::uint32_t>(base.file + signed_number());
        at.line = static_cast<std::uint32_t>(base.line + signed_number());
        at.column = static_cast<std::uint32_t>(number());
        return at;
    }
    Duration duration() { return Duration(signed_number()); }

private:
    const char* at_;
};

/// Which members are there, a bit for each in the order of the calls.
class Bits {
public:
    Bits() = default;
    explicit Bits(std::uint64_t bits) : bits_(bits) {}
    void add(bool is_there) { bits_ |= std::uint64_t{is_there} << count_++; }
    bool next() { return (bits_ >> count_++ & 1) != 0; }
    [[nodiscard]] std::uint64_t get() const noexcept { return bits_; }

private:
    std::uint64_t bits_ = 0;
    int count_ = 0;
};

/// The value to fill, which keeps the memory that it has.
template <class Holder>
auto& filled(Holder& holder) {
    return holder ? *holder : holder.emplace();
}

void unpack_text(Unpacker& in, std::optional<std::string>& text) { filled(text) = in.text(); }
void unpack_json(Unpacker& in, std::optional<JsonText>& json) { filled(json).text = in.text(); }

/// `member` from what comes next if it is there, else none.
template <class Member, class Read>
void maybe(Bits& bits, Member& member, Read&& read) {
    if (bits.next())
        read(member);
    else
        member.reset();
}

// ------------------------------------------------------------------------------------ predicates

// An edge's enumerations in one byte.
constexpr int kStateShift = 2, kWhenShift = 5;
static_assert(static_cast<int>(State::final) < 1 << (kWhenShift - kStateShift));

void pack_edge(Packer& out, const EdgeSpec& edge, Position base) {
    const int type = edge.target.type ? static_cast<int>(*edge.target.type) : 0;
    const int when = edge.when ? static_cast<int>(*edge.when) : 0;
    out.enumeration(type | static_cast<int>(edge.on_state) << kStateShift | when << kWhenShift);
    out.text(edge.target.id);
    out.position(edge.at, base);
}

void unpack_edge(Unpacker& in, EdgeSpec& edge, Position base) {
    const auto bits = static_cast<int>(in.enumeration<unsigned char>());
    const int type = bits & ((1 << kStateShift) - 1), when = bits >> kWhenShift;
    edge.target.type = type == 0 ? std::nullopt : std::optional(static_cast<NodeType>(type));
    edge.on_state = static_cast<State>(bits >> kStateShift & ((1 << (kWhenShift - kStateShift)) - 1));
    edge.when = when == 0 ? std::nullopt : std::optional(static_cast<When>(when));
    edge.target.id = in.text();
    edge.at = in.position(base);
}

void pack_predicate(Packer& out, const PredicateSpec& group, Position base) {
    out.enumeration(group.kind);
    out.signed_number(group.at_least);
    out.position(group.at, base);
    out.number(group.edges.size());
    for (const EdgeSpec& edge : group.edges) pack_edge(out, edge, base);
    out.number(group.groups.size());
    for (const PredicateSpec& inner : group.groups) pack_predicate(out, inner, base);
}

void unpack_predicate(Unpacker& in, PredicateSpec& group, Position base) {
    group.kind = in.enumeration<GroupKind>();
    group.at_least = in.signed_number();
    group.at = in.position(base);
    group.edges.resize(static_cast<std::size_t>(in.number()));
    for (EdgeSpec& edge : group.edges) unpack_edge(in, edge, base);
    group.groups.resize(static_cast<std::size_t>(in.number()));
    for (PredicateSpec& inner : group.groups) unpack_predicate(in, inner, base);
}

// ------------------------------------------------------------------------------------ results, attempts

void pack_owner(Packer& out, const AttemptRef& owner) {
    out.text(owner.stage_id);
    out.signed_number(owner.idx);
}

void pack_result(Packer& out, const ResultWrite& result, Position base) {
    Bits bits;
    for (const bool there : {result.data.has_value(), result.failure.has_value(), result.owner.has_value(),
                             result.clear_failure, result.finalize, result.by.has_value()})
        bits.add(there);
    out.number(bits.get());
    if (result.data) out.text(result.data->text);
    if (result.failure) out.text(*result.failure);
    if (result.owner) pack_owner(out, *result.owner);
    if (result.by) out.text(*result.by);
    out.position(result.at, base);
}

void unpack_result(Unpacker& in, ResultWrite& result, Position base) {
    Bits bits(in.number());
    maybe(bits, result.data, [&](auto& data) { unpack_json(in, data); });
    maybe(bits, result.failure, [&](auto& failure) { unpack_text(in, failure); });
    maybe(bits, result.owner, [&](auto& owner) {
        filled(owner).stage_id = in.text();
        owner->idx = in.small();
    });
    result.clear_failure = bits.next();
    result.finalize = bits.next();
    maybe(bits, result.by, [&](auto& by) { unpack_text(in, by); });
    result.at = in.position(base);
}

void pack_runner(Packer& out, const RunnerIdentity& runner) {
    out.text(runner.host);
    out.text(runner.boot_id);
    out.signed_number(runner.pid);
    out.signed_number(runner.start_time);
}

void unpack_runner(Unpacker& in, RunnerIdentity& runner) {
    runner.host = in.text();
    runner.boot_id = in.text();
    runner.pid = in.signed_number();
    runner.start_time = in.signed_number();
}

void pack_holder(Packer& out, const HolderWord& word) {
    Bits bits;
    for (const bool there : {word.cause.has_value(), word.exit_code.has_value(), word.signal.has_value(),
                             word.log.has_value(), word.ran_for.has_value(), word.stopping, word.signalled})
        bits.add(there);
    out.number(bits.get());
    out.text(word.identity);
    if (word.cause) out.enumeration(*word.cause);
    if (word.exit_code) out.signed_number(*word.exit_code);
    if (word.signal) out.signed_number(*word.signal);
    if (word.log) {
        out.text(word.log->path);
        out.signed_number(word.log->bytes);
        out.signed_number(word.log->dropped);
    }
    if (word.ran_for) out.duration(*word.ran_for);
}

void unpack_holder(Unpacker& in, HolderWord& word) {
    Bits bits(in.number());
    word.identity = in.text();
    maybe(bits, word.cause, [&](auto& cause) { cause = in.enumeration<Cause>(); });
    maybe(bits, word.exit_code, [&](auto& code) { code = in.small(); });
    maybe(bits, word.signal, [&](auto& number) { number = in.small(); });
    maybe(bits, word.log, [&](auto& log) {
        std::string path(in.text());
        const std::int64_t bytes = in.signed_number();
        log = LogPlace{std::move(path), bytes, in.signed_number()};
    });
    maybe(bits, word.ran_for, [&](auto& time) { time = in.duration(); });
    word.stopping = bits.next();
    word.signalled = bits.next();
}

void pack_attempt(Packer& out, const AttemptWrite& attempt, Position base) {
    Bits bits;
    for (const bool there :
         {attempt.idx.has_value(), attempt.state.has_value(), attempt.process_uid.has_value(),
          attempt.details.has_value(), attempt.failure.has_value(), attempt.runner.has_value(),
          attempt.holder.has_value(), attempt.heartbeat, attempt.no_retry})
        bits.add(there);
    out.number(bits.get());
    if (attempt.idx) out.signed_number(*attempt.idx);
    if (attempt.state) out.enumeration(*attempt.state);
    if (attempt.process_uid) out.text(*attempt.process_uid);
    if (attempt.details) out.text(attempt.details->text);
    if (attempt.failure) out.text(*attempt.failure);
    if (attempt.runner) pack_runner(out, *attempt.runner);
    if (attempt.holder) pack_holder(out, *attempt.holder);
    out.number(attempt.progress.size());
    for (const auto& [message, details] : attempt.progress) {
        out.text(message);
        out.text(details.text);
    }
    out.position(attempt.at, base);
}

void unpack_attempt(Unpacker& in, AttemptWrite& attempt, Position base) {
    Bits bits(in.number());
    maybe(bits, attempt.idx, [&](auto& idx) { idx = in.small(); });
    maybe(bits, attempt.state, [&](auto& state) { state = in.enumeration<AttemptState>(); });
    maybe(bits, attempt.process_uid, [&](auto& uid) { unpack_text(in, uid); });
    maybe(bits, attempt.details, [&](auto& details) { unpack_json(in, details); });
    maybe(bits, attempt.failure, [&](auto& failure) { unpack_text(in, failure); });
    maybe(bits, attempt.runner, [&](auto& runner) { unpack_runner(in, filled(runner)); });
    maybe(bits, attempt.holder, [&](auto& word) { unpack_holder(in, filled(word)); });
    attempt.heartbeat = bits.next();
    attempt.no_retry = bits.next();
    attempt.progress.resize(static_cast<std::size_t>(in.number()));
    for (auto& [message, details] : attempt.progress) {
        message = in.text();
        details.text = in.text();
    }
    attempt.at = in.position(base);
}

// ------------------------------------------------------------------------------------ policies

void pack_condition(Packer& out, const std::vector<ConditionSpec>& condition, Position base) {
    out.number(condition.size());
    for (const ConditionSpec& spec : condition) {
        out.text(spec.condition.check);
        out.text(spec.condition.path);
        out.enumeration(spec.condition.test);
        out.text(spec.condition.value);
        out.position(spec.at, base);
    }
}

void unpack_condition(Unpacker& in, std::optional<std::vector<ConditionSpec>>& condition, Position base) {
    filled(condition).resize(static_cast<std::size_t>(in.number()));
    for (ConditionSpec& spec : *condition) {
        spec.condition.check = in.text();
        spec.condition.path = in.text();
        spec.condition.test = in.enumeration<Condition::Test>();
        spec.condition.value = in.text();
        spec.at = in.position(base);
    }
}

void pack_retry(Packer& out, const Retry& retry) {
    out.signed_number(retry.max_retries);
    out.duration(retry.backoff);
    out.duration(retry.max_backoff);
    Bits bits;
    for (const bool set : {retry.on.failed, retry.on.timeout, retry.on.silent}) bits.add(set);
    out.number(bits.get());
    out.number(retry.on.exit.size());
    for (const std::int32_t status : retry.on.exit) out.signed_number(status);
    out.enumeration(retry.on_interrupt);
}

void unpack_retry(Unpacker& in, Retry& retry) {
    retry.max_retries = in.small();
    retry.backoff = in.duration();
    retry.max_backoff = in.duration();
    Bits bits(in.number());
    for (bool* const set : {&retry.on.failed, &retry.on.timeout, &retry.on.silent}) *set = bits.next();
    retry.on.exit.resize(static_cast<std::size_t>(in.number()));
    for (std::int32_t& status : retry.on.exit) status = in.small();
    retry.on_interrupt = in.enumeration<OnInterrupt>();
}

void pack_uses(Packer& out, const std::vector<Use>& uses) {
    out.number(uses.size());
    for (const Use& use : uses) {
        out.text(use.limit);
        out.signed_number(use.count);
    }
}

void unpack_uses(Unpacker& in, std::vector<Use>& uses) {
    uses.resize(static_cast<std::size_t>(in.number()));
    for (Use& use : uses) {
        use.limit = in.text();
        use.count = in.signed_number();
    }
}

// ------------------------------------------------------------------------------------ heads

void unpack_members(Unpacker& in, Bits& bits, CheckWrite& write) {
    write.id = in.text();
    bits = Bits(in.number());
    write.at = in.position({});
    write.id_at = in.position(write.at);
    maybe(bits, write.kind, [&](auto& kind) { unpack_text(in, kind); });
    maybe(bits, write.state, [&](auto& state) { state = in.enumeration<State>(); });
    maybe(bits, write.options, [&](auto& options) { unpack_json(in, options); });
    maybe(bits, write.required, [&](auto& required) { required = bits.next(); });
    maybe(bits, write.condition, [&](auto& condition) { unpack_condition(in, condition, write.at); });
    write.skip = bits.next();
}

void unpack_members(Unpacker& in, Bits& bits, StageWrite& write) {
    write.id = in.text();
    bits = Bits(in.number());
    write.at = in.position({});
    write.id_at = in.position(write.at);
    maybe(bits, write.args, [&](auto& args) { unpack_json(in, args); });
    maybe(bits, write.retry, [&](auto& retry) { unpack_retry(in, filled(retry)); });
    maybe(bits, write.timeout, [&](auto& timeout) { timeout = in.duration(); });
    maybe(bits, write.heartbeat, [&](auto& heartbeat) { heartbeat = in.duration(); });
    maybe(bits, write.silence, [&](auto& silence) { silence = in.duration(); });
    maybe(bits, write.runner, [&](auto& runner) { unpack_text(in, runner); });
    maybe(bits, write.uses, [&](auto& uses) { unpack_uses(in, filled(uses)); });
    maybe(bits, write.condition, [&](auto& condition) { unpack_condition(in, condition, write.at); });
    write.cancel = bits.next();
    write.skip = bits.next();
}

}  // namespace

void Packing<CheckWrite>::pack(const CheckWrite& write, std::string& bytes) {
    Packer out(bytes);
    Bits bits;
    for (const bool there : {write.kind.has_value(), write.state.has_value(), write.options.has_value(),
                             write.required.has_value()})
        bits.add(there);
    if (write.required) bits.add(*write.required);
    bits.add(write.condition.has_value());
    bits.add(write.skip);
    bits.add(write.dependencies.has_value());
    out.text(write.id);
    out.number(bits.get());
    out.position(write.at, {});
    out.position(write.id_at, write.at);
    if (write.kind) out.text(*write.kind);
    if (write.state) out.enumeration(*write.state);
    if (write.options) out.text(write.options->text);
    if (write.condition) pack_condition(out, *write.condition, write.at);

    if (write.dependencies) pack_predicate(out, *write.dependencies, write.at);
    out.number(write.results.size());
    for (const ResultWrite& result : write.results) pack_result(out, result, write.at);
}

void Packing<CheckWrite>::unpack(const char* bytes, CheckWrite& write) {
    Unpacker in(bytes);
    Bits bits;
    unpack_members(in, bits, write);
    maybe(bits, write.dependencies, [&](auto& box) { unpack_predicate(in, filled(box), write.at); });
    write.results.resize(static_cast<std::size_t>(in.number()));
    for (ResultWrite& result : write.results) unpack_result(in, result, write.at);
}

void Packing<CheckWrite>::unpack_head(const char* bytes, CheckWrite& write) {
    Unpacker in(bytes);
    Bits bits;
    unpack_members(in, bits, write);
    write.dependencies.reset();
    write.results.clear();
}

void Packing<StageWrite>::pack(const StageWrite& write, std::string& bytes) {
    Packer out(bytes);
    Bits bits;
    for (const bool there :
         {write.args.has_value(), write.retry.has_value(), write.timeout.has_value(),
          write.heartbeat.has_value(), write.silence.has_value(), write.runner.has_value(),
          write.uses.has_value(), write.condition.has_value(), write.cancel, write.skip,
          write.dependencies.has_value(), write.assignments.has_value(), write.continuation_group.has_value(),
          write.attempt.has_value(), write.state.has_value()})
        bits.add(there);
    out.text(write.id);
    out.number(bits.get());
    out.position(write.at, {});
    out.position(write.id_at, write.at);
    if (write.args) out.text(write.args->text);
    if (write.retry) pack_retry(out, *write.retry);
    if (write.timeout) out.duration(*write.timeout);
    if (write.heartbeat) out.duration(*write.heartbeat);
    if (write.silence) out.duration(*write.silence);
    if (write.runner) out.text(*write.runner);
    if (write.uses) pack_uses(out, *write.uses);
    if (write.condition) pack_condition(out, *write.condition, write.at);

    if (write.dependencies) pack_predicate(out, *write.dependencies, write.at);
    if (write.assignments) {
        out.number(write.assignments->size());
        for (const StageWrite::AssignmentSpec& assignment : *write.assignments) {
            out.text(assignment.target_check_id);
            out.enumeration(assignment.goal_state);
            out.position(assignment.at, write.at);
        }
    }
    if (write.continuation_group) pack_predicate(out, *write.continuation_group, write.at);
    if (write.attempt) pack_attempt(out, *write.attempt, write.at);
    if (write.state) out.enumeration(*write.state);
}

void Packing<StageWrite>::unpack(const char* bytes, StageWrite& write) {
    Unpacker in(bytes);
    Bits bits;
    unpack_members(in, bits, write);
    maybe(bits, write.dependencies, [&](auto& box) { unpack_predicate(in, filled(box), write.at); });
    maybe(bits, write.assignments, [&](auto& assignments) {
        filled(assignments).resize(static_cast<std::size_t>(in.number()));
        for (StageWrite::AssignmentSpec& assignment : *assignments) {
            assignment.target_check_id = in.text();
            assignment.goal_state = in.enumeration<State>();
            assignment.at = in.position(write.at);
        }
    });
    maybe(bits, write.continuation_group, [&](auto& box) { unpack_predicate(in, filled(box), write.at); });
    maybe(bits, write.attempt, [&](auto& attempt) { unpack_attempt(in, filled(attempt), write.at); });
    maybe(bits, write.state, [&](auto& state) { state = in.enumeration<State>(); });
}

void Packing<StageWrite>::unpack_head(const char* bytes, StageWrite& write) {
    Unpacker in(bytes);
    Bits bits;
    unpack_members(in, bits, write);
    write.dependencies.reset();
    write.assignments.reset();
    write.continuation_group.reset();
    write.attempt.reset();
    write.state.reset();
}

std::string_view Packing<CheckWrite>::id(const char* bytes) { return Unpacker(bytes).text(); }
std::string_view Packing<StageWrite>::id(const char* bytes) { return Unpacker(bytes).text(); }

}  // namespace turboci
