// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "format/graph_drawing.hpp"
#include "format/terminal.hpp"

namespace turboci {
namespace {

/// Levels beyond this one are numbered instead of indented, so that a deep plan's text stays linear.
constexpr std::uint32_t kMaxIndent = 40;

Style style_of_tint(Tint tint) {
    switch (tint) {
        case Tint::passed:
            return Style::green;
        case Tint::failed:
            return Style::red;
        case Tint::waiting:
            return Style::yellow;
        case Tint::attempting:
            return Style::blue;
        case Tint::awaiting_group:
            return Style::cyan;
        case Tint::cancelled:
            return Style::magenta;
        case Tint::planning:
        case Tint::skipped:
        case Tint::none:
            return Style::dim;
        case Tint::planned:
            break;
    }
    return Style::plain;
}

class TreeWriter {
public:
    TreeWriter(const Drawing& drawing, bool color) : drawing_(drawing), color_(color) {
        const std::size_t n = drawing.vertices.size();
        shown_.resize(n);
        is_root_.assign(n, true);
        begin_.assign(n + 1, 0);
        for (const Drawing::Arrow& arrow : drawing.arrows) {
            if (arrow.from == arrow.to) continue;
            ++begin_[arrow.to + 1];
            is_root_[arrow.from] = false;
        }
        for (std::size_t i = 0; i < n; ++i) begin_[i + 1] += begin_[i];
        below_.resize(begin_[n]);
        std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
        for (std::uint32_t i = 0; i < drawing.arrows.size(); ++i) {
            const Drawing::Arrow& arrow = drawing.arrows[i];
            if (arrow.from != arrow.to) below_[next[arrow.to]++] = i;
        }
    }

    std::string write() {
        for (std::uint32_t i = 0; i < is_root_.size(); ++i) {
            if (is_root_[i]) write_from(i);
        }
        // What is left hangs on a cycle and has no root.
        for (std::uint32_t i = 0; i < is_root_.size(); ++i) {
            if (!shown_[i]) write_from(i);
        }
        return std::move(out_);
    }

private:
    struct Line {
        std::uint32_t vertex;
        std::uint32_t depth;
        const Drawing::Arrow* arrow;  ///< null for roots
    };

    void write_from(std::uint32_t root) {
        std::vector<Line> stack{{root, 0, nullptr}};
        while (!stack.empty()) {
            const Line line = stack.back();
            stack.pop_back();
            const bool again = shown_[line.vertex];
            const bool has_more = begin_[line.vertex] != begin_[line.vertex + 1];
            write_line(line, again && has_more);
            shown_[line.vertex] = true;
            if (again) continue;
            for (std::uint32_t i = begin_[line.vertex + 1]; i-- > begin_[line.vertex];) {
                const Drawing::Arrow& arrow = drawing_.arrows[below_[i]];
                stack.push_back({arrow.from, line.depth + 1, &arrow});
            }
        }
    }

    void write_line(const Line& line, bool see_above) {
        const Drawing::Vertex& vertex = drawing_.vertices[line.vertex];
        out_.append(std::size_t{2} * std::min(line.depth, kMaxIndent), ' ');
        if (line.depth > kMaxIndent) out_ += "[" + std::to_string(line.depth) + "] ";
        if (vertex.shape == Shape::connector) {
            out_ += styled(std::string(vertex.title) + ":", Style::bold, color_);
        } else {
            // The titles of boxes are for people; nodes go by their whole names.
            out_ += printable(drawing_.collapsed ? vertex.title : vertex.name);
            out_ += "  ";
            std::string detail(vertex.detail);
            for (auto end = detail.find('\n'); end != std::string::npos; end = detail.find('\n', end))
                detail.replace(end, 1, ", ");
            out_ += styled(printable(detail), style_of_tint(vertex.tint), color_);
        }
        if (line.arrow != nullptr) write_relation(*line.arrow);
        if (see_above) out_ += styled("  (see above)", Style::dim, color_);
        out_ += '\n';
    }

    void write_relation(const Drawing::Arrow& arrow) {
        std::string text;
        const auto add = [&text](std::string_view part) {
            if (part.empty()) return;
            text += text.empty() ? "" : ", ";
            text += part;
        };
        if (arrow.kind == LinkKind::assignment) add("assigned");
        if (arrow.kind == LinkKind::continuation) add("continuation");
        add(arrow.label);
        if (arrow.count > 1) add("×" + std::to_string(arrow.count));
        if (arrow.resolution == Resolution::unsatisfied) add("unsatisfied");
        if (!text.empty()) out_ += "  (" + text + ")";
    }

    const Drawing& drawing_;
    bool color_;
    std::string out_;
    std::vector<bool> shown_;
    std::vector<bool> is_root_;
    std::vector<std::uint32_t> begin_;  ///< of each vertex: its first place in below_
    std::vector<std::uint32_t> below_;  ///< arrows by where they lead
};

}  // namespace

std::string drawing_tree(const Drawing& drawing, bool color) { return TreeWriter(drawing, color).write(); }

}  // namespace turboci
