// SPDX-License-Identifier: Apache-2.0
// Between the events of a file and PlanReader: adds what `defaults` say to each node, and makes of a node
// with a `matrix` one node for each combination. Only files that have one of these keys come this way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "format/plan_defaults.hpp"
#include "format/plan_matrix.hpp"
#include "format/plan_reader.hpp"

namespace turboci {

/// What matrices have come to in the files of a write.
struct Expansion {
    std::vector<Matrix> matrices;
    std::size_t nodes = 0;  ///< of all of them
    ExpansionBudget budget;
    /// Adds the matrices of a file whose nodes are put behind so many others. Nodes and budget are taken from
    /// `file`, which counted on.
    void append(Expansion&& file, std::size_t checks, std::size_t stages);
};

/// Keeps the events of one node, then sends them to a PlanReader as often as there are combinations. What is
/// wrong is told once for each place in the file.
class PlanExpander final : public EventSink {
public:
    /// Of each document of the file by number, from 0.
    using Defaults = std::map<std::size_t, PlanDefaults>;

    /// `request` has none of the file's nodes yet. `defaults` are those that are known; others are added.
    PlanExpander(WriteNodes& request, FileProblems& problems, const Expansion& before, Defaults& defaults);

    void begin_map(Position at) override;
    void end_map(Position at) override;
    void begin_seq(Position at) override;
    void end_seq(Position at) override;
    void key(std::string_view text, Position at) override;
    void scalar(const Scalar& scalar, Position at) override;

    /// After the last event. False if the file must be read again, with the defaults that came behind nodes
    /// of their document.
    [[nodiscard]] bool finish();
    /// False if nodes are missing in the request because of what is wrong with their matrix.
    [[nodiscard]] bool is_whole() const noexcept { return whole_; }
    /// What the write's matrices have come to, with those of this file.
    [[nodiscard]] Expansion take();

private:
    enum class Section : std::uint8_t { other, checks, stages, defaults };
    /// A map or list while a node is sent.
    struct Level {
        bool map = false;
        bool wants_key = false;
    };

    [[nodiscard]] bool begin(bool map, Position at);
    [[nodiscard]] bool end(bool map, Position at);
    void record(RawEvent::Type type, const Scalar& scalar, Position at);
    void end_node();
    void end_defaults();
    void expand(const YamlTape& node, std::size_t matrix_offset, std::string_view id);
    bool count_combinations(Matrix& matrix);
    void leave_out_matrix(const YamlTape& node);
    void send_all(Matrix& matrix);
    void send(const YamlTape& node, const Matrix* matrix, std::size_t combination);
    void send_value(const RawEvent& event, const Matrix* matrix, std::size_t combination);
    void tell();
    void refuse(Position at);
    [[nodiscard]] NodeType type() const noexcept {
        return section_ == Section::checks ? NodeType::check : NodeType::stage;
    }
    [[nodiscard]] std::size_t nodes_read() const noexcept {
        return type() == NodeType::check ? request_.checks.size() : request_.stages.size();
    }

    WriteNodes& request_;
    FileProblems& problems_;
    Defaults& defaults_;
    FileProblems found_;  ///< by the reader, not told yet
    PlanReader reader_;
    std::unordered_set<std::uint64_t> told_;  ///< lines and columns
    std::size_t nodes_before_;
    Expansion expansion_;

    std::size_t depth_ = 0;     ///< of what is open in the file
    std::size_t document_ = 0;  ///< its number
    bool in_list_ = false;      ///< in the list of nodes of section_
    bool has_nodes_ = false;    ///< the document had some already
    Section section_ = Section::other;
    std::size_t recording_ = 0;  ///< the depth of what is kept; 0: nothing
    YamlTape tape_, merged_, plain_;
    std::vector<Level> levels_;
    std::string filled_, id_;
    std::uint32_t file_ = 0;
    Position node_at_;
    bool again_ = false;  ///< there are defaults that came too late
    bool whole_ = true;
    bool over_ = false;  ///< refused: nothing more is read
};

}  // namespace turboci
