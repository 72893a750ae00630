// SPDX-License-Identifier: Apache-2.0
// Nodes for drawings: what is drawn of them, and nothing else, with edges that know their targets by number.
#include "domain/outline.hpp"
#include "service/lookups.hpp"
#include "service/plan_choice.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "service/local_service.hpp"
#include "service/selection.hpp"
#include "service/view.hpp"

namespace turboci {

namespace {

using namespace service;

/// All nodes of one type, with links that name what they lead to by key: a target may come later.
class Half {
public:
    Half(NodeType type, TextArena& texts)
        : type_(type), prefix_(type == NodeType::check ? "check:" : "stage:"), texts_(texts) {}

    void add(const NodeRecord& record) {
        const NodeRow& row = record.row;
        const auto node = static_cast<std::uint32_t>(nodes.size());
        nodes.push_back({texts_.keep(prefix_, row.id),
                         kept_once(row.kind),
                         type_,
                         row.state,
                         row.outcome,
                         row.skip_cause,
                         row.required,
                         {}});
        if (!record.body.runner.empty() || !record.body.uses.empty())
            nodes.back().needs = kept_once(needs_text(record.body.runner, record.body.uses));
        keys.push_back(row.key);
        // Histories are read of FINAL nodes alone.
        const int number = row.state == State::final ? furthest_before_end(type_, row.history)
                                                     : state_number(type_, row.state);
        furthest.push_back(static_cast<std::uint8_t>(number));
        if (!record.edges.empty() || !record.groups.empty()) add_groups(record, node);
        for (const AssignmentRecord& a : record.assignments) {
            ends.push_back(a.row.check);
            links.push_back({.from = node, .kind = LinkKind::assignment, .state = a.row.goal});
        }
    }

    std::vector<Outline::Node> nodes;
    std::vector<NodeKey> keys;
    std::vector<std::uint8_t> furthest;
    std::vector<Outline::Link> links;
    std::vector<NodeKey> ends;  ///< of each link: the key of the end that is not its owner
    std::vector<Outline::Group> groups;

private:
    /// Kinds and needs are few; each is kept once.
    std::string_view kept_once(const std::string& text) {
        if (text == last_text_) return last_text_;
        auto found = kept_.find(text);
        if (found == kept_.end()) found = kept_.insert(texts_.keep(text)).first;
        return last_text_ = *found;
    }

    static LinkKind link_kind(PredicateRole role) {
        return role == PredicateRole::dependencies ? LinkKind::dependency : LinkKind::continuation;
    }

    void add_groups(const NodeRecord& record, std::uint32_t node) {
        const std::size_t first = groups.size();
        const bool has_root = std::ranges::any_of(record.edges, is_dependency) ||
                              std::ranges::any_of(record.groups, is_dependency_group);
        if (has_root) add_group(node, PredicateRole::dependencies, Outline::kNone, record.row.dependencies);
        auto root = static_cast<std::int32_t>(first);
        PredicateRole role = PredicateRole::dependencies;
        for (const GroupRow& g : record.groups) {
            if (g.role != role) root = static_cast<std::int32_t>(groups.size());
            role = g.role;
            const std::int32_t parent = g.parent < 0 ? Outline::kNone : root + g.parent;
            if (parent >= static_cast<std::int32_t>(groups.size())) throw_damaged();
            if (parent != Outline::kNone) ++groups[static_cast<std::size_t>(parent)].members;
            add_group(node, g.role, parent, g.count);
        }
        place_edges(record, node, first);
        for (std::size_t i = first; i < groups.size(); ++i) {
            Outline::Group& group = groups[i];
            if (group.kind == GroupKind::all) group.needed = group.members;
            if (group.kind == GroupKind::any) group.needed = 1;
        }
    }

    void add_group(std::uint32_t node, PredicateRole role, std::int32_t parent, const GroupCount& count) {
        groups.push_back({.owner = node,
                          .parent = parent,
                          .needed = count.threshold,
                          .role = link_kind(role),
                          .kind = count.kind,
                          .resolution = count.resolution});
    }

