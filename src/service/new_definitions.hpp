// SPDX-License-Identifier: Apache-2.0
// The nodes of a plan that is made from another: their definitions, and what they take over.
#pragma once

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/carry.hpp"
#include "engine/fates.hpp"
#include "turboci/requests.hpp"

namespace turboci::service {

/// Compares what a new plan is to be with the one that it is made from. Both must outlive it.
class NewDefinitions {
public:
    /// NOT_FOUND or INVALID_ARGUMENT if a node that is to begin anew is none, or two.
    NewDefinitions(const PlanRow& old, std::span<const NodeRecord> nodes, const RerunPlan& request);

    /// The verdict is passed, nothing is named, and no definition has changed.
    [[nodiscard]] bool says_nothing_new() const;
    /// The request that creates the new plan's nodes, and what is carried into them; once. The latter refers
    /// to the old nodes.
    [[nodiscard]] WriteNodes take_request();
    [[nodiscard]] const engine::CarriedNodes& carried() const { return carried_; }
    /// The nodes of the new plan, checks first; known with the request.
    [[nodiscard]] std::vector<NodeRef>& carried_refs() { return carried_refs_; }
    [[nodiscard]] std::vector<NodeRef>& begun_refs() { return begun_refs_; }

private:
    using Index = std::unordered_map<std::string_view, std::size_t>;

    void read_files();
    void name(const RefText& ref);
    void note_gains();
    [[nodiscard]] std::optional<NodeRef> find(const RefText& ref) const;
    [[nodiscard]] bool has(NodeType type, std::string_view id) const;
    [[nodiscard]] engine::NodePlans::Definition definition_of(std::size_t node) const;
    [[nodiscard]] bool wrote_own_group(const NodeRecord& stage) const { return own_group(stage).has_value(); }
    [[nodiscard]] std::optional<Timestamp> own_group(const NodeRecord& stage) const;
    [[nodiscard]] bool all_fine() const;
    void note_attempts();
    void add_from_files();
    void add_from_plan(std::size_t node);
    void list_refs();
    [[nodiscard]] engine::CarriedNode carried_node(std::size_t node) const;
    [[nodiscard]] const Index& written(NodeType type) const {
        return type == NodeType::check ? written_checks_ : written_stages_;
    }
    [[nodiscard]] const Index& known(NodeType type) const {
        return type == NodeType::check ? old_checks_ : old_stages_;
    }

    const RerunPlan& request_;
    engine::OldPlan old_;
    Index old_checks_, old_stages_;          ///< index among the old nodes, by id
    Index written_checks_, written_stages_;  ///< index in the files' request, by id
    std::vector<engine::NodePlans> plans_;
    std::vector<engine::Fate> fates_;
    std::vector<std::vector<std::int32_t>> attempts_;  ///< of each carried stage those that come along
    WriteNodes next_;
    std::vector<NodeRef> carried_refs_, begun_refs_;
    engine::CarriedNodes carried_;
};

}  // namespace turboci::service
