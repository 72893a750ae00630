// SPDX-License-Identifier: Apache-2.0
#include "domain/outline.hpp"

#include <algorithm>

namespace turboci {

namespace {

constexpr std::size_t kBlock = 64 << 10;

}  // namespace

char* TextArena::room(std::size_t size) {
    if (size > left_) {
        const std::size_t block = size > kBlock / 8 ? size : kBlock;
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
        // A long text has its own block; the present one goes on being filled.
        if (block == size) return blocks_.back().get();
        free_ = blocks_.back().get();
        left_ = block;
    }
    char* begin = free_;
    free_ += size;
    left_ -= size;
    return begin;
}

std::string_view TextArena::keep(std::string_view first, std::string_view second, std::string_view third) {
    const std::size_t size = first.size() + second.size() + third.size();
    if (size == 0) return {};
    char* const begin = room(size);
    char* at = std::copy(first.begin(), first.end(), begin);
    at = std::copy(second.begin(), second.end(), at);
    std::copy(third.begin(), third.end(), at);
    return {begin, size};
}

std::string needs_text(std::string_view runner, std::span<const Use> uses) {
    std::string needs = runner.empty() ? "" : "runner " + std::string(runner);
    for (const Use& use : uses) {
        needs += &use == &uses.front() ? (needs.empty() ? "uses " : ", uses ") : ", ";
        if (use.count != 1) needs += std::to_string(use.count) + " of ";
        needs += use.limit;
    }
    return needs;
}

std::string_view to_string(LinkKind kind) noexcept {
    switch (kind) {
        case LinkKind::dependency:
            return "dependency";
        case LinkKind::continuation:
            return "continuation";
        case LinkKind::assignment:
            return "assignment";
    }
    return "";
}

}  // namespace turboci
