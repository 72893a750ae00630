// SPDX-License-Identifier: Apache-2.0
// The `defaults` of a document: what its nodes do not say themselves.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/plan_keys.hpp"
#include "format/yaml_source.hpp"
#include "turboci/node.hpp"

namespace turboci {

/// Maps that both have are merged at every depth; of all else the node's own counts. So do whole predicates
/// and whatever else is a map but means one thing.
class PlanDefaults {
public:
    /// `tape` holds the value of `defaults`, a map.
    explicit PlanDefaults(YamlTape tape);

    /// Is there anything for nodes of this type?
    [[nodiscard]] bool has(NodeType type) const noexcept { return node(type) != nullptr; }
    /// Appends the node on `tape` to `out`, with what it does not say.
    void merge(NodeType type, const YamlTape& tape, YamlTape& out);

private:
    struct Entry {
        RawEvent key;           ///< without its text
        std::string name;       ///< as written
        std::size_t value = 0;  ///< its offset
    };
    /// A map of the defaults, and those within it that a node had too.
    struct Map {
        std::vector<Entry> entries;
        std::map<std::string, std::size_t, std::less<>> numbers;  ///< of the entries by canonical name
        std::map<std::size_t, std::unique_ptr<Map>> inner;        ///< by number
    };
    [[nodiscard]] Map* node(NodeType type) const noexcept {
        return type == NodeType::check ? check_.get() : stage_.get();
    }
    [[nodiscard]] std::unique_ptr<Map> read_map(std::size_t offset, Place place) const;
    /// `offset` is that of a map on `tape` and moves behind it.
    void merge(Map& map, Place place, const YamlTape& tape, std::size_t& offset, YamlTape& out);

    YamlTape tape_;
    std::unique_ptr<Map> check_, stage_;
};

}  // namespace turboci
