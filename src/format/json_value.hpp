// SPDX-License-Identifier: Apache-2.0
// JSON values for those who show them: in the order in which they were written, however many keys there are.
#pragma once

#include "domain/ordered_json.hpp"
