// SPDX-License-Identifier: Apache-2.0
#include "engine/node_index.hpp"

#include <algorithm>
#include <bit>

#include "domain/text_hash.hpp"
#include "engine/working_set.hpp"

namespace turboci::engine {

namespace {

constexpr std::size_t kFewest = 16;

}  // namespace

// By id alone, so that a search meets both nodes of a name.

NodeIndex::Named NodeIndex::find(std::string_view id) const noexcept {
    Named found;
    if (slots_.empty()) return found;
    const std::uint64_t wanted = hash_text(id);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = wanted & mask; slots_[at].node != nullptr; at = (at + 1) & mask) {
        const Slot& slot = slots_[at];
        if (slot.hash != wanted || slot.node->row.id != id) continue;
        (slot.node->row.type == NodeType::check ? found.check : found.stage) = slot.node;
    }
    return found;
}

Node* NodeIndex::find(NodeType type, std::string_view id) const noexcept {
    const Named found = find(id);
    return type == NodeType::check ? found.check : found.stage;
}

void NodeIndex::put(Slot slot) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = slot.hash & mask;
    while (slots_[at].node != nullptr) at = (at + 1) & mask;
    slots_[at] = slot;
}

void NodeIndex::resize(std::size_t slots) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    for (const Slot& slot : old)
        if (slot.node != nullptr) put(slot);
}

void NodeIndex::expect(std::size_t count) {
    const std::size_t least = (used_ + count) * 2;
    if (least > slots_.size()) resize(std::bit_ceil(std::max(least, kFewest)));
}

void NodeIndex::insert(Node& node) {
    expect(1);
    ++used_;
    put({hash_text(node.row.id), &node});
}

}  // namespace turboci::engine
