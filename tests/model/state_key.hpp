// SPDX-License-Identifier: Apache-2.0
// States of a model that behave alike from here on are one.
#pragma once

#include <optional>
#include <string>

#include "model.hpp"

namespace turboci::model {

/// All that later answers can depend on. Versions and past times are not in it; times that are still to come
/// are, relative to `now`: in what order, and in how many seconds, rounded up. Holders without a name of ours
/// and processes are numbered as they come: whoever is dead holds nothing any more once that is seen, and
/// its number is not used again.
[[nodiscard]] std::string state_key(const Model& model, Timestamp now);

/// The next time at which something happens by itself (a timeout, the end of a backoff) if nobody does
/// anything, at least 2 microseconds from now.
[[nodiscard]] std::optional<Timestamp> next_moment(const Model& model, Timestamp now);

}  // namespace turboci::model