    /// Puts the edges of a node, which come by position, where their groups are.
    void place_edges(const NodeRecord& record, std::uint32_t node, std::size_t first) {
        // Where the groups of each role begin.
        const auto continuation = static_cast<std::size_t>(
            std::find_if(groups.begin() + static_cast<std::ptrdiff_t>(first), groups.end(),
                         [](const Outline::Group& g) { return g.role == LinkKind::continuation; }) -
            groups.begin());
        const auto group_of = [&](const EdgeRow& edge) {
            const bool dependency = edge.role == PredicateRole::dependencies;
            const std::size_t group =
                (dependency ? first : continuation) + static_cast<std::size_t>(edge.group);
            if (edge.group < 0 || group >= (dependency ? continuation : groups.size())) throw_damaged();
            return group;
        };
        for (const EdgeRecord& e : record.edges) ++groups[group_of(e.edge)].links_end;
        auto at = static_cast<std::uint32_t>(links.size());
        links.resize(links.size() + record.edges.size());
        ends.resize(links.size());
        for (std::size_t i = first; i < groups.size(); ++i) {
            groups[i].members += groups[i].links_end;
            groups[i].links_begin = at;
            at += std::exchange(groups[i].links_end, at);
        }
        for (const EdgeRecord& e : record.edges) {
            const std::size_t group = group_of(e.edge);
            const std::uint32_t link = groups[group].links_end++;
            links[link] = {.to = node,
                           .group = static_cast<std::int32_t>(group),
                           .kind = link_kind(e.edge.role),
                           .state = e.edge.on_state,
                           .when = e.edge.when};
            ends[link] = e.edge.target;
        }
    }

    static bool is_dependency(const EdgeRecord& e) { return e.edge.role == PredicateRole::dependencies; }
    static bool is_dependency_group(const GroupRow& g) { return g.role == PredicateRole::dependencies; }
    [[noreturn]] static void throw_damaged() {
        throw Error(ErrorCode::store,
                    "the store is damaged: an edge or group names a group that is not there");
    }

    NodeType type_;
    std::string_view prefix_;
    TextArena& texts_;
    std::unordered_set<std::string_view> kept_;
    std::string_view last_text_;
};

/// From keys to numbers.
class KeyIndex {
public:
    KeyIndex(const std::vector<NodeKey>& checks, const std::vector<NodeKey>& stages) {
        entries_.reserve(checks.size() + stages.size());
        for (const NodeKey key : checks) add(key);
        for (const NodeKey key : stages) add(key);
        const auto middle = entries_.begin() + static_cast<std::ptrdiff_t>(checks.size());
        if (!std::ranges::is_sorted(entries_, {}, &Entry::key))
            std::inplace_merge(entries_.begin(), middle, entries_.end(),
                               [](const Entry& a, const Entry& b) { return a.key < b.key; });
    }

