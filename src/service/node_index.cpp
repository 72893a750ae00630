// SPDX-License-Identifier: Apache-2.0
#include "service/node_index.hpp"

#include "domain/text_hash.hpp"
#include "service/working_set.hpp"

namespace turboci::service {

std::uint64_t NodeIndex::hash(NodeType type, std::string_view id) noexcept {
    return hash_text(id) + static_cast<std::uint64_t>(type);
}

Node* NodeIndex::find(NodeType type, std::string_view id) const noexcept {
    if (slots_.empty()) return nullptr;
    const std::uint64_t wanted = hash(type, id);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = wanted & mask; slots_[at].node != nullptr; at = (at + 1) & mask) {
        const Slot& slot = slots_[at];
        if (slot.hash == wanted && slot.node->row.type == type && slot.node->row.id == id) return slot.node;
    }
    return nullptr;
}

void NodeIndex::put(Slot slot) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = slot.hash & mask;
    while (slots_[at].node != nullptr) at = (at + 1) & mask;
    slots_[at] = slot;
}

void NodeIndex::insert(Node& node) {
    if ((used_ + 1) * 2 > slots_.size()) {
        std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
        old.swap(slots_);
        for (const Slot& slot : old)
            if (slot.node != nullptr) put(slot);
    }
    ++used_;
    put({hash(node.row.type, node.row.id), &node});
}

}  // namespace turboci::service
