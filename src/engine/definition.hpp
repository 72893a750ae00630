// SPDX-License-Identifier: Apache-2.0
// The definition of a node that is stored: as the request that would write it, and compared with one.
#pragma once

#include <functional>
#include <optional>

#include "turboci/changes.hpp"

namespace turboci::engine {

/// A check as it would be written anew: without results, PLANNED unless it never was.
[[nodiscard]] CheckWrite check_definition(const NodeRecord& check);
/// A stage likewise, with its policy; with its continuation group if `with_group`.
[[nodiscard]] StageWrite stage_definition(const NodeRecord& stage, bool with_group);
/// The predicate of a node in one role; without edges if it has none.
[[nodiscard]] PredicateSpec predicate_spec(const NodeRecord& node, PredicateRole role);

/// Which node a reference means: with its type, if it is a bare name. Null: none.
using FindRef = std::function<std::optional<NodeRef>(const RefText& ref)>;

/// Has the node this definition? Kind, options, dependencies, condition, required.
[[nodiscard]] bool same_definition(const NodeRecord& check, const CheckWrite& write, const FindRef& find);
/// Args, dependencies, condition, assignments, runner, uses; and the continuation group if `with_group`.
/// Policy is no part of it.
[[nodiscard]] bool same_definition(const NodeRecord& stage, const StageWrite& write, bool with_group,
                                   const FindRef& find);

}  // namespace turboci::engine
