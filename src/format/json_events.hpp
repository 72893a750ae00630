// SPDX-License-Identifier: Apache-2.0
// JSON text as neutral events, with positions.
#pragma once

#include <string_view>

#include "format/events.hpp"

namespace turboci {

/// Feeds `sink` with the one document of `text`, which has passed check_text(). ReadEnd::syntax: it is not
/// JSON, and what `sink` was given does not count.
ReadEnd read_json_events(std::string_view text, std::uint32_t file, EventSink& sink, FileProblems& problems);

}  // namespace turboci
