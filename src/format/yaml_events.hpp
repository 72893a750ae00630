// SPDX-License-Identifier: Apache-2.0
// YAML text as neutral events: anchors, aliases and `<<` merges resolved within a budget, no recursion.
#pragma once

#include <string_view>

#include "format/events.hpp"

namespace turboci {

/// Aliases may make a file grow to this many times its size, or to kFreeEvents, whichever is more.
inline constexpr std::size_t kMaxExpansion = 16;
inline constexpr std::size_t kFreeEvents = 100'000;
/// What a small file's events may hold at most: an alias is short, its text need not be.
inline constexpr std::size_t kFreeBytes = 64u << 20;

/// Feeds `sink` with every document of `text`, which has passed check_text(). Empty documents are nulls.
ReadEnd read_yaml_events(std::string_view text, std::uint32_t file, EventSink& sink, FileProblems& problems);

}  // namespace turboci
