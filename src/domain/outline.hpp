// SPDX-License-Identifier: Apache-2.0
// A selection as drawings need it: what its nodes are, and what ties them to each other, by number.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/dependency.hpp"
#include "turboci/node.hpp"
#include "turboci/stage.hpp"

namespace turboci {

/// Keeps many short texts in a few large pieces of memory. What it hands out lives as long as it does, and
/// stays where it is when it moves.
class TextArena {
public:
    /// The texts one after the other.
    [[nodiscard]] std::string_view keep(std::string_view first, std::string_view second = {},
                                        std::string_view third = {});

private:
    [[nodiscard]] char* room(std::size_t size);
    std::vector<std::unique_ptr<char[]>> blocks_;
    char* free_ = nullptr;
    std::size_t left_ = 0;
};

/// What a stage needs to be claimed, for people: "runner gpu, uses db, 2 of licences". Empty: nothing.
[[nodiscard]] std::string needs_text(std::string_view runner, std::span<const Use> uses);

enum class LinkKind : std::uint8_t { dependency, continuation, assignment };
[[nodiscard]] std::string_view to_string(LinkKind kind) noexcept;

/// Nodes, links and groups of a selection. Whatever leads to a node outside of it is left out, but for the
/// names of checks that stages are assigned to.
struct Outline {
    static constexpr std::int32_t kNone = -1;
    static constexpr std::size_t kPrefix = 6;  ///< bytes of "check:" and of "stage:"

    struct Node {
        std::string_view ref;   ///< "check:ID" or "stage:ID"
        std::string_view kind;  ///< checks only
        NodeType type = NodeType::check;
        State state = State::planned;
        std::optional<Outcome> outcome;
        std::optional<SkipCause> skip_cause;
        bool required = true;    ///< checks
        std::string_view needs;  ///< stages: the runner and what of the plan's limits, in words; may be empty
        [[nodiscard]] std::string_view id() const { return ref.substr(kPrefix); }
    };
    /// `from` is the target of a dependency or an assigned stage, `to` is who waits.
    struct Link {
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        std::int32_t group = kNone;  ///< kNone for assignments
        LinkKind kind = LinkKind::dependency;
        State state = State::final;  ///< on_state, or the goal of an assignment
        When when = When::success;
        Resolution resolution = Resolution::unresolved;
    };
    struct Group {
        std::uint32_t owner = 0;
        std::int32_t parent = kNone;
        std::uint32_t links_begin = 0;  ///< its links stand together
        std::uint32_t links_end = 0;
        std::int64_t needed = 0;   ///< members that must be satisfied
        std::int64_t members = 0;  ///< those outside the selection included
        LinkKind role = LinkKind::dependency;
        GroupKind kind = GroupKind::all;
        Resolution resolution = Resolution::unresolved;
        bool visible = false;  ///< has a link, or a group with one
    };
    /// A check outside the selection that a stage of it is assigned to.
    struct Outside {
        std::uint32_t stage = 0;
        std::string_view check_id;
    };

    std::string plan;         ///< its id
    std::vector<Node> nodes;  ///< checks, then stages, each in the order of creation
    std::uint32_t checks = 0;
    /// By who has them: of each node its groups, parents first, then the assignments.
    std::vector<Link> links;
    std::vector<Group> groups;  ///< only of nodes that have dependencies; parents first
    std::vector<Outside> outside;
    TextArena texts;  ///< what the views of nodes and checks point to
};

}  // namespace turboci
