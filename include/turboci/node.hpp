// SPDX-License-Identifier: Apache-2.0
// What checks and stages have in common: types, names, states, outcomes, history.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/time.hpp"

namespace turboci {

/// Checks and stages are separate namespaces of one plan.
enum class NodeType : std::uint8_t {
    check = 1,  ///< a question; collects results; never executed
    stage = 2,  ///< work; attempted, retried, assigned to checks
};

/// The states of both types; state_number() says which belong to which and in what order.
enum class State : std::uint8_t {
    planning,        ///< check 10: options and dependencies may change
    planned,         ///< check 20, stage 10: waits for its dependencies
    waiting,         ///< check 30: results may be written
    attempting,      ///< stage 20: an attempt is live
    awaiting_group,  ///< stage 30: attempts are over, the continuation group is not
    final,           ///< both 40: immutable
};

/// How a FINAL node ended.
enum class Outcome : std::uint8_t {
    passed = 1,     ///< the answer is yes; the work ran to its end
    failed = 2,     ///< the answer is no; attempts used up or group unsatisfied
    skipped = 3,    ///< it never ran, or nobody answered it: see SkipCause
    cancelled = 4,  ///< stages only: somebody asked for it
};

/// Why a node was skipped.
enum class SkipCause : std::uint8_t {
    upstream = 1,    ///< something that it needed failed, was cancelled, or was itself skipped for that
    not_needed = 2,  ///< any other reason: what waited for a failure had none, say
};

/// Who asked for a change of state.
enum class Mover : std::uint8_t {
    writer = 1,        ///< the caller of a write
    orchestrator = 2,  ///< the rules, as a consequence
};

[[nodiscard]] std::string_view to_string(NodeType type) noexcept;    ///< "check", "stage"
[[nodiscard]] std::string_view to_string(State state) noexcept;      ///< "PLANNING", …
[[nodiscard]] std::string_view to_string(Outcome outcome) noexcept;  ///< "passed", …
[[nodiscard]] std::string_view to_string(SkipCause cause) noexcept;  ///< "upstream", "not_needed"
[[nodiscard]] std::string_view to_string(Mover mover) noexcept;      ///< "writer", "orchestrator"
[[nodiscard]] std::optional<NodeType> parse_node_type(std::string_view text) noexcept;
[[nodiscard]] std::optional<State> parse_state(std::string_view text) noexcept;      ///< upper case only
[[nodiscard]] std::optional<Outcome> parse_outcome(std::string_view text) noexcept;  ///< lower case only
[[nodiscard]] std::optional<SkipCause> parse_skip_cause(std::string_view text) noexcept;

/// The published number of a state within its type (10, 20, 30, 40); 0 if the type has no such state.
/// Numbers grow in the order in which states are passed.
[[nodiscard]] int state_number(NodeType type, State state) noexcept;
/// The reverse of state_number(); nullopt for a number that is not one.
[[nodiscard]] std::optional<State> state_from_number(NodeType type, int number) noexcept;
/// The transition tables: may `mover` take a node of `type` from `from` to `to` in one step?
/// "Direct" check moves from PLANNING (to WAITING or FINAL) are in the table; that they need an
/// empty predicate is the service's rule.
[[nodiscard]] bool may_move(NodeType type, State from, State to, Mover mover) noexcept;

/// The attempt that wrote a node.
struct CreatedBy {
    std::string stage;         ///< id
    std::int32_t attempt = 0;  ///< from 1
    bool operator==(const CreatedBy&) const = default;
};

/// The plan from which a node was taken over.
struct CarriedFrom {
    std::string plan;          ///< id
    std::string identity;      ///< of the plan itself
    std::int64_t version = 0;  ///< the node's there
    bool operator==(const CarriedFrom&) const = default;
};

/// A node's full name, "check:ID" or "stage:ID".
struct NodeRef {
    NodeType type = NodeType::check;
    std::string id;
    auto operator<=>(const NodeRef&) const = default;
};
[[nodiscard]] std::string to_string(const NodeRef& ref);

/// A reference as people write it: `type` is absent for a bare ID, which stands for whichever exists.
struct RefText {
    std::optional<NodeType> type;
    std::string id;
    bool operator==(const RefText&) const = default;
};
/// Splits "check:ID", "stage:ID" or a bare "ID". Does not judge the ID.
[[nodiscard]] RefText parse_ref(std::string_view text);
[[nodiscard]] std::string to_string(const RefText& ref);

inline constexpr std::size_t kMaxNodeIdBytes = 256;
inline constexpr std::size_t kMaxPlanIdBytes = 128;
/// Why `id` cannot name a node, as a clause ("is empty"); nullopt if it can.
[[nodiscard]] std::optional<std::string> node_id_problem(std::string_view id);
/// Why no store can hold a node of that name. Earlier versions wrote ids with characters that cannot be seen.
[[nodiscard]] std::optional<std::string> kept_node_id_problem(std::string_view id);
/// Why `id` cannot name a plan; nullopt if it can.
[[nodiscard]] std::optional<std::string> plan_id_problem(std::string_view id);
/// Has `text` a character of C0, C1 or DEL?
[[nodiscard]] bool has_control_character(std::string_view text) noexcept;
/// Is `text` valid UTF-8 (no surrogates, no overlong forms)?
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// When a node entered a state.
struct StateEntry {
    State state;
    std::int64_t version;  ///< the plan version of that moment
    Timestamp at;
    bool operator==(const StateEntry&) const = default;
};
/// Oldest first; each state at most once, so at most four entries.
using StateHistory = std::vector<StateEntry>;

}  // namespace turboci
