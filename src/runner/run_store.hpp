// SPDX-License-Identifier: Apache-2.0
// What `turboci run` asks of the store.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runner/run_state.hpp"
#include "runner/stage_command.hpp"
#include "turboci/service.hpp"

namespace turboci {

struct RunOptions;

/// One run's view of one plan in the store. All but the constructor may be called from another thread, one
/// call at a time.
class RunStore {
public:
    /// `options.plan` is resolved. All must outlive this object.
    RunStore(Service& service, const RunOptions& options, const WorkPlan& plan,
             const StageCommands& commands);

    [[nodiscard]] const std::string& holder() const noexcept { return holder_; }
    [[nodiscard]] const std::string& process_uid() const noexcept { return process_uid_; }

    WriteResult write(const Batch& batch);
    /// LOCKED instead of waiting for others.
    WriteResult write_at_once(const Batch& batch);
    /// The plan's row; NOT_FOUND if another plan has its id now.
    [[nodiscard]] WorkPlan look();
    /// `stages`: the ones to look at; empty: all that have an attempt which is not over.
    /// With `judge`, Inspection::failures.
    [[nodiscard]] Inspection inspect(const std::vector<std::string>& stages, bool judge);
    void beat();
    /// Takes the signs of life back. Never throws: an old one misleads nobody.
    void end_beats() noexcept;
    /// A note for each stage that was found since the last call, and that cannot be executed here.
    [[nodiscard]] std::vector<std::string> take_notes();

private:
    [[nodiscard]] WriteNodes request_of(const Batch& batch);
    [[nodiscard]] bool fits(const std::string& stage, const JsonText& args);
    void inspect_stage(const Stage& stage, Inspection& found);
    [[nodiscard]] std::size_t count_failures();
    [[nodiscard]] bool takes_runner(const std::string& runner) const;

    Service& service_;
    std::unique_ptr<Service> impatient_;
    const RunOptions& options_;
    const StageCommands& commands_;
    RunnerIdentity runner_;
    std::string process_uid_;
    std::string holder_;         ///< random identity of this run
    std::string plan_identity_;  ///< of the plan itself, whatever its id
    std::string within_;         ///< the stages that this run is itself a part of, see enclosing_stage()
    bool has_beaten_ = false;
    std::set<std::string> misfits_;   ///< stages that cannot be executed here
    std::set<std::string> judged_;    ///< stages that can, though their args are long
    std::vector<std::string> notes_;  ///< of them, to be told
    /// Of a selection that was cancelled: stages besides it that clean up after it.
    std::vector<std::string> clean_up_;
    bool look_for_clean_up_ = false;
};

}  // namespace turboci
