// SPDX-License-Identifier: Apache-2.0
// As much of DOT as the product writes, read by the grammar.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace turboci::fuzz {

struct DotGraph {
    using Attributes = std::map<std::string, std::string>;
    std::string name;
    std::vector<std::pair<std::string, Attributes>> nodes;
    struct Arrow {
        std::string from, to;
        Attributes attributes;
    };
    std::vector<Arrow> arrows;
};

/// nullopt if `text` is not one digraph. Names are as Graphviz keeps them: only `\"` is an escape in them.
[[nodiscard]] std::optional<DotGraph> read_dot(std::string_view text);
/// What Graphviz shows for a label or tooltip: escapes and character entities are resolved. nullopt for an
/// escape that stands for something of the graph (`\N`) or for alignment (`\l`).
[[nodiscard]] std::optional<std::string> shown(std::string_view label);

}  // namespace turboci::fuzz
