// SPDX-License-Identifier: Apache-2.0
// All plans of a few nodes, every operation from each state that they come to. tests/model/run --exhaustive
// runs the long form, by these variables of the environment:
//   TURBOCI_MODEL_NODES    plans of how many nodes
//   TURBOCI_MODEL_JOB      which part of the plans, from 0 …
//   TURBOCI_MODEL_JOBS     … of how many
//   TURBOCI_MODEL_SAMPLE   one plan of how many (1)
//   TURBOCI_MODEL_DEPTH    how many operations after the creation (kLongDepth)
//   TURBOCI_MODEL_FEW      asks of any plan only what is asked of plans of 3 nodes
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>

#include "explore.hpp"
#include "small_plan.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::model;

namespace {

std::size_t number_from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Part {
    int nodes = 1;
    std::size_t first = 0, step = 1;
    bool (*takes)(const SmallPlan&) = nullptr;  ///< of these; null: all
};

/// Has the plan conditions, limits or kinds of runners?
bool is_special(const SmallPlan& plan) {
    return std::ranges::any_of(
        plan, [](const SmallNode& n) { return n.condition || n.uses > 0 || !n.runner.empty(); });
}
bool is_plain(const SmallPlan& plan) { return !is_special(plan); }

/// Explores the plans of `part`; the first parting, with the shortest path to it that was found.
std::optional<std::string> explore(
    Explorer& explorer, const Part& part, const Bounds& bounds,
    const std::function<bool()>& go_on = [] { return true; }) {
    std::optional<std::string> parted;
    each_small_plan(part.nodes, [&](std::size_t number, const SmallPlan& plan) {
        if (parted || !go_on() || number < part.first || (number - part.first) % part.step != 0) return;
        if (part.takes != nullptr && !part.takes(plan)) return;
        const auto parting = explorer.explore(creation(plan), bounds);
        if (!parting) return;
        Bench bench(BenchStore::memory);
        parted = fmt::format("plan {} of {} nodes: {}\n{}\nthe least that was found:\n{}", number, part.nodes,
                             parting->text, describe(parting->path), bench.explain(parting->path));
    });
    return parted;
}

/// How deep the long form goes in plans of 1, 2 and 3 nodes. The memory goes with the states that were found
/// and not yet left, and each operation more takes about three times as long.
constexpr std::array<std::size_t, 3> kLongDepth{4, 3, 6};

/// Flaws that show within the plans of one node and some of two, two operations after their creation.
const std::set<Flaw> kShownEarly{Flaw::no_op_counts,
                                 Flaw::if_version_ignored,
                                 Flaw::planned_is_strict,
                                 Flaw::required_stays_open,
                                 Flaw::options_stay_open,
                                 Flaw::finalized_is_open,
                                 Flaw::cycles_accepted,
                                 Flaw::direct_with_dependencies,
                                 Flaw::retry_plus_one,
                                 Flaw::one_reason_for_all,
                                 Flaw::cancel_retries,
                                 Flaw::holders_not_asked,
                                 Flaw::no_retry_ignored,
                                 Flaw::heartbeat_is_a_change,
                                 Flaw::reason_is_unheard,
                                 Flaw::tokens_unread,
                                 Flaw::holders_look_alike,
                                 Flaw::authors_unknown,
                                 Flaw::others_say_complete,
                                 Flaw::runner_killed_at_once,
                                 Flaw::cause_is_failed,
                                 Flaw::lost_uses_retry,
                                 Flaw::heartbeat_for_runners,
                                 Flaw::word_is_not_a_heartbeat,
                                 Flaw::inside_is_outside,
                                 Flaw::inside_says_complete,
                                 Flaw::any_uid_may_speak,
                                 Flaw::plans_look_alike,
                                 Flaw::token_outlives,
                                 Flaw::skips_are_not_needed,
                                 Flaw::never_given_back,
                                 Flaw::results_while_planned,
                                 Flaw::op_id_ignored,
                                 Flaw::group_ignored,
                                 Flaw::past_holders_unasked,
                                 Flaw::lost_waits,
                                 Flaw::claim_ignores_backoff,
                                 Flaw::backoff_is_constant,
                                 Flaw::strangers_end_checks,
                                 Flaw::inside_ends_checks,
                                 Flaw::last_word_stays_open,
                                 Flaw::failed_stage_passes,
                                 Flaw::live_pass_is_broken,
                                 Flaw::results_stay_open,
                                 Flaw::broken_pass_counts,
                                 Flaw::missed_state_counts,
                                 Flaw::or_is_and,
                                 Flaw::cancelled_is_failed,
                                 Flaw::threshold_plus_one,
                                 Flaw::and_is_or,
                                 Flaw::hand_skips_upstream,
                                 Flaw::running_may_be_skipped,
                                 Flaw::second_skip_refused,
                                 Flaw::failures_may_be_skipped,
                                 Flaw::optional_counts,
                                 Flaw::upstream_is_fine,
                                 Flaw::gate_allows_upstream,
                                 Flaw::any_skip_is_no_failure,
                                 Flaw::unsuccessful_is_failure,
                                 Flaw::not_failed_is_indifferent,
                                 Flaw::conditions_unread,
                                 Flaw::nothing_is_equal,
                                 Flaw::false_is_upstream,
                                 Flaw::every_end_is_retried,
                                 Flaw::exits_are_unread,
                                 Flaw::backoff_has_no_end,
                                 Flaw::nobody_is_to_blame,
                                 Flaw::limits_unread,
                                 Flaw::queues_use_nothing,
                                 Flaw::limits_sink,
                                 Flaw::kinds_unread,
                                 Flaw::ahead_runs,
                                 Flaw::ahead_shares,
                                 Flaw::ahead_is_bold,
                                 Flaw::only_always_cleans_up,
                                 Flaw::clean_up_stays,
                                 Flaw::cancel_is_not_remembered,
                                 Flaw::cancels_one_by_one,
                                 Flaw::cancel_forgives};

std::string text(const Figures& f) {
    return fmt::format("plans {} states {} transitions {} refused {} cut {}", f.plans, f.states,
                       f.transitions, f.refused, f.cut);
}

/// Looks for `flaws` until all are shown, and sees that the product parts from a model with each.
void check_flaws(Explorer& explorer, const std::set<Flaw>& flaws, const Part& plans_of_two) {
    std::map<Flaw, Operations> shown;
    explorer.look_for(flaws, [&](Flaw flaw, const Operations& path) {
        shown[flaw] = path;
        if (std::getenv("TURBOCI_MODEL_VERBOSE"))
            std::cerr << to_string(flaw) << ": " << text(explorer.figures()) << '\n';
    });
    Bounds bounds;
    bounds.depth = 2;
    const auto go_on = [&] { return !explorer.hidden().empty(); };
    CHECK_FALSE(explore(explorer, {1, 0, 2}, bounds, go_on));
    CHECK_FALSE(explore(explorer, {2, 0, 2, is_special}, bounds, go_on));
    CHECK_FALSE(explore(explorer, plans_of_two, bounds, go_on));
    Bench bench(BenchStore::memory);
    for (const auto& [flaw, path] : shown) {
        INFO(to_string(flaw) << '\n' << describe(path));
        CHECK(bench.run(path, flaw));
    }
}

}  // namespace

