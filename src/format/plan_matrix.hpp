// SPDX-License-Identifier: Apache-2.0
// The `matrix` of a node in a plan file: its axes, and the combinations of their values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "format/yaml_source.hpp"
#include "turboci/node.hpp"

namespace turboci {

/// How many nodes the matrices of one write may stand for.
inline constexpr std::size_t kMaxMatrixNodes = 100'000;

/// What matrices and defaults may make of the files of one write: as much as one file may hold, or 16 times
/// what was read, whichever is more. Few bytes can stand for very many.
class ExpansionBudget {
public:
    static constexpr std::size_t kEventBytes = 8;  ///< that every value and bracket costs beside its text
    void add_file(std::size_t bytes) noexcept { read_ += bytes; }
    /// False if that is too much.
    [[nodiscard]] bool take(std::size_t bytes) noexcept;

private:
    std::size_t read_ = 0;
    std::size_t used_ = 0;
};

/// One dimension of a matrix; its values as they were written.
struct Axis {
    std::string name;
    std::vector<std::string> values;
};

/// A node that stands for many.
class Matrix {
public:
    static constexpr std::uint32_t kNoNode = ~std::uint32_t{0};

    /// Reads the map that begins at `offset`. What is wrong goes to `problems`; nullopt then.
    [[nodiscard]] static std::optional<Matrix> read(const YamlTape& tape, std::size_t offset,
                                                    std::uint32_t file, FileProblems& problems);
    enum class Count : std::uint8_t { good, too_many, too_costly, none };
    /// Finds the combinations, the last axis fastest; at most `most`.
    [[nodiscard]] Count combine(std::size_t most, ExpansionBudget& budget);

    [[nodiscard]] std::size_t size() const noexcept { return nodes.size(); }
    [[nodiscard]] const std::vector<Axis>& axes() const noexcept { return axes_; }
    [[nodiscard]] bool has_axis(std::string_view name) const { return numbers_.contains(name); }
    /// The value of an axis in a combination; nullptr if there is no such axis.
    [[nodiscard]] const std::string* value(std::size_t combination, std::string_view axis) const;
    /// "os: linux, py: 3.11"
    [[nodiscard]] std::string describe(std::size_t combination) const;

    NodeType type = NodeType::check;
    std::string id;  ///< as written
    Position at;     ///< of the matrix
    /// By combination: its place in the request's list of checks or stages, or kNoNode.
    std::vector<std::uint32_t> nodes;

private:
    friend class MatrixReader;
    using Numbers = std::vector<std::uint32_t>;

    [[nodiscard]] bool is_excluded(const Numbers& choice, ExpansionBudget& budget) const;

    std::vector<Axis> axes_;
    std::map<std::string, std::uint32_t, std::less<>> numbers_;  ///< of the axes
    std::map<Numbers, std::set<Numbers>> exclusions_;            ///< values, by the axes that are named
    Numbers choices_;  ///< a number of a value for each axis, for each combination
};

/// Is `text` a name that can stand between {{ and }}?
[[nodiscard]] bool is_axis_name(std::string_view text) noexcept;

/// Calls piece(text, name) for every piece of `text` that ends with a {{name}}, without that, and at the end
/// piece(rest, {}). Stops when it answers false, which is returned.
template <class Piece>
bool for_each_placeholder(std::string_view text, const Piece& piece) {
    std::size_t from = 0;
    for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
        std::size_t end = at + 2;
        while (end < text.size() && is_axis_name(text.substr(end, 1))) ++end;
        if (end == at + 2 || text.substr(end, 2) != "}}") {
            ++at;  // the second of three braces may begin a name
            continue;
        }
        if (!piece(text.substr(from, at - from), text.substr(at + 2, end - at - 2))) return false;
        from = at = end + 2;
    }
    return piece(text.substr(from), std::string_view());
}

/// Puts `text` into `out`, each {{name}} that value_of(name) knows (it answers a const std::string*) replaced
/// once: what stands in a value is not looked at. False if the budget does not allow it.
template <class ValueOf>
bool fill_in(std::string_view text, const ValueOf& value_of, ExpansionBudget& budget, std::string& out) {
    out.clear();
    return for_each_placeholder(text, [&](std::string_view before, std::string_view name) {
        out += before;
        if (name.empty()) return true;
        if (const std::string* value = value_of(name)) {
            if (!budget.take(value->size())) return false;
            out += *value;
        } else {
            out.append("{{").append(name).append("}}");
        }
        return true;
    });
}

}  // namespace turboci
