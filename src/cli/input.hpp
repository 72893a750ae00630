// SPDX-License-Identifier: Apache-2.0
// Files and values that a command is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.hpp"
#include "os/file_text.hpp"
#include "turboci/json_text.hpp"
#include "turboci/plan_file.hpp"
#include "turboci/requests.hpp"

namespace turboci::cli {

/// The whole of a file, or of standard input for "-". USAGE if it cannot be opened or is a directory,
/// INVALID_ARGUMENT if it is longer than `limit`, STORE if reading fails. Where `sign` is not within the
/// first 4 KiB it is something else than was asked for, and no more is read of it.
[[nodiscard]] FileText read_file(const std::string& path, std::size_t limit = kMaxPlanFileBytes,
                                 std::string_view sign = {});

/// Reads all plan files into `request`; problems are added, not thrown. True if all were read to their ends.
/// "-" may be named once.
bool read_plan_files(const std::vector<std::string>& paths, WriteNodes& request, Problems& problems);
/// The same for a write: throws all problems that can be seen without a store. What the files are warned of.
[[nodiscard]] std::vector<std::string> read_sound_plan_files(const std::vector<std::string>& paths,
                                                             WriteNodes& request);

/// A JSON object given as TEXT, @FILE or @- on the command line. `option` names it in messages.
/// INVALID_ARGUMENT if it is not one.
[[nodiscard]] JsonText json_argument(std::string_view option, const std::string& value);

/// The id in "stage:ID" or "ID"; USAGE if the reference is to the other type.
[[nodiscard]] std::string id_argument(NodeType type, const std::string& text);
[[nodiscard]] std::vector<RefText> ref_arguments(const std::vector<std::string>& texts);

/// Are there somebody to ask and somewhere to ask: are standard input and error a terminal?
[[nodiscard]] bool can_ask();
/// The answer to a question that is yes or no. Yes where nobody can be asked. `question` is raw data.
[[nodiscard]] bool confirm(const std::string& question);

/// --lost-after, for those who look for runners.
void declare_lost_after(Parser& parser, std::optional<Duration>& lost_after);

}  // namespace turboci::cli
