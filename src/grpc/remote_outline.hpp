// SPDX-License-Identifier: Apache-2.0
// A drawing's view of nodes that were read from a server.
#pragma once

#include <string>
#include <vector>

#include "domain/outline.hpp"
#include "turboci/check.hpp"
#include "turboci/stage.hpp"

namespace turboci::rpc {

/// What Service::outline() gives of the same nodes.
[[nodiscard]] Outline outline_of(const std::string& plan, const std::vector<Check>& checks,
                                 const std::vector<Stage>& stages);

}  // namespace turboci::rpc
