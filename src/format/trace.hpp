// SPDX-License-Identifier: Apache-2.0
// A plan as Chrome trace events, which Perfetto and chrome://tracing open.
#pragma once

#include <string>

#include "format/node_collector.hpp"

namespace turboci {

/// One JSON object with "traceEvents". Three processes: 1 the attempts, 2 their waiting (category "waiting"),
/// 3 the critical path. In each a thread is a lane in which no two bars overlap. Times are microseconds since
/// the first attempt could begin; "otherData" tells when that was.
///
/// Source: "Trace Event Format", the object form; events of type X and metadata of type M.
[[nodiscard]] std::string trace_json(const NodeCollector& graph);

}  // namespace turboci
