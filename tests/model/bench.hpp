// SPDX-License-Identifier: Apache-2.0
// The product and the model side by side.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "model.hpp"
#include "operation.hpp"
#include "service/local_service.hpp"
#include "support/fake_clock.hpp"
#include "support/temp_dir.hpp"

namespace turboci::memory {
class Data;
class Shared;
}  // namespace turboci::memory

namespace turboci::model {

/// Where product and model part.
struct Divergence {
    std::size_t operation = 0;  ///< index into the sequence
    std::string text;
};

/// Which store the product works on.
enum class BenchStore : std::uint8_t { file, memory };

/// A store that sequences are run on, each in a plan of its own.
class Bench {
public:
    explicit Bench(BenchStore store = BenchStore::file);
    /// Runs `operations` on the product and on a model with `flaw`, and compares answers, errors and the
    /// whole visible state after each.
    /// `copies`: whether the plan is exported and imported at the end.
    std::optional<Divergence> run(const Operations& operations, Flaw flaw = Flaw::none, bool copies = true);
    /// The same with what made it part: the shortest sequence that was found, and where it parts.
    std::string explain(const Operations& failing, Flaw flaw = Flaw::none);

    // ---- one operation at a time
    /// A plan of its own, not yet created: the first operation does that.
    void begin(Flaw flaw = Flaw::none);
    /// Runs one operation on both. What they differ in.
    std::optional<std::string> step(const Operation& operation);
    [[nodiscard]] const Model& model() const { return course_.model; }
    [[nodiscard]] const std::string& plan() const { return course_.plan; }
    /// What the model answered to the last operation.
    [[nodiscard]] const Answer& expected() const { return expected_; }
    [[nodiscard]] const ClockReading& now() const { return clock_.reading; }
    /// What is stored is a state that the rules lead to, and survives export and import. Ends the plan.
    std::optional<std::string> check_end(bool copies);

    // ---- with the store in memory: states to come back to, as often as wanted
    struct Place;
    [[nodiscard]] Place place() const;
    void go_to(const Place& place);
    /// Has the store the very contents that it had at `place`?
    [[nodiscard]] bool is_unchanged_since(const Place& place) const;

private:
    /// What belongs to one plan.
    struct Course {
        Model model;
        std::string plan;                               ///< the first one
        std::map<std::string, std::string> plans;       ///< identities by id
        std::map<std::string, std::string> identities;  ///< of holders that the product named
    };

    std::optional<std::string> compare_state();
    std::optional<std::string> compare_state(const std::string& plan);
    std::optional<std::string> compare_record(std::int64_t since);
    std::optional<std::string> compare_copy();
    std::optional<std::string> compare_claimed(const WriteResult& result);
    std::optional<std::string> step_rerun(const Operation& operation);
    [[nodiscard]] std::map<NodeRef, SkipCause> skips(const std::string& plan);
    void refuse(const Error& error, std::set<ErrorCode>& refused, std::string& message);
    /// Runs `operation` on the product; `refused` and `message` are what it threw.
    WriteResult ask(const Operation& operation, const CreatePlan& create, std::set<ErrorCode>& refused,
                    std::string& message);
    WriteResult ask(const Operation& operation, const WriteNodes& request);
    /// `request` with the names of holders that the product knows, and with its token.
    [[nodiscard]] WriteNodes with_holders(WriteNodes request, const std::optional<ModelToken>& token);
    /// The identity of a holder in the product, for its name in the model.
    [[nodiscard]] std::string identity(const std::string& holder) const;
    [[nodiscard]] std::string token_text(const ModelToken& token) const;

    std::optional<test::TempDir> dir_;          ///< of a file
    std::shared_ptr<memory::Shared> contents_;  ///< of a store in memory
    test::FakeClock clock_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<LocalService> endpoint_;
    std::string store_identity_;
    Course course_;
    Answer expected_;
    std::int64_t plans_ = 0;
};

/// Product and model between two operations.
struct Bench::Place {
    Course course;
    ClockReading now;
    std::shared_ptr<const memory::Data> contents;
};

/// What a model alone makes of a sequence.
struct Tale {
    std::vector<Answer> answers;
    std::vector<std::string> picture;             ///< at the end
    std::vector<std::vector<std::string>> notes;  ///< likewise
};
[[nodiscard]] Tale tell(const Operations& operations);
/// Does a model with `flaw` part from the one without, which tells `right`? Knows nothing of the product, and
/// is fast.
[[nodiscard]] bool shows(const Operations& operations, const Tale& right, Flaw flaw);
/// The plan that `operation` is about.
[[nodiscard]] const std::string& plan_of(const Model& model, const Operation& operation);
/// The request of a rerun, with the id that the new plan gets.
[[nodiscard]] RerunPlan rerun_request(const Model& model, const Operation& operation);
/// What a model alone answers to one operation; the first creates the plan.
Answer answer(Model& model, const Operation& operation, const ClockReading& now);
/// Whether two answers differ in what can be seen of them.
[[nodiscard]] bool differ(const Answer& a, const Answer& b);

/// The shortest sequence that still `fails`, by leaving out what can be left out.
[[nodiscard]] Operations shrink(Operations failing, const std::function<bool(const Operations&)>& fails);

/// All that readers see of a plan, or of all of them, a line for each fact. What is said in prose is not in
/// it.
[[nodiscard]] std::vector<std::string> picture(const Model& model);
[[nodiscard]] std::vector<std::string> picture(const Model& model, const ModelPlan& plan);
[[nodiscard]] std::vector<std::string> picture(const WorkPlan& plan, const std::vector<Check>& checks,
                                               const std::vector<Stage>& stages);
/// What the notes of the orchestrator have to name.
[[nodiscard]] std::vector<std::vector<std::string>> notes(const Model& model);
/// Does the prose of the orchestrator's results name what it must?
[[nodiscard]] std::optional<std::string> compare_prose(const ModelPlan& plan,
                                                       const std::vector<Check>& checks);

}  // namespace turboci::model
