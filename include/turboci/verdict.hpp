// SPDX-License-Identifier: Apache-2.0
// The verdict: how a selection of nodes came out. `run`, `wait`, `plan show` and every report take it from
// here; `gate` has its own, stricter rule, at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "turboci/check.hpp"
#include "turboci/node.hpp"
#include "turboci/stage.hpp"

namespace turboci {

enum class Verdict : std::uint8_t {
    passed,   ///< nothing that counts is open or bad
    pending,  ///< something that counts is not FINAL
    failed,   ///< something that counts is bad; what is still open cannot change that
};
[[nodiscard]] std::string_view to_string(Verdict verdict) noexcept;  ///< "passed", …

/// How one node counts.
enum class Standing : std::uint8_t {
    fine,   ///< FINAL, and nothing against it
    open,   ///< not FINAL
    bad,    ///< failed, cancelled, or skipped because something that it needed was
    aside,  ///< open or bad, but not required: it never makes a verdict say no
};
/// The rule itself. A check says itself whether it is required; a stage is, unless it is assigned to checks
/// of which none is: see stage_is_required().
[[nodiscard]] Standing standing(State state, std::optional<Outcome> outcome,
                                std::optional<SkipCause> skip_cause, bool required) noexcept;
/// `assigned`: has it assignments, whatever their goals? `any_required`: is one of these checks required?
[[nodiscard]] constexpr bool stage_is_required(bool assigned, bool any_required) noexcept {
    return !assigned || any_required;
}

/// A verdict and what made it so.
struct Judgement {
    Verdict verdict = Verdict::passed;
    std::vector<NodeRef> bad;   ///< in the order in which they were added
    std::vector<NodeRef> open;  ///< likewise; what the verdict waits for
};

/// Adds a selection up, node by node: checks, then stages, as a query finds them. Keeps little of a node that
/// is fine. A selection of named nodes may lack the checks that its stages are assigned to: unknown_checks()
/// tells which ones have to be looked up, set_required() takes the answer.
class Judge {
public:
    /// A plan's nodes are all added, or only some.
    enum class Scope : std::uint8_t { whole_plan, some_nodes };
    explicit Judge(Scope scope) : scope_(scope) {}

    void check(const Check& check);
    /// Looks at the assignments, too.
    void stage(const Stage& stage);

    /// Ids of checks that decide whether an open or bad stage counts and that were not added.
    [[nodiscard]] std::vector<std::string> unknown_checks() const;
    void set_required(const std::string& check_id, bool required);

    /// A check that is still unknown counts as required.
    [[nodiscard]] Judgement judgement() const;
    /// How a stage counts, once the checks are known.
    [[nodiscard]] Standing standing_of(const Stage& stage) const;

private:
    struct Entry {
        NodeRef ref;
        Standing standing = Standing::open;
        std::vector<std::string> targets;  ///< of a stage: the checks that it is assigned to
    };
    [[nodiscard]] bool counts(const std::vector<std::string>& targets) const;

    Scope scope_;
    std::vector<Entry> entries_;  ///< open and bad nodes
    /// Is a check required? Of a whole plan only those that are not.
    std::unordered_map<std::string, bool> required_;
};

// ------------------------------------------------------------------------------------ gate

/// What `gate` says of one check.
enum class GateAnswer : std::uint8_t {
    yes,    ///< required, FINAL and passed
    no,     ///< required, and anything else
    aside,  ///< not required: not looked at
};
/// `allow_skipped`: a required check that was skipped as `not_needed` counts as passed; one that was skipped
/// because of a failure never does.
[[nodiscard]] GateAnswer gate_answer(const Check& check, bool allow_skipped) noexcept;
/// A gate opens if no check says no and at least one says yes.
[[nodiscard]] constexpr bool gate_opens(std::int64_t yes, std::int64_t no) noexcept {
    return no == 0 && yes > 0;
}

}  // namespace turboci
