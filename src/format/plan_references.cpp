// SPDX-License-Identifier: Apache-2.0
#include "format/plan_references.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "domain/quotes.hpp"

namespace turboci {

namespace {

bool has_placeholder(std::string_view text) noexcept { return text.find("{{") != std::string_view::npos; }

/// What stands between {{ and }} in `text`, sorted, each once.
std::vector<std::string_view> placeholders(std::string_view text) {
    std::vector<std::string_view> names;
    for_each_placeholder(text, [&names](std::string_view, std::string_view name) {
        if (!name.empty()) names.push_back(name);
        return true;
    });
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

bool contains(const std::vector<std::string_view>& sorted, std::string_view name) {
    return std::ranges::binary_search(sorted, name);
}

}  // namespace

MatrixReferences::MatrixReferences(const std::vector<Matrix>& matrices, ExpansionBudget& budget,
                                   Problems& problems)
    : matrices_(matrices), budget_(budget), problems_(problems) {
    for (const Matrix& matrix : matrices_) {
        by_id_.emplace(matrix.id, &matrix);
        const auto in_id = placeholders(matrix.id);
        auto& beside = beside_id_[&matrix];
        for (const Axis& axis : matrix.axes())
            if (!contains(in_id, axis.name)) beside.emplace_back(axis.name);
        auto& nodes = matrix.type == NodeType::check ? checks_ : stages_;
        for (std::size_t i = 0; i < matrix.size(); ++i)
            if (matrix.nodes[i] != Matrix::kNoNode) nodes.emplace(matrix.nodes[i], Combination{&matrix, i});
    }
}

bool MatrixReferences::resolve(WriteNodes& request) {
    resolve_all(NodeType::check, request.checks);
    resolve_all(NodeType::stage, request.stages);
    return sound_;
}

template <class Write>
void MatrixReferences::resolve_all(NodeType type, WriteList<Write>& writes) {
    const auto& combinations = type == NodeType::check ? checks_ : stages_;
    Write write;
    for (std::size_t i = 0; i < writes.size() && !over_; ++i) {
        writes.read(i, write);
        const auto found = combinations.find(static_cast<std::uint32_t>(i));
        referring_ = found == combinations.end() ? Combination{} : found->second;
        if (resolve(write)) writes.set(i, write);
    }
}

/// True if something was put in the place of a reference; so the others.
bool MatrixReferences::resolve(CheckWrite& check) {
    bool changed = check.dependencies && resolve(*check.dependencies);
    if (check.condition && resolve(*check.condition)) changed = true;
    return changed;
}

bool MatrixReferences::resolve(StageWrite& stage) {
    bool changed = stage.dependencies && resolve(*stage.dependencies);
    if (stage.continuation_group && resolve(*stage.continuation_group)) changed = true;
    if (stage.assignments && resolve(*stage.assignments)) changed = true;
    if (stage.condition && resolve(*stage.condition)) changed = true;
    return changed;
}

bool MatrixReferences::resolve(PredicateSpec& group) {
    bool changed = false;
    for (PredicateSpec& inner : group.groups)
        if (resolve(inner)) changed = true;
    if (std::ranges::none_of(group.edges, [](const EdgeSpec& e) { return has_placeholder(e.target.id); }))
        return changed;
    std::vector<EdgeSpec> edges;
    for (EdgeSpec& edge : group.edges) {
        if (!has_placeholder(edge.target.id)) {
            edges.push_back(std::move(edge));
            continue;
        }
        for (RefText& node : nodes_of(edge.target, edge.at)) {
            edges.push_back(edge);
            edges.back().target = std::move(node);
        }
    }
    group.edges = std::move(edges);
    return true;
}

bool MatrixReferences::resolve(std::vector<StageWrite::AssignmentSpec>& assignments) {
    if (std::ranges::none_of(assignments, [](const auto& a) { return has_placeholder(a.target_check_id); }))
        return false;
    std::vector<StageWrite::AssignmentSpec> resolved;
    for (auto& assignment : assignments) {
        if (!has_placeholder(assignment.target_check_id)) {
            resolved.push_back(std::move(assignment));
            continue;
        }
        for (RefText& node : nodes_of({NodeType::check, assignment.target_check_id}, assignment.at)) {
            resolved.push_back(assignment);
            resolved.back().target_check_id = std::move(node.id);
        }
    }
    assignments = std::move(resolved);
    return true;
}

bool MatrixReferences::resolve(std::vector<ConditionSpec>& conditions) {
    bool changed = false;
    for (auto& [condition, at] : conditions) {
        if (!has_placeholder(condition.check)) continue;
        changed = true;
        if (auto node = node_of({NodeType::check, condition.check}, "a condition", at))
            condition.check = std::move(node->id);
    }
    return changed;
}

std::vector<RefText> MatrixReferences::nodes_of(const RefText& written, Position at) {
    if (over_) return {};
    const auto value_of = [&](std::string_view axis) {
        return referring_.matrix == nullptr ? nullptr : referring_.matrix->value(referring_.number, axis);
    };
    if (!fill_in(written.id, value_of, budget_, filled_)) {
        static_cast<void>(take(0, at));
        return {};
    }
    const bool is_own_id = is_written_id(written);
    const auto open = placeholders(filled_);
    // What is filled in and is no matrix's id as written is the id of one node.
    if (open.empty() && !is_own_id) return {RefText{written.type, filled_}};
    const ByText& index = ids_without(open);
    std::vector<RefText> nodes;
    if (const auto found = index.find(filled_); found != index.end()) {
        for (const Combination& target : found->second) {
            if (!take(ExpansionBudget::kEventBytes, at)) return {};
            if (written.type && *written.type != target.matrix->type) continue;
            if (!agrees(target)) continue;
            const auto value = [&](std::string_view axis) {
                return target.matrix->value(target.number, axis);
            };
            std::string id;
            if (!fill_in(target.matrix->id, value, budget_, id) || !take(sizeof(EdgeSpec) + id.size(), at)) {
                static_cast<void>(take(0, at));
                return {};
            }
            nodes.push_back({written.type, std::move(id)});
        }
        if (nodes.empty()) return none(written, at);
    }
    if (!nodes.empty()) return nodes;
    if (is_own_id) return none(written, at);
    return {RefText{written.type, filled_}};
}

std::optional<RefText> MatrixReferences::node_of(const RefText& written, std::string_view what, Position at) {
    if (!has_placeholder(written.id)) return written;
    auto nodes = nodes_of(written, at);
    if (nodes.size() == 1) return std::move(nodes.front());
    if (nodes.size() > 1) {
        sound_ = false;
        problems_.add(
            ErrorCode::invalid_argument, at,
            fmt::format("{} names one node; {} means {} here", what, in_quotes(written.id), nodes.size()));
    }
    return std::nullopt;
}

std::vector<RefText> MatrixReferences::none(const RefText& written, Position at) {
    sound_ = false;
    std::string who;
    if (referring_.matrix != nullptr)
        who = fmt::format(" for {{{}}}", referring_.matrix->describe(referring_.number));
    problems_.add(ErrorCode::invalid_dependency, at,
                  fmt::format("no combination of the matrix {} is left{}", in_quotes(written.id), who));
    return {};
}

/// Is it the id of a matrix, letter for letter?
bool MatrixReferences::is_written_id(const RefText& written) const {
    const auto [first, last] = by_id_.equal_range(written.id);
    return std::any_of(
        first, last, [&](const auto& entry) { return !written.type || *written.type == entry.second->type; });
}

/// On the axes that both have and that are not in the target's id: those in the id are in its text.
bool MatrixReferences::agrees(const Combination& target) const {
    if (referring_.matrix == nullptr) return true;
    return std::ranges::all_of(beside_id_.at(target.matrix), [&](std::string_view axis) {
        const std::string* mine = referring_.matrix->value(referring_.number, axis);
        return mine == nullptr || *mine == *target.matrix->value(target.number, axis);
    });
}

/// All nodes of matrices by their id with all axes filled in but `names`, which are sorted.
const MatrixReferences::ByText& MatrixReferences::ids_without(const std::vector<std::string_view>& names) {
    const auto [found, is_new] = indexes_.try_emplace(fmt::format("{}", fmt::join(names, ",")));
    if (!is_new) return found->second;
    for (const Matrix& matrix : matrices_) {
        const auto in_id = placeholders(matrix.id);
        const bool leaves_some = std::ranges::any_of(
            names, [&](std::string_view name) { return contains(in_id, name) && matrix.has_axis(name); });
        if (names.empty() || leaves_some) add_ids(matrix, names, found->second);
    }
    return found->second;
}

void MatrixReferences::add_ids(const Matrix& matrix, const std::vector<std::string_view>& names,
                               ByText& index) {
    std::string text;
    for (std::size_t i = 0; i < matrix.size(); ++i) {
        const auto value_of = [&](std::string_view axis) {
            return contains(names, axis) ? nullptr : matrix.value(i, axis);
        };
        if (!fill_in(matrix.id, value_of, budget_, text) ||
            !take(sizeof(Combination) + text.size(), matrix.at)) {
            static_cast<void>(take(0, matrix.at));
            return;
        }
        index[text].push_back({&matrix, i});
    }
}

bool MatrixReferences::take(std::size_t bytes, Position at) {
    if (over_) return false;
    if (budget_.take(bytes)) return true;
    over_ = true;
    sound_ = false;
    problems_.add(ErrorCode::invalid_argument, at,
                  "the references to matrices mean too many nodes altogether");
    return false;
}

}  // namespace turboci
