// SPDX-License-Identifier: Apache-2.0
// Why a node ended as it did, in its own words; what reports show of it.
#pragma once

#include <string>
#include <vector>

#include "turboci/check.hpp"
#include "turboci/stage.hpp"

namespace turboci {

/// The failure messages of the results that count: of each stage's results only those of its highest
/// attempt, every other owner's. In the order of the results.
[[nodiscard]] std::vector<std::string> failure_messages(const Check& check);
/// The reason that was given for a cancel, else the last attempt's failure, else why the stage was
/// concluded, in words, else "".
[[nodiscard]] std::string failure_message(const Stage& stage);

}  // namespace turboci
