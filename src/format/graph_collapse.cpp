// SPDX-License-Identifier: Apache-2.0
// Many nodes as few boxes: checks by kind, stages by what they answer.
#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "format/graph_drawing.hpp"
#include "format/terminal.hpp"

namespace turboci {
namespace {

constexpr std::size_t kNamesWidth = 48;

/// The ids or kinds that the stages of one box have in common, sorted.
using Targets = std::vector<std::string_view>;

std::string joined(const Targets& targets, std::string_view prefix) {
    std::string out;
    for (const std::string_view target : targets) {
        if (!out.empty()) out += ", ";
        out += prefix;
        out += visible(target);
        if (out.size() > 4 * kNamesWidth) break;  // cut below anyway
    }
    return fit(out, kNamesWidth);
}

Targets sorted_unique(Targets targets) {
    std::ranges::sort(targets);
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    return targets;
}

/// The state that a box shows: the worst that one of its nodes came to, else the one furthest on.
Tint worst(const std::vector<Drawing::Tally>& tallies) {
    constexpr Tint kWorstFirst[] = {Tint::failed,         Tint::cancelled, Tint::attempting,
                                    Tint::awaiting_group, Tint::waiting,   Tint::planned,
                                    Tint::planning,       Tint::passed,    Tint::skipped};
    for (const Tint tint : kWorstFirst) {
        for (const Drawing::Tally& tally : tallies) {
            if (tint_of(tally.state, tally.outcome) == tint) return tint;
        }
    }
    return Tint::none;
}

class Collapser {
public:
    explicit Collapser(const Outline& graph) : graph_(graph) {}

    Drawing draw() {
        drawing_.title = graph_.plan;
        drawing_.collapsed = true;
        box_of_.resize(graph_.nodes.size());
        group_checks();
        group_stages();
        for (std::uint32_t node = 0; node < box_of_.size(); ++node) count(node);
        for (std::size_t box = 0; box < drawing_.vertices.size(); ++box) describe(box);
        add_arrows();
        return std::move(drawing_);
    }

private:
    std::uint32_t add_box(Shape shape, const std::string& name, std::string about) {
        Drawing::Vertex& box = drawing_.vertices.emplace_back();
        box.shape = shape;
        box.name = drawing_.texts.keep(name);
        box.count = 0;
        about_.push_back(std::move(about));
        sample_.push_back(0);
        return static_cast<std::uint32_t>(drawing_.vertices.size() - 1);
    }

    void group_checks() {
        std::unordered_map<std::string_view, std::uint32_t> boxes;
        for (std::uint32_t node = 0; node < graph_.checks; ++node) {
            const std::string_view kind = graph_.nodes[node].kind;
            auto found = boxes.find(kind);
            if (found == boxes.end()) {
                const std::string about = kind.empty() ? "" : fit(visible(kind), kNamesWidth);
                found = boxes.emplace(kind, add_box(Shape::check, "kind:" + std::string(kind), about)).first;
            }
            box_of_[node] = found->second;
        }
    }

    void group_stages() {
        std::vector<Targets> keys = assigned_ids();
        std::map<Targets, std::uint32_t> distinct;
        for (const Targets& key : keys) distinct.emplace(key, 0);
        const bool by_kind = distinct.size() > kMaxTargetBoxes;
        if (by_kind) keys = kinds_of(keys);
        distinct.clear();
        for (std::uint32_t i = 0; i < keys.size(); ++i) {
            auto found = distinct.find(keys[i]);
            if (found == distinct.end()) {
                std::string about;
                if (!keys[i].empty()) {
                    about = " for " + (by_kind ? joined(keys[i], "") + " checks" : joined(keys[i], "check:"));
                }
                const std::string name = "stages:" + std::to_string(distinct.size() + 1);
                found = distinct.emplace(keys[i], add_box(Shape::stage, name, about)).first;
            }
            box_of_[graph_.checks + i] = found->second;
        }
    }

    /// Of each stage: the ids of the checks that it is assigned to.
    [[nodiscard]] std::vector<Targets> assigned_ids() const {
        std::vector<Targets> keys(graph_.nodes.size() - graph_.checks);
        for (const Outline::Link& link : graph_.links) {
            if (link.kind == LinkKind::assignment)
                keys[link.from - graph_.checks].push_back(graph_.nodes[link.to].id());
        }
        for (const Outline::Outside& outside : graph_.outside)
            keys[outside.stage - graph_.checks].push_back(outside.check_id);
        for (Targets& key : keys) key = sorted_unique(std::move(key));
        return keys;
    }

