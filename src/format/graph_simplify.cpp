// SPDX-License-Identifier: Apache-2.0
// Smaller pictures of the same plan: fewer boxes, and fewer arrows.
#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "format/graph_drawing.hpp"

namespace turboci {
namespace {

constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

Resolution worse(Resolution a, Resolution b) {
    if (a == b) return a;
    const bool broken = a == Resolution::unsatisfied || b == Resolution::unsatisfied;
    return broken ? Resolution::unsatisfied : Resolution::unresolved;
}

/// Which stage goes into which check.
class Merger {
public:
    Merger(Drawing& drawing, const Outline& graph) : drawing_(drawing) {
        partner_.assign(drawing.vertices.size(), kNobody);
        fits_.assign(drawing.vertices.size(), true);
        // Collapsed stages stand for many, which their arrows tell of.
        if (!drawing.collapsed)
            for (const Outline::Outside& outside : graph.outside) fits_[outside.stage] = false;
    }

    void merge() {
        for (const Drawing::Arrow& arrow : drawing_.arrows)
            if (arrow.kind == LinkKind::assignment) look_at(arrow);
        std::vector<std::uint32_t> place(drawing_.vertices.size());
        std::vector<Drawing::Vertex> kept;
        for (std::uint32_t i = 0; i < place.size(); ++i) {
            if (goes_away(i)) continue;
            if (drawing_.vertices[i].shape == Shape::check && is_pair(i)) join(i, partner_[i]);
            place[i] = static_cast<std::uint32_t>(kept.size());
            kept.push_back(std::move(drawing_.vertices[i]));
        }
        for (std::uint32_t i = 0; i < place.size(); ++i)
            if (goes_away(i)) place[i] = place[partner_[i]];
        drawing_.vertices = std::move(kept);
        move_arrows(place);
    }

private:
    void look_at(const Drawing::Arrow& arrow) {
        for (const auto& [vertex, other] :
             {std::pair(arrow.from, arrow.to), std::pair(arrow.to, arrow.from)}) {
            if (!arrow.label.empty() || (partner_[vertex] != kNobody && partner_[vertex] != other))
                fits_[vertex] = false;
            partner_[vertex] = other;
        }
    }

    [[nodiscard]] bool is_pair(std::uint32_t vertex) const {
        const std::uint32_t other = partner_[vertex];
        return other != kNobody && fits_[vertex] && fits_[other] && partner_[other] == vertex;
    }
    [[nodiscard]] bool goes_away(std::uint32_t vertex) const {
        return drawing_.vertices[vertex].shape == Shape::stage && is_pair(vertex);
    }

    void join(std::uint32_t check_index, std::uint32_t stage_index) {
        Drawing::Vertex& check = drawing_.vertices[check_index];
        const Drawing::Vertex& stage = drawing_.vertices[stage_index];
        check.shape = Shape::answered;
        check.count += stage.count;
        check.tallies.insert(check.tallies.end(), stage.tallies.begin(), stage.tallies.end());
        std::string detail(check.detail);
        if (stage.title != check.title) (detail += "\nby ") += stage.title;
        // Most often they came out alike.
        if (stage.tint != check.tint)
            ((detail += stage.title == check.title ? "\nby " : ", ") += stage.detail);
        check.detail = drawing_.texts.keep(detail);
        const bool has_answer =
            check.tint == Tint::passed || check.tint == Tint::failed || check.tint == Tint::skipped;
        if (!has_answer) check.tint = stage.tint;
    }

    void move_arrows(const std::vector<std::uint32_t>& place) {
        std::map<std::tuple<std::uint32_t, std::uint32_t, LinkKind, std::string_view>, std::size_t> known;
        std::vector<Drawing::Arrow> arrows;
        for (Drawing::Arrow arrow : drawing_.arrows) {
            arrow.from = place[arrow.from];
            arrow.to = place[arrow.to];
            if (arrow.from == arrow.to) continue;
            const auto [found, fresh] =
                known.try_emplace({arrow.from, arrow.to, arrow.kind, arrow.label}, arrows.size());
            if (fresh) {
                arrows.push_back(arrow);
                continue;
            }
            Drawing::Arrow& first = arrows[found->second];
            // The edge to the check and that to its stage are one edge to the box of both.
            if (drawing_.collapsed) first.count += arrow.count;
            first.resolution = worse(first.resolution, arrow.resolution);
        }
        drawing_.arrows = std::move(arrows);
    }

    Drawing& drawing_;
    std::vector<std::uint32_t> partner_;  ///< by vertex: the last one that an assignment ties it to
    std::vector<bool> fits_;              ///< by vertex: every assignment is to `partner_`, with goal FINAL
};

/// Drops arrows that follow from others. A path is made of arrows that say "needs it to pass": those with a
/// label, and those of groups of which not all are needed, prove nothing.
class Reducer {
public:
    explicit Reducer(Drawing& drawing) : drawing_(drawing) {}

