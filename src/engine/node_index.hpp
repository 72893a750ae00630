// SPDX-License-Identifier: Apache-2.0
// Nodes by name, for writes that name a hundred thousand of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "turboci/node.hpp"

namespace turboci::engine {

struct Node;

/// A hash table with open addressing. Holds pointers only: nodes must stay where they are, and keep their
/// type and id.
class NodeIndex {
public:
    /// Null if there is none of that name.
    [[nodiscard]] Node* find(NodeType type, std::string_view id) const noexcept;
    struct Named {
        Node* check = nullptr;
        Node* stage = nullptr;
    };
    /// Both of that name, in one search.
    [[nodiscard]] Named find(std::string_view id) const noexcept;
    /// The name must be new.
    void insert(Node& node);
    /// So many more are to come.
    void expect(std::size_t count);

private:
    struct Slot {
        std::uint64_t hash = 0;
        Node* node = nullptr;
    };
    void put(Slot slot) noexcept;
    void resize(std::size_t slots);

    std::vector<Slot> slots_;  ///< a power of two, at most half of them in use
    std::size_t used_ = 0;
};

}  // namespace turboci::engine