// The short form is bounded so that it ends within a minute where nothing else runs: all that may be asked
// two operations deep for one node, what moves a third of the plans of two nodes on four deep. A program that
// is not optimised looks at a part of these plans.
#if defined(__OPTIMIZE__)
constexpr std::size_t kOneOf = 1, kOneOfPairs = 3;
const std::set<Flaw>& flaws_to_find() { return kShownEarly; }
#else
constexpr std::size_t kOneOf = 8, kOneOfPairs = 64;
/// Each flaw is a model of its own that is held against the product: one of each kind of rule.
const std::set<Flaw>& flaws_to_find() {
    static const std::set<Flaw> kFew{
        Flaw::planned_is_strict, Flaw::retry_plus_one, Flaw::cancel_retries, Flaw::conditions_unread,
        Flaw::limits_unread,     Flaw::kinds_unread,   Flaw::clean_up_stays, Flaw::running_may_be_skipped};
    return kFew;
}
#endif

TEST_CASE("From each early state of a plan of one node every operation does what the model does") {
    Bounds bounds;
    bounds.depth = 2;
    bounds.copies = true;
    Explorer explorer;
    const auto parted = explore(explorer, {1, 0, kOneOf}, bounds);
    INFO(parted.value_or(""));
    CHECK_FALSE(parted);
    CHECK(static_cast<std::size_t>(explorer.figures().states) > 2000 / kOneOf);
}

TEST_CASE("From each early state of a plan of two nodes what moves it on does what the model does") {
    Bounds bounds;
    bounds.questions = Questions::few;
    bounds.depth = 4;
    Explorer explorer;
    auto parted = explore(explorer, {2, 0, kOneOfPairs, is_plain}, bounds);
    if (!parted) parted = explore(explorer, {2, 0, kOneOf, is_special}, bounds);
    INFO(parted.value_or(""));
    CHECK_FALSE(parted);
    CHECK(static_cast<std::size_t>(explorer.figures().states) > 25000 / kOneOfPairs);
}

TEST_CASE("Rules that are broken on purpose are noticed within small plans") {
    Explorer explorer;
    check_flaws(explorer, flaws_to_find(), {2, 0, 30});
    for (const Flaw flaw : explorer.hidden()) {
        INFO(to_string(flaw));
        CHECK(false);
    }
}

TEST_CASE("Long form: which rules that are broken on purpose small plans show", "[.][flaws]") {
    std::set<Flaw> flaws;
    for (auto f = static_cast<std::uint8_t>(1); f < static_cast<std::uint8_t>(Flaw::last_flaw); ++f)
        flaws.insert(static_cast<Flaw>(f));
    Explorer explorer;
    check_flaws(explorer, flaws, {2});
    for (const Flaw flaw : explorer.hidden()) std::cout << "not shown: " << to_string(flaw) << '\n';
    std::cout << text(explorer.figures()) << '\n';
}

TEST_CASE("Long form: all states of all small plans", "[.][long]") {
    Part part;
    part.nodes = static_cast<int>(number_from_environment("TURBOCI_MODEL_NODES", 1));
    const std::size_t sample = number_from_environment("TURBOCI_MODEL_SAMPLE", 1);
    part.first = number_from_environment("TURBOCI_MODEL_JOB", 0) * sample;
    part.step = number_from_environment("TURBOCI_MODEL_JOBS", 1) * sample;
    Bounds bounds;
    bounds.questions = part.nodes < 3 ? Questions::all : Questions::few;
    if (std::getenv("TURBOCI_MODEL_FEW")) bounds.questions = Questions::few;
    bounds.depth = number_from_environment("TURBOCI_MODEL_DEPTH",
                                           kLongDepth.at(static_cast<std::size_t>(part.nodes) - 1));
    Explorer explorer;
    const auto parted = explore(explorer, part, bounds);
    std::cout << text(explorer.figures()) << '\n';
    INFO(parted.value_or(""));
    CHECK_FALSE(parted);
}
