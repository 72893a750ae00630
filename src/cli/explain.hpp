// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/app.hpp"

namespace turboci::cli {

/// A tree for people: each predicate with its true, false and unknown members, root causes at the end.
void print_explanation(Context& context, const Explanation& found);

}  // namespace turboci::cli
