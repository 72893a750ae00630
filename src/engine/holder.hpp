// SPDX-License-Identifier: Apache-2.0
// Who holds an attempt, whether that holder still lives, and who may speak for it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/apply.hpp"
#include "engine/resolve.hpp"
#include "turboci/runner.hpp"

namespace turboci::engine {

/// Tells whether the runner of an attempt is still there.
class Holders {
public:
    /// `load` and `probe` must outlive this. `wall`: what beats are compared with.
    Holders(const RunnerProbe& probe, const Load& load, Duration lost_after, Timestamp wall)
        : probe_(probe), load_(load), lost_after_(lost_after), wall_(wall) {}
    /// Of an attempt that is SCHEDULED or RUNNING and held by a runner: a process that can be probed lives as
    /// long as it is there, any other as long as it beats.
    [[nodiscard]] bool lives(const AttemptRow& row) const;

private:
    const RunnerProbe& probe_;
    const Load& load_;
    Duration lost_after_;
    Timestamp wall_;
};

[[nodiscard]] inline bool is_held(const AttemptRow& row) noexcept {
    return row.attempt.state == AttemptState::scheduled || row.attempt.state == AttemptState::running;
}
/// A held attempt that was imported: its holder is not in this store.
[[nodiscard]] inline bool is_orphan(const AttemptRow& row) noexcept {
    return is_held(row) && row.deadline == Timestamp{};
}
/// Must its holder be asked to end it? `speaks`: the attempt itself writes, so its process has begun, even if
/// its holder has not yet said so.
[[nodiscard]] inline bool has_runner(const AttemptRow& row, bool speaks = false) noexcept {
    const bool begun = row.attempt.state == AttemptState::running || (speaks && is_held(row));
    return begun && row.runner.has_value() && !is_orphan(row);
}
/// It runs from now on.
void begin_running(WorkingSet& nodes, AttemptRow& row);
/// Puts a live attempt back after a change, with its deadline.
void keep_live_attempt(WorkingSet& nodes, const Node& stage, AttemptRow& row);
/// Does the request come from inside the current attempt of the stage?
[[nodiscard]] bool is_inside(const WriteNodes& request, const Node& stage);

/// Refuses the request (CONFLICT, INVALID_STATE) if its token is of another plan under the same id, or of an
/// attempt that is not the current one, not live, or held by another. Tokens of other stores and plan ids are
/// ignored.
void check_token(Session& session);

/// Notes in the working set which attempt writes, so that new nodes can tell.
void note_author(Session& session);

/// An attempt whose holder is gone: back to PENDING if no process began; ended as it was marked, if it was;
/// else ended, lost.
void lose_attempt(WorkingSet& nodes, Node& stage, AttemptRow& row);
/// Does so for attempts that the request names and whose runners are gone: what is asked of them is asked of
/// what follows.
void lose_named(Session& session, const Holders& holders);

/// Marks an attempt as being stopped. The first mark stands, but a cancel replaces any. False: nothing
/// changed.
bool mark_stopping(WorkingSet& nodes, Node& stage, AttemptRow& row, Stopping mark, Mover mover);

/// A mark makes an end worse, never better: it counts where the process was told to end before it ended, or
/// where the attempt itself said so.
[[nodiscard]] End end_of(const AttemptRow& row, const AttemptWrite& write);
/// The failure of an attempt that ends as marked.
[[nodiscard]] std::string failure_of(const Stopping& mark);

}  // namespace turboci::engine
