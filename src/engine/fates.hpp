// SPDX-License-Identifier: Apache-2.0
// What becomes of the nodes of a plan from which another is made.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "turboci/changes.hpp"

namespace turboci::engine {

enum class Fate : std::uint8_t {
    carried,   ///< it stays as it is
    again,     ///< it begins anew
    left_out,  ///< the new plan has no such node, unless it is written anew
};

/// What the new plan says of a node of the old one.
struct NodePlans {
    enum class Definition : std::uint8_t {
        same,
        other,
        none,
        of_author,  ///< the attempt that wrote it is asked: it comes along if that one's stage is carried
    };
    Definition definition = Definition::same;
    bool named = false;   ///< somebody wants it to begin anew
    bool gained = false;  ///< a check: a stage that is new, or defined otherwise now, is assigned to it
};

/// Whole nodes of a plan, by key.
class OldPlan {
public:
    explicit OldPlan(std::span<const NodeRecord> nodes);

    [[nodiscard]] std::span<const NodeRecord> nodes() const { return nodes_; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const NodeRecord& operator[](std::size_t i) const { return nodes_[i]; }
    /// The index of a node; STORE (damaged) if it is none of the plan.
    [[nodiscard]] std::size_t index(NodeKey key) const;
    /// Does it make a verdict say no when it fails? Of a stage its checks decide.
    [[nodiscard]] bool is_required(std::size_t node) const;
    /// Results of a check that count, by what owns them.
    [[nodiscard]] const std::vector<const ResultRow*>& counted(std::size_t check) const {
        return counted_[check];
    }
    /// Is a counted result a failure, or the pass of an attempt that did not run to its end?
    [[nodiscard]] bool is_bad(const ResultRow& result) const;

private:
    std::span<const NodeRecord> nodes_;
    std::unordered_map<NodeKey, std::size_t> indexes_;
    std::vector<std::vector<const ResultRow*>> counted_;
};

/// One fate for each node. A stage is carried if it passed, no result of it that counts is a failure, neither
/// it nor a check that it answers is named or defined otherwise, and what it depends on is carried. A check
/// is carried if it passed, it is neither named nor defined otherwise, and what it depends on and the stages
/// that answer it are carried. A failure that is not required is carried as if it had passed.
[[nodiscard]] std::vector<Fate> decide_fates(const OldPlan& plan, std::span<const NodePlans> plans);

}  // namespace turboci::engine