    void reduce() {
        index_arrows();
        number_vertices();
        const std::size_t count = drawing_.vertices.size();
        seen_.assign(count, kNobody);
        drop_.assign(drawing_.arrows.size(), false);
        for (std::uint32_t vertex = 0; vertex < count; ++vertex) look_from(vertex);
        std::size_t next = 0;
        for (std::size_t i = 0; i < drop_.size(); ++i)
            if (!drop_[i]) drawing_.arrows[next++] = drawing_.arrows[i];
        drawing_.arrows.resize(next);
    }

private:
    [[nodiscard]] bool is_plain(const Drawing::Arrow& arrow) const {
        return arrow.label.empty() && arrow.from != arrow.to &&
               drawing_.vertices[arrow.from].shape != Shape::connector &&
               drawing_.vertices[arrow.to].shape != Shape::connector;
    }

    void index_arrows() {
        const std::size_t count = drawing_.vertices.size();
        begin_.assign(count + 1, 0);
        for (const Drawing::Arrow& arrow : drawing_.arrows)
            if (is_plain(arrow)) ++begin_[arrow.from + 1];
        for (std::size_t i = 0; i < count; ++i) begin_[i + 1] += begin_[i];
        out_.resize(begin_[count]);
        std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
        for (std::uint32_t i = 0; i < drawing_.arrows.size(); ++i)
            if (is_plain(drawing_.arrows[i])) out_[next[drawing_.arrows[i].from]++] = i;
    }

    /// In the order of the arrows. What is on a cycle or behind one gets no number: nothing is dropped there.
    void number_vertices() {
        const std::size_t count = drawing_.vertices.size();
        std::vector<std::uint32_t> before(count, 0);
        for (const std::uint32_t arrow : out_) ++before[drawing_.arrows[arrow].to];
        std::vector<std::uint32_t> queue;
        for (std::uint32_t i = 0; i < count; ++i)
            if (before[i] == 0) queue.push_back(i);
        number_.assign(count, kNobody);
        for (std::size_t at = 0; at < queue.size(); ++at) {
            number_[queue[at]] = static_cast<std::uint32_t>(at);
            for (std::uint32_t i = begin_[queue[at]]; i < begin_[queue[at] + 1]; ++i) {
                const std::uint32_t to = drawing_.arrows[out_[i]].to;
                if (--before[to] == 0) queue.push_back(to);
            }
        }
    }

    void look_from(std::uint32_t vertex) {
        std::vector<std::uint32_t> arrows;
        for (std::uint32_t i = begin_[vertex]; i < begin_[vertex + 1]; ++i)
            if (number_[drawing_.arrows[out_[i]].to] != kNobody) arrows.push_back(out_[i]);
        if (arrows.size() < 2) return;
        // The nearest first: what they reach, the farther ones need not be tied to.
        const auto number_of = [&](std::uint32_t arrow) { return number_[drawing_.arrows[arrow].to]; };
        std::ranges::stable_sort(arrows, {}, number_of);
        const std::uint32_t last = number_of(arrows.back());
        for (const std::uint32_t arrow : arrows) {
            const std::uint32_t to = drawing_.arrows[arrow].to;
            if (seen_[to] != vertex)
                reach(to, vertex, last);
            else if (drawing_.arrows[arrow].kind == LinkKind::dependency)
                drop_[arrow] = !is_twin(arrow, arrows);
        }
    }

    /// Another arrow between the same two, of another kind, proves nothing.
    [[nodiscard]] bool is_twin(std::uint32_t arrow, const std::vector<std::uint32_t>& arrows) const {
        return std::ranges::any_of(arrows, [&](std::uint32_t other) {
            return other != arrow && drawing_.arrows[other].to == drawing_.arrows[arrow].to;
        });
    }

    /// Marks all that is reached from `start` with `mark`, as far as it is numbered up to `last`.
    void reach(std::uint32_t start, std::uint32_t mark, std::uint32_t last) {
        seen_[start] = mark;
        std::vector<std::uint32_t> stack{start};
        while (!stack.empty()) {
            const std::uint32_t at = stack.back();
            stack.pop_back();
            for (std::uint32_t i = begin_[at]; i < begin_[at + 1]; ++i) {
                const std::uint32_t to = drawing_.arrows[out_[i]].to;
                if (seen_[to] == mark || number_[to] == kNobody || number_[to] > last) continue;
                seen_[to] = mark;
                stack.push_back(to);
            }
        }
    }

    Drawing& drawing_;
    std::vector<std::uint32_t> begin_;   ///< of each vertex: its first place in out_
    std::vector<std::uint32_t> out_;     ///< plain arrows by where they come from
    std::vector<std::uint32_t> number_;  ///< of each vertex: no arrow leads to a smaller one
    std::vector<std::uint32_t> seen_;    ///< of each vertex: from which one it was reached last
    std::vector<bool> drop_;             ///< of each arrow
};

}  // namespace

void tally_nodes(Drawing& drawing, const Outline& graph) {
    if (drawing.collapsed) return;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        drawing.vertices[i].tallies = {{graph.nodes[i].state, graph.nodes[i].outcome, 1}};
}

void merge_answers(Drawing& drawing, const Outline& graph) { Merger(drawing, graph).merge(); }

void reduce_arrows(Drawing& drawing) { Reducer(drawing).reduce(); }

}  // namespace turboci
