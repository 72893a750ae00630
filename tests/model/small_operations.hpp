// SPDX-License-Identifier: Apache-2.0
// What may be asked of a plan in a given state.
#pragma once

#include "operation.hpp"

namespace turboci::model {

/// How much is asked.
enum class Questions : std::uint8_t {
    all,  ///< every kind of request that the model knows, wrong ones too
    few,  ///< what moves a plan of several nodes on, and the wrong ones that go with it
};

/// Operations on the state of `model` at `now`, the same for the same state. `creation` made the plan.
[[nodiscard]] Operations operations_in(const Model& model, Timestamp now, const Operation& creation,
                                       Questions questions);

}  // namespace turboci::model
