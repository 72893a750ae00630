// SPDX-License-Identifier: Apache-2.0
// Plans that are legal but can never finish.
#pragma once

#include <string>
#include <vector>

#include "engine/apply.hpp"

namespace turboci::engine {

/// One line for each circle of waiting that this write closed, at most a few.
[[nodiscard]] std::vector<std::string> deadlock_warnings(Session& session);

}  // namespace turboci::engine