    [[nodiscard]] std::optional<std::uint32_t> find(NodeKey key) const {
        if (entries_.empty()) return std::nullopt;
        // Keys have gaps only where others were written, or are not selected.
        const auto guess = static_cast<std::size_t>(key) - static_cast<std::size_t>(entries_.front().key);
        if (guess < entries_.size() && entries_[guess].key == key) return entries_[guess].number;
        const auto it = std::ranges::lower_bound(entries_, key, {}, &Entry::key);
        return it != entries_.end() && it->key == key ? std::optional(it->number) : std::nullopt;
    }

private:
    struct Entry {
        NodeKey key;
        std::uint32_t number;
    };
    void add(NodeKey key) { entries_.push_back({key, static_cast<std::uint32_t>(entries_.size())}); }
    std::vector<Entry> entries_;
};

/// Both halves as one, with links from node to node.
class Joiner {
public:
    Joiner(Snapshot& snapshot, Half checks, Half stages, Outline& outline)
        : snapshot_(snapshot),
          outline_(outline),
          index_(checks.keys, stages.keys),
          furthest_(std::move(checks.furthest)) {
        outline.nodes = std::move(checks.nodes);
        outline.checks = static_cast<std::uint32_t>(outline.nodes.size());
        outline.nodes.insert(outline.nodes.end(), stages.nodes.begin(), stages.nodes.end());
        furthest_.insert(furthest_.end(), stages.furthest.begin(), stages.furthest.end());
        outline.links.reserve(checks.links.size() + stages.links.size());
        outline.groups.reserve(checks.groups.size() + stages.groups.size());
        append(checks, 0);
        append(stages, outline.checks);
        // Children come after their parents.
        for (std::size_t i = outline.groups.size(); i-- > 0;) {
            const Outline::Group& group = outline.groups[i];
            if (group.visible && group.parent != Outline::kNone)
                outline.groups[static_cast<std::size_t>(group.parent)].visible = true;
        }
    }

private:
    void append(const Half& half, std::uint32_t first_node) {
        const auto first_group = static_cast<std::int32_t>(outline_.groups.size());
        std::size_t group = 0;
        std::size_t link = 0;
        const auto append_groups = [&](std::uint32_t owner) {
            for (; group < half.groups.size() && half.groups[group].owner <= owner; ++group) {
                Outline::Group copy = half.groups[group];
                copy.owner += first_node;
                if (copy.parent != Outline::kNone) copy.parent += first_group;
                copy.links_begin = static_cast<std::uint32_t>(outline_.links.size());
                for (link = half.groups[group].links_begin; link < half.groups[group].links_end; ++link)
                    append_edge(half.links[link], half.ends[link], first_node, first_group);
                copy.links_end = static_cast<std::uint32_t>(outline_.links.size());
                copy.visible = copy.links_begin != copy.links_end;
                outline_.groups.push_back(copy);
            }
        };
        for (std::size_t i = 0; i < half.links.size(); ++i) {
            if (half.links[i].kind != LinkKind::assignment) continue;
            append_groups(half.links[i].from);
            append_assignment(half.links[i], half.ends[i], first_node);
        }
        append_groups(UINT32_MAX);
    }

    void append_edge(Outline::Link link, NodeKey target, std::uint32_t first_node, std::int32_t first_group) {
        const auto from = index_.find(target);
        if (!from) return;
        const Outline::Node& node = outline_.nodes[*from];
        link.from = *from;
        link.to += first_node;
        link.group += first_group;
        link.resolution = resolve_edge(node.type, link.state, link.when, node.state, node.outcome,
                                       node.skip_cause, int{furthest_[*from]});
        outline_.links.push_back(link);
    }

    void append_assignment(Outline::Link link, NodeKey check, std::uint32_t first_node) {
        link.from += first_node;
        if (const auto to = index_.find(check)) {
            link.to = *to;
            outline_.links.push_back(link);
            return;
        }
        const auto [name, fresh] = outside_.try_emplace(static_cast<std::int64_t>(check));
        if (fresh) name->second = outline_.texts.keep(service::node(snapshot_, check).id);
        outline_.outside.push_back({link.from, name->second});
    }

    Snapshot& snapshot_;
    Outline& outline_;
    KeyIndex index_;
    std::vector<std::uint8_t> furthest_;  ///< of each node: the number of its furthest state before FINAL
    std::unordered_map<std::int64_t, std::string_view> outside_;
};

}  // namespace

Outline LocalService::outline(const QueryNodes& request) {
    const auto snapshot = store_.read(options_.wait);
    const PlanRow plan = require_plan(*snapshot, request.plan, options_.exact_ids);
    Selection selection(*snapshot, plan, request, plan_time(plan.clock, snapshot->now()));
    const std::vector<NodeKey>* keys = selection.select();
    NodeParts parts = kBareNodes;
    parts.predicates = parts.assignments = true;
    // Bodies are large, and few plans have what is wanted of them.
    Lookup classes;
    classes.classes = true;
    parts.body = !snapshot->load(plan.key, classes).classes.empty();
    Outline outline;
    outline.plan = plan.id;
    Half checks(NodeType::check, outline.texts);
    Half stages(NodeType::stage, outline.texts);
    snapshot->scan(plan.key, {.keys = keys, .parts = parts}, [&](std::span<const NodeRecord> records) {
        for (const NodeRecord& record : records)
            (record.row.type == NodeType::check ? checks : stages).add(record);
        return true;
    });
    [[maybe_unused]] const Joiner joined(*snapshot, std::move(checks), std::move(stages), outline);
    return outline;
}

}  // namespace turboci
