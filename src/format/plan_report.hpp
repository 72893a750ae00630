// SPDX-License-Identifier: Apache-2.0
// What every report of a plan says: the verdict, how each node counts, how long it was worked on, which
// stages answer for a check, the end of the log of what failed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/node_collector.hpp"
#include "turboci/verdict.hpp"

namespace turboci {

/// The last lines of what an attempt printed, raw data; "" if there are none. Reports know no files: whoever
/// asks for one tells where logs are. May be empty.
using LogTail = std::function<std::string(const Stage&, const Attempt&)>;

/// A whole plan, judged. The collector must outlive it.
class PlanReport {
public:
    explicit PlanReport(const NodeCollector& graph);

    [[nodiscard]] const NodeCollector& graph() const noexcept { return graph_; }
    [[nodiscard]] const Judgement& judgement() const noexcept { return judgement_; }
    [[nodiscard]] Standing standing_of(const Check& check) const noexcept;
    [[nodiscard]] Standing standing_of(const Stage& stage) const { return judge_.standing_of(stage); }

    /// The stages that are to finish a check, in the order of creation.
    [[nodiscard]] const std::vector<const Stage*>& stages_of(const Check& check) const;
    /// Is there a check whose answer tells how the stage came out? Not if the stage is bad and they are not.
    [[nodiscard]] bool is_answered_for(const Stage& stage) const;

    /// "passed" only where `gate` would open, too; else "failed", "pending", "passed, 2 checks skipped" or
    /// "done, no check answered".
    [[nodiscard]] std::string verdict_words() const;
    /// Would `gate` open for the whole plan?
    [[nodiscard]] bool gate_opens() const noexcept { return turboci::gate_opens(gate_yes_, gate_no_); }

    /// Time spent in attempts: no waiting, no backoff. Of a check, that of its stages.
    [[nodiscard]] static Duration time_of(const Stage& stage);
    [[nodiscard]] Duration time_of(const Check& check) const;

    /// A stage whose log tells why a node is bad, and its last attempt.
    struct Culprit {
        const Stage* stage = nullptr;
        const Attempt* attempt = nullptr;
    };
    /// Of a check: its stages that are bad, else all of them; at most kMaxCulprits.
    [[nodiscard]] std::vector<Culprit> culprits_of(const Check& check) const;
    [[nodiscard]] std::vector<Culprit> culprits_of(const Stage& stage) const;
    static constexpr std::size_t kMaxCulprits = 3;

private:
    const NodeCollector& graph_;
    Judge judge_{Judge::Scope::whole_plan};
    Judgement judgement_;
    std::unordered_map<std::string_view, std::vector<const Stage*>> stages_of_;  ///< by check id
    std::unordered_map<std::string_view, const Check*> checks_;                  ///< by id
    std::int64_t gate_yes_ = 0, gate_no_ = 0;
    std::int64_t skipped_checks_ = 0;  ///< required, and not needed
    std::int64_t passed_checks_ = 0;   ///< required ones
};

}  // namespace turboci
