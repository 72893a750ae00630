// SPDX-License-Identifier: Apache-2.0
#include "format/plan_expander.hpp"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "domain/key_set.hpp"
#include "domain/quotes.hpp"
#include "format/tape_walk.hpp"
#include "format/yaml_events.hpp"

namespace turboci {

void Expansion::append(Expansion&& file, std::size_t checks, std::size_t stages) {
    nodes = file.nodes;
    budget = file.budget;
    for (Matrix& matrix : file.matrices) {
        const std::size_t first = matrix.type == NodeType::check ? checks : stages;
        for (auto& node : matrix.nodes)
            if (node != Matrix::kNoNode) node += static_cast<std::uint32_t>(first);
        matrices.push_back(std::move(matrix));
    }
}

PlanExpander::PlanExpander(WriteNodes& request, FileProblems& problems, const Expansion& before,
                           Defaults& defaults)
    : request_(request),
      problems_(problems),
      defaults_(defaults),
      reader_(request, found_),
      nodes_before_(before.nodes) {
    expansion_.budget = before.budget;
}

void PlanExpander::record(RawEvent::Type type, const Scalar& scalar, Position at) {
    RawEvent event;
    event.type = type;
    event.kind = scalar.kind;
    event.plain = scalar.plain;
    event.text = scalar.text;
    event.at = at;
    tape_.append(event);
}

/// False if the event goes no further.
bool PlanExpander::begin(bool map, Position at) {
    if (over_) return false;
    file_ = at.file;
    const std::size_t outside = depth_++;
    if (recording_ == 0) {
        const bool is_node = outside == 2 && in_list_ && map;
        const bool is_defaults = outside == 1 && section_ == Section::defaults && map;
        if (outside == 1) in_list_ = !map && (section_ == Section::checks || section_ == Section::stages);
        if (!is_node && !is_defaults) return true;
        recording_ = depth_;
        tape_.clear();
        node_at_ = at;
    }
    record(map ? RawEvent::Type::map_start : RawEvent::Type::seq_start, {}, at);
    return section_ == Section::defaults;
}

/// The same.
bool PlanExpander::end(bool map, Position at) {
    if (over_) return false;
    const std::size_t inside = depth_--;
    if (recording_ == 0) {
        if (inside == 2) in_list_ = false;
        return true;
    }
    record(map ? RawEvent::Type::map_end : RawEvent::Type::seq_end, {}, at);
    if (inside == recording_ && section_ != Section::defaults) {
        recording_ = 0;
        end_node();
        return false;
    }
    return section_ == Section::defaults;
}

void PlanExpander::begin_map(Position at) {
    if (begin(true, at)) reader_.begin_map(at);
}

void PlanExpander::begin_seq(Position at) {
    if (begin(false, at)) reader_.begin_seq(at);
}

void PlanExpander::end_map(Position at) {
    if (!end(true, at)) return;
    reader_.end_map(at);
    if (recording_ != 0 && depth_ + 1 == recording_) end_defaults();
    if (depth_ > 1) return;
    tell();
    if (depth_ == 0) {
        ++document_;
        has_nodes_ = false;
    }
}

void PlanExpander::end_seq(Position at) {
    if (!end(false, at)) return;
    reader_.end_seq(at);
    if (depth_ <= 1) tell();
    if (depth_ == 0) ++document_;
}

void PlanExpander::key(std::string_view text, Position at) {
    if (over_) return;
    if (recording_ != 0) {
        record(RawEvent::Type::scalar, {ScalarKind::string, false, text}, at);
        if (section_ != Section::defaults) return;
    } else if (depth_ == 1) {
        section_ = text == "checks"     ? Section::checks
                   : text == "stages"   ? Section::stages
                   : text == "defaults" ? Section::defaults
                                        : Section::other;
    }
    reader_.key(text, at);
}

void PlanExpander::scalar(const Scalar& scalar, Position at) {
    if (over_) return;
    if (recording_ != 0) record(RawEvent::Type::scalar, scalar, at);
    if (recording_ == 0 || section_ == Section::defaults) reader_.scalar(scalar, at);
    if (depth_ <= 1) tell();
    if (depth_ == 0) ++document_;
}

void PlanExpander::end_defaults() {
    recording_ = 0;
    if (!defaults_.try_emplace(document_, std::move(tape_)).second) return;  // known from the reading before
    if (has_nodes_) again_ = true;
}

void PlanExpander::end_node() {
    has_nodes_ = true;
    const YamlTape* node = &tape_;
    if (const auto found = defaults_.find(document_); found != defaults_.end() && found->second.has(type())) {
        merged_.clear();
        found->second.merge(type(), tape_, merged_);
        node = &merged_;
    }
    std::optional<std::size_t> matrix;
    std::string_view id;
    for (MapWalk walk(*node, 0); walk.next();) {
        const RawEvent value = event_at(*node, walk.value());
        if (walk.key().text == "id" && value.type == RawEvent::Type::scalar &&
            value.kind == ScalarKind::string)
            id = value.text;
        if (walk.key().text == "matrix" && value.type == RawEvent::Type::map_start) matrix = walk.value();
    }
    if (matrix) {
        expand(*node, *matrix, id);
    } else {
        send(*node, nullptr, 0);
        tell();
    }
}

void PlanExpander::expand(const YamlTape& node, std::size_t matrix_offset, std::string_view id) {
    auto matrix = Matrix::read(node, matrix_offset, file_, problems_);
    if (!matrix || !count_combinations(*matrix)) {
        whole_ = false;
        return;
    }
    leave_out_matrix(node);
    matrix->type = type();
    matrix->id = id;
    if (id.empty()) {  // nothing comes of it, but what is wrong is told
        send(plain_, &*matrix, 0);
        tell();
        return;
    }
    expansion_.nodes += matrix->size();
    send_all(*matrix);
    expansion_.matrices.push_back(std::move(*matrix));
}

/// False if something is wrong, which is reported.
bool PlanExpander::count_combinations(Matrix& matrix) {
    switch (matrix.combine(kMaxMatrixNodes - nodes_before_ - expansion_.nodes, expansion_.budget)) {
        case Matrix::Count::good:
            return true;
        case Matrix::Count::too_many:
            problems_.add(matrix.at, fmt::format("the matrices of one write may stand for {} nodes at most; "
                                                 "with this one there are more",
                                                 kMaxMatrixNodes));
            return false;
        case Matrix::Count::too_costly:
            refuse(matrix.at);
            return false;
        case Matrix::Count::none:
            problems_.add(matrix.at, "every combination of the matrix is excluded");
            return false;
    }
    return false;
}

/// Copies the node on the tape to plain_ without its matrix, which would be passed over for each combination.
void PlanExpander::leave_out_matrix(const YamlTape& node) {
    plain_.clear();
    plain_.append(event_at(node, 0));
    MapWalk walk(node, 0);
    while (walk.next()) {
        if (walk.key().text == "matrix") continue;
        plain_.append(walk.key());
        std::size_t value = walk.value();
        copy_value(node, value, plain_);
    }
    plain_.append(walk.key());  // the end of the map
}

void PlanExpander::send_all(Matrix& matrix) {
    KeySet ids;
    bool told = false;
    for (std::size_t i = 0; i < matrix.size() && !over_; ++i) {
        const auto value_of = [&](std::string_view axis) { return matrix.value(i, axis); };
        if (!fill_in(matrix.id, value_of, expansion_.budget, id_)) return refuse(matrix.at);
        if (!ids.insert(id_)) {
            if (!std::exchange(told, true)) {
                problems_.add(matrix.at, fmt::format("several combinations of the matrix have the id {}, for "
                                                     "example {{{}}}; name each axis in the id",
                                                     in_quotes(id_), matrix.describe(i)));
            }
            continue;
        }
        const std::size_t number = nodes_read();
        send(plain_, &matrix, i);
        if (nodes_read() > number) matrix.nodes[i] = static_cast<std::uint32_t>(number);
        tell();
    }
}

/// Sends the node on the tape to the reader; of a matrix, as it is in one combination.
void PlanExpander::send(const YamlTape& node, const Matrix* matrix, std::size_t combination) {
    levels_.clear();
    std::size_t offset = 0;
    RawEvent event;
    do {
        node.read(offset, event);
        event.at.file = file_;
        if (!expansion_.budget.take(ExpansionBudget::kEventBytes + event.text.size()))
            return refuse(node_at_);
        if (!event.ends() && !levels_.empty() && levels_.back().wants_key) {
            levels_.back().wants_key = false;
            reader_.key(event.text, event.at);
            continue;
        }
        if (event.ends()) levels_.pop_back();
        send_value(event, matrix, combination);
        if (over_) return;
        if (event.starts()) {
            const bool map = event.type == RawEvent::Type::map_start;
            levels_.push_back({map, map});
        } else if (!levels_.empty() && levels_.back().map) {
            levels_.back().wants_key = true;
        }
    } while (!levels_.empty());
}

void PlanExpander::send_value(const RawEvent& event, const Matrix* matrix, std::size_t combination) {
    switch (event.type) {
        case RawEvent::Type::map_start:
            return reader_.begin_map(event.at);
        case RawEvent::Type::map_end:
            return reader_.end_map(event.at);
        case RawEvent::Type::seq_start:
            return reader_.begin_seq(event.at);
        case RawEvent::Type::seq_end:
            return reader_.end_seq(event.at);
        default:
            break;
    }
    const bool is_filled = matrix != nullptr && event.kind == ScalarKind::string &&
                           event.text.find("{{") != std::string_view::npos;
    if (!is_filled) return reader_.scalar({event.kind, event.plain, event.text}, event.at);
    const auto value_of = [&](std::string_view axis) { return matrix->value(combination, axis); };
    if (!fill_in(event.text, value_of, expansion_.budget, filled_)) return refuse(node_at_);
    reader_.set_written(event.text);
    reader_.scalar({event.kind, event.plain, filled_}, event.at);
    reader_.set_written({});
}

/// Passes on what the reader found, but for places of which something was told before: they are read again
/// for every combination, defaults for every node.
void PlanExpander::tell() {
    if (!found_.has_any()) return;
    const auto number = [](Position at) { return std::uint64_t{at.line} << 32 | at.column; };
    std::vector<std::uint64_t> now;
    found_.move_to(problems_, [&](Position at) {
        now.push_back(number(at));
        return !told_.contains(now.back());
    });
    if (!problems_.full()) told_.insert(now.begin(), now.end());
}

void PlanExpander::refuse(Position at) {
    problems_.add(
        at,
        fmt::format(
            "matrices and defaults make the files grow to more than {} MiB and to more than {} times their "
            "size",
            kMaxPlanFileBytes >> 20, kMaxExpansion));
    over_ = true;
    whole_ = false;
}

bool PlanExpander::finish() {
    if (!over_) reader_.finish();
    return !again_;
}

Expansion PlanExpander::take() {
    expansion_.nodes += nodes_before_;
    return std::move(expansion_);
}

}  // namespace turboci
