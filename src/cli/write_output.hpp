// SPDX-License-Identifier: Apache-2.0
// What a write did, for people and for programs.
#pragma once

#include "cli/app.hpp"

namespace turboci::cli {

/// Prints the warnings on stderr and the result in the chosen format. Lists longer than 20 are cut in
/// tables unless --verbose.
void print_write_result(Context& context, const WriteResult& result, bool dry_run = false);

}  // namespace turboci::cli
