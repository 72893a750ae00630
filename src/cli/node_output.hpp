// SPDX-License-Identifier: Apache-2.0
// Nodes as each output format shows them.
#pragma once

#include <memory>
#include <string>

#include "cli/app.hpp"

namespace turboci::cli {

/// Prints what a query finds. finish() ends the document.
class NodePrinter : public NodeSink {
public:
    /// What it prints of the nodes; nothing else need be read.
    [[nodiscard]] virtual NodeParts parts() const { return {}; }
    virtual void finish() = 0;
};
/// What short_reason() looks at.
[[nodiscard]] NodeParts parts_for_reasons();
/// Writes as it receives, except for tables, YAML, and JSON on a terminal.
[[nodiscard]] std::unique_ptr<NodePrinter> make_node_printer(Context& context);

/// "FINAL passed", "WAITING"; not coloured.
[[nodiscard]] std::string state_text(State state, std::optional<Outcome> outcome);
/// Why a node is where it is, in a few words: what it waits for, who works on it, what failed. Raw data.
[[nodiscard]] std::string short_reason(const Check& check);
[[nodiscard]] std::string short_reason(const Stage& stage);
/// "check:a, stage:b and 3 more": raw data.
[[nodiscard]] std::string join_refs(const std::vector<NodeRef>& refs, std::size_t limit);

}  // namespace turboci::cli
