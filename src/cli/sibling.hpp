// SPDX-License-Identifier: Apache-2.0
// Programs beside turboci, for stores that turboci itself cannot reach.
#pragma once

#include <string>
#include <vector>

namespace turboci::cli {

/// Becomes the program for the store that the command line names, or returns if turboci itself is the one.
/// The program is found beside this one, never by PATH. Throws USAGE where it is not installed.
void become_sibling(const std::vector<std::string>& arguments, char** argv);

}  // namespace turboci::cli
