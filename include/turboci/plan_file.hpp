// SPDX-License-Identifier: Apache-2.0
// Plan files: YAML 1.2 core or JSON in, a WriteNodes request with positions out. Input is hostile.
#pragma once

#include <string>
#include <string_view>

#include "turboci/problems.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// One file's name (for messages) and whole text.
struct PlanText {
    std::string name;
    std::string_view text;
};

inline constexpr std::size_t kMaxPlanFileBytes = 256u << 20;

/// Appends what the file says to `request` (checks, stages, labels, reason, actor, if_version, op_id)
/// and its name to `request.files`. JSON or YAML by content. Problems of form (syntax, unknown and
/// duplicate keys, wrong types, budgets) go to `problems`; what can be read is still read. True if the file
/// was read to its end, so that what it lacks is really not there.
bool read_plan_text(const PlanText& file, WriteNodes& request, Problems& problems);

/// The JSON Schema (draft 2020-12) of plan files, indented.
[[nodiscard]] std::string_view plan_schema();

}  // namespace turboci
