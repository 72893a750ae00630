// SPDX-License-Identifier: Apache-2.0
// References to matrices: one text that means many nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "format/plan_matrix.hpp"
#include "turboci/problems.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// Of all files of a write. A reference is filled in with what the referring node's own matrix says; what is
/// then the id of a matrix with some axes filled in means the combinations that have these values, as far as
/// they agree with the referring node on the axes that are not in the id.
class MatrixReferences {
public:
    MatrixReferences(const std::vector<Matrix>& matrices, ExpansionBudget& budget, Problems& problems);

    /// False if a reference means nothing, or if all together mean too much; reported.
    [[nodiscard]] bool resolve(WriteNodes& request);

private:
    /// One combination of a matrix: a node that refers, or one that is meant.
    struct Combination {
        const Matrix* matrix = nullptr;
        std::size_t number = 0;
    };
    using ByText = std::unordered_map<std::string, std::vector<Combination>>;

    bool resolve(CheckWrite& check);
    bool resolve(StageWrite& stage);
    bool resolve(PredicateSpec& group);
    bool resolve(std::vector<StageWrite::AssignmentSpec>& assignments);
    bool resolve(std::vector<ConditionSpec>& conditions);
    /// The ids that a reference means; a reference to no matrix is one. Empty: reported.
    [[nodiscard]] std::vector<RefText> nodes_of(const RefText& written, Position at);
    /// The same where only one node can be meant; nullopt: reported. `what` says where, as "a condition".
    [[nodiscard]] std::optional<RefText> node_of(const RefText& written, std::string_view what, Position at);
    [[nodiscard]] const ByText& ids_without(const std::vector<std::string_view>& names);
    void add_ids(const Matrix& matrix, const std::vector<std::string_view>& names, ByText& index);
    [[nodiscard]] bool agrees(const Combination& target) const;
    [[nodiscard]] bool is_written_id(const RefText& written) const;
    template <class Write>
    void resolve_all(NodeType type, WriteList<Write>& writes);
    [[nodiscard]] std::vector<RefText> none(const RefText& written, Position at);
    bool take(std::size_t bytes, Position at);

    const std::vector<Matrix>& matrices_;
    ExpansionBudget& budget_;
    Problems& problems_;
    std::unordered_map<std::uint32_t, Combination> checks_, stages_;  ///< by their place in the request
    std::unordered_map<std::string, ByText> indexes_;                 ///< by the names that are not filled in
    std::unordered_multimap<std::string, const Matrix*> by_id_;       ///< as written
    std::unordered_map<const Matrix*, std::vector<std::string_view>> beside_id_;  ///< axes not in the id
    Combination referring_;  ///< the node that is looked at; without a matrix if it is of none
    std::string filled_;
    bool sound_ = true;
    bool over_ = false;
};

}  // namespace turboci
