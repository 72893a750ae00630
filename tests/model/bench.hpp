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

namespace turboci::model {

/// Where product and model part.
struct Divergence {
    std::size_t operation = 0;  ///< index into the sequence
    std::string text;
};

/// A real store that sequences are run on, each in a plan of its own.
class Bench {
public:
    Bench();
    /// Runs `operations` on the product and on a model with `flaw`, and compares answers, errors and the
    /// whole visible state after each.
    /// `copies`: whether the plan is exported and imported at the end.
    std::optional<Divergence> run(const Operations& operations, Flaw flaw = Flaw::none, bool copies = true);
    /// The same with what made it part: the shortest sequence that was found, and where it parts.
    std::string explain(const Operations& failing, Flaw flaw = Flaw::none);

private:
    std::optional<std::string> step(const Operation& operation, bool first, const std::string& plan,
                                    Model& model);
    std::optional<std::string> compare_state(const std::string& plan, const Model& model);
    std::optional<std::string> compare_record(const std::string& plan, const Answer& expected);
    std::optional<std::string> compare_copy(const std::string& plan, Model& model);
    std::optional<std::string> compare_claimed(const WriteResult& result, const Answer& expected,
                                               const std::string& plan);
    [[nodiscard]] std::map<NodeRef, SkipCause> skips(const std::string& plan);
    WriteResult ask(const Operation& operation, const WriteNodes& request);
    /// `request` with the names of holders that the product knows, and with its token.
    [[nodiscard]] WriteNodes with_holders(WriteNodes request, const std::optional<ModelToken>& token);
    /// The identity of a holder in the product, for its name in the model.
    [[nodiscard]] std::string identity(const std::string& holder) const;
    [[nodiscard]] std::string token_text(const ModelToken& token) const;

    test::TempDir dir_;
    test::FakeClock clock_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<LocalService> endpoint_;
    const Model* model_ = nullptr;  ///< that tells which runners live
    std::string plan_, store_identity_, plan_identity_;
    std::map<std::string, std::string> identities_;  ///< of holders that the product named
    std::int64_t plans_ = 0;
};

/// Does a model with `flaw` part from the model without? Knows nothing of the product, and is fast.
[[nodiscard]] bool shows(const Operations& operations, Flaw flaw);

/// The shortest sequence that still `fails`, by leaving out what can be left out.
[[nodiscard]] Operations shrink(Operations failing, const std::function<bool(const Operations&)>& fails);

/// All that readers see of a plan, a line for each fact. What is said in prose is not in it.
[[nodiscard]] std::vector<std::string> picture(const Model& model);
[[nodiscard]] std::vector<std::string> picture(const WorkPlan& plan, const std::vector<Check>& checks,
                                               const std::vector<Stage>& stages);
/// Does the prose of the orchestrator's results name what it must?
[[nodiscard]] std::optional<std::string> compare_prose(const Model& model, const std::vector<Check>& checks);

}  // namespace turboci::model
