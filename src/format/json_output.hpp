// SPDX-License-Identifier: Apache-2.0
// Domain values as JSON text: the stable contract of `-o json` and `-o jsonl`.
#pragma once

#include <string>

#include "turboci/requests.hpp"

namespace turboci {

// Each appends one compact JSON object to `out`. Keys are always present, lists are [] when empty, times
// are RFC 3339. Bad UTF-8 becomes U+FFFD.
void append_json(std::string& out, const WorkPlan& plan);
void append_json(std::string& out, const Predicate& predicate);
void append_json(std::string& out, const Check& check);
void append_json(std::string& out, const Stage& stage);
void append_json(std::string& out, const Attempt& attempt);
void append_json(std::string& out, const WriteResult& result);
void append_json(std::string& out, const ClaimedAttempt& claimed, const WorkPlan& plan);
void append_json(std::string& out, const LogEntry& entry);
void append_json(std::string& out, const Explanation& explanation);
void append_json(std::string& out, const PlanSummary& summary);
/// {"error":{"code","message","details":[{"file","line","column","message"}…]}}
void append_json(std::string& out, const Error& error);

/// The same document with two spaces of indentation, for `-o json` (json: one document).
[[nodiscard]] std::string indent_json(std::string_view compact);
/// The same document as YAML (through yaml-cpp's emitter), for `-o yaml`.
[[nodiscard]] std::string json_to_yaml(std::string_view compact);

}  // namespace turboci