    [[nodiscard]] std::vector<Targets> kinds_of(const std::vector<Targets>& ids) const {
        std::unordered_map<std::string_view, std::string_view> kinds;
        for (std::uint32_t i = 0; i < graph_.checks; ++i)
            kinds.emplace(graph_.nodes[i].id(), graph_.nodes[i].kind);
        std::vector<Targets> keys;
        for (const Targets& targets : ids) {
            Targets key;
            for (const std::string_view id : targets) {
                const auto found = kinds.find(id);
                const std::string_view kind = found == kinds.end() ? "other" : found->second;
                key.push_back(kind.empty() ? "plain" : kind);
            }
            keys.push_back(sorted_unique(std::move(key)));
        }
        return keys;
    }

    void count(std::uint32_t node) {
        const Outline::Node& from = graph_.nodes[node];
        Drawing::Vertex& box = drawing_.vertices[box_of_[node]];
        if (box.count++ == 0) sample_[box_of_[node]] = node;
        for (Drawing::Tally& tally : box.tallies) {
            if (tally.state == from.state && tally.outcome == from.outcome) {
                ++tally.count;
                return;
            }
        }
        box.tallies.push_back({from.state, from.outcome, 1});
    }

    void describe(std::size_t index) {
        Drawing::Vertex& box = drawing_.vertices[index];
        // Ends first, in the order of outcomes; then the states in the order in which they are passed.
        std::ranges::sort(box.tallies, {}, [](const Drawing::Tally& tally) {
            return std::pair(tally.outcome ? static_cast<int>(*tally.outcome) : 100,
                             static_cast<int>(tally.state));
        });
        box.tint = worst(box.tallies);
        box.title = drawing_.texts.keep(title_of(box, index));
        std::string detail;
        for (const Drawing::Tally& tally : box.tallies) {
            if (!detail.empty()) detail += ", ";
            if (box.count > 1) detail += std::to_string(tally.count) + " ";
            detail += tally.outcome ? to_string(*tally.outcome) : to_string(tally.state);
        }
        box.detail = drawing_.texts.keep(detail);
    }

    [[nodiscard]] std::string title_of(const Drawing::Vertex& box, std::size_t index) const {
        const bool checks = box.shape == Shape::check;
        const std::string& about = about_[index];
        if (box.count == 1) {
            std::string title = fit(visible(graph_.nodes[sample_[index]].ref), kNamesWidth);
            if (checks && !about.empty()) return title + " (" + about + ")";
            return checks ? title : title + about;
        }
        if (checks) return (about.empty() ? "" : about + ": ") + std::to_string(box.count) + " checks";
        return std::to_string(box.count) + " stages" + about;
    }

    /// "any" or "threshold" for links that are not all needed.
    [[nodiscard]] std::string_view need_of(const Outline::Link& link) const {
        for (std::int32_t at = link.group; at != Outline::kNone;) {
            const Outline::Group& group = graph_.groups[static_cast<std::size_t>(at)];
            if (group.members > 1 && group.kind == GroupKind::any) return "any";
            if (group.members > 1 && group.kind == GroupKind::at_least) return "threshold";
            at = group.parent;
        }
        return "";
    }

    void add_arrows() {
        std::map<std::tuple<std::uint32_t, std::uint32_t, LinkKind, std::string>, std::size_t> arrows;
        for (const Outline::Link& link : graph_.links) {
            std::string label(need_of(link));
            const std::string_view what = link_label(link);
            if (!label.empty() && !what.empty()) label += ", ";
            label += what;
            const auto [found, fresh] = arrows.try_emplace(
                {box_of_[link.from], box_of_[link.to], link.kind, label}, drawing_.arrows.size());
            if (fresh) {
                drawing_.arrows.push_back({box_of_[link.from], box_of_[link.to], link.kind, link.resolution,
                                           drawing_.texts.keep(label), 0});
            }
            Drawing::Arrow& arrow = drawing_.arrows[found->second];
            ++arrow.count;
            if (link.resolution != arrow.resolution) {
                const bool broken =
                    link.resolution == Resolution::unsatisfied || arrow.resolution == Resolution::unsatisfied;
                arrow.resolution = broken ? Resolution::unsatisfied : Resolution::unresolved;
            }
        }
    }

    const Outline& graph_;
    Drawing drawing_;
    std::vector<std::uint32_t> box_of_;  ///< of each node
    std::vector<std::string> about_;     ///< of each box: what its nodes have in common
    std::vector<std::uint32_t> sample_;  ///< of each box: its first node
};

}  // namespace

Drawing draw_collapsed(const Outline& graph) { return Collapser(graph).draw(); }

}  // namespace turboci
