// SPDX-License-Identifier: Apache-2.0
#include "format/plan_matrix.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "domain/key_set.hpp"
#include "domain/quotes.hpp"
#include "format/suggest.hpp"
#include "format/tape_walk.hpp"
#include "format/yaml_events.hpp"
#include "turboci/plan_file.hpp"

namespace turboci {

bool ExpansionBudget::take(std::size_t bytes) noexcept {
    used_ += bytes;
    return used_ <= std::max(kMaxPlanFileBytes, kMaxExpansion * read_);
}

bool is_axis_name(std::string_view text) noexcept {
    const auto is_part = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '.';
    };
    return !text.empty() && std::ranges::all_of(text, is_part);
}

/// Reads one matrix from a tape.
class MatrixReader {
public:
    MatrixReader(const YamlTape& tape, std::uint32_t file, FileProblems& problems)
        : tape_(tape), file_(file), problems_(problems) {}

    std::optional<Matrix> read(std::size_t offset) {
        matrix_.at = at(event_at(tape_, offset));
        std::optional<std::size_t> exclude;
        for (MapWalk walk(tape_, offset); walk.next();) {
            if (walk.key().text == "exclude") {
                exclude = walk.value();
            } else {
                axis(walk.key(), walk.value());
            }
        }
        if (matrix_.axes_.empty() && sound_)
            problem(matrix_.at, "a matrix needs an axis: {os: [linux, mac]}");
        // Last: it names axes that may stand behind it. Of axes that are wrong it would be wrong again.
        if (exclude && sound_) exclusions(*exclude);
        if (!sound_) return std::nullopt;
        return std::move(matrix_);
    }

private:
    [[nodiscard]] Position at(const RawEvent& event) const noexcept {
        return {file_, event.at.line, event.at.column};
    }
    void problem(Position where, std::string message) {
        sound_ = false;
        problems_.add(where, std::move(message));
    }
    /// False if the value of an axis is none, which is reported.
    bool is_value(const RawEvent& event, std::string_view axis) {
        const bool scalar = event.type == RawEvent::Type::scalar;
        if (scalar && event.kind == ScalarKind::invalid) return sound_ = false;
        if (scalar && event.kind != ScalarKind::null) return true;
        problem(at(event),
                fmt::format("a value of the axis {} must be a string, a number, true or false, not {}",
                            in_quotes(axis), describe(event)));
        return false;
    }

    void axis(const RawEvent& key, std::size_t offset) {
        const std::string name(key.text);
        if (!is_axis_name(name)) {
            problem(at(key),
                    fmt::format("{} cannot be the name of an axis; use letters, digits, '_', '-' and '.'",
                                in_quotes(name)));
            return;
        }
        RawEvent event;
        tape_.read(offset, event);
        if (event.type != RawEvent::Type::seq_start) {
            if (event.type == RawEvent::Type::scalar && event.kind == ScalarKind::invalid) {
                sound_ = false;
            } else {
                problem(at(event), fmt::format("the axis {} must be a list of values, not {}",
                                               in_quotes(name), describe(event)));
            }
            return;
        }
        const Position list = at(event);
        Axis axis{name, {}};
        KeySet seen;
        for (;;) {
            const RawEvent item = event_at(tape_, offset);
            if (item.type == RawEvent::Type::seq_end) break;
            skip_value(tape_, offset);
            if (!is_value(item, name)) continue;
            if (!seen.insert(item.text)) {
                problem(at(item), fmt::format("the axis {} has the value {} twice", in_quotes(name),
                                              in_quotes(item.text)));
            }
            axis.values.emplace_back(item.text);
        }
        if (axis.values.empty() && sound_)
            problem(list, fmt::format("the axis {} has no value", in_quotes(name)));
        matrix_.numbers_.emplace(name, static_cast<std::uint32_t>(matrix_.axes_.size()));
        matrix_.axes_.push_back(std::move(axis));
    }

    void exclusions(std::size_t offset) {
        // The numbers of all values, so that each is found at once.
        for (const Axis& axis : matrix_.axes_) {
            auto& numbers = value_numbers_.emplace_back();
            for (std::uint32_t i = 0; i < axis.values.size(); ++i) numbers.emplace(axis.values[i], i);
        }
        RawEvent event;
        tape_.read(offset, event);
        if (event.type == RawEvent::Type::scalar && event.kind == ScalarKind::null) return;
        if (event.type != RawEvent::Type::seq_start) {
            problem(at(event), fmt::format("'exclude' must be a list of combinations: [{{{}: {}}}]",
                                           matrix_.axes_.front().name, "VALUE"));
            return;
        }
        for (;;) {
            const RawEvent item = event_at(tape_, offset);
            if (item.type == RawEvent::Type::seq_end) return;
            if (item.type == RawEvent::Type::map_start) {
                exclusion(offset);
            } else {
                problem(at(item),
                        fmt::format("an item of 'exclude' must be a map such as {{{}: VALUE}}, not {}; "
                                    "no axis can be called 'exclude'",
                                    matrix_.axes_.front().name, describe(item)));
            }
            skip_value(tape_, offset);
        }
    }

    void exclusion(std::size_t offset) {
        std::map<std::uint32_t, std::uint32_t> exclusion;  // values by axes
        for (MapWalk walk(tape_, offset); walk.next();) {
            const std::string name(walk.key().text);
            const auto number = matrix_.numbers_.find(name);
            if (number == matrix_.numbers_.end()) {
                problem(at(walk.key()), fmt::format("'exclude' names {}, which is no axis of this matrix{}",
                                                    in_quotes(name), nearest_axis(name)));
                continue;
            }
            const RawEvent value = event_at(tape_, walk.value());
            if (!is_value(value, name)) continue;
            const auto& numbers = value_numbers_[number->second];
            const auto found = numbers.find(value.text);
            if (found == numbers.end()) {
                problem(at(value),
                        fmt::format("{} is no value of the axis {}", in_quotes(value.text), in_quotes(name)));
                continue;
            }
            exclusion.emplace(number->second, found->second);
        }
        if (exclusion.empty() && sound_)
            problem(at(event_at(tape_, offset)), "an item of 'exclude' names no axis");
        std::vector<std::uint32_t> axes, values;
        for (const auto& [axis, value] : exclusion) {
            axes.push_back(axis);
            values.push_back(value);
        }
        matrix_.exclusions_[axes].insert(values);
    }

    [[nodiscard]] std::string nearest_axis(std::string_view name) const {
        std::vector<std::string_view> known;
        for (const Axis& axis : matrix_.axes_) known.push_back(axis.name);
        SuggestionBudget budget{100'000};
        const auto near = nearest(name, known, budget);
        return near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
    }

    const YamlTape& tape_;
    std::uint32_t file_;
    FileProblems& problems_;
    Matrix matrix_;
    bool sound_ = true;
    std::vector<std::map<std::string, std::uint32_t, std::less<>>> value_numbers_;  ///< by axis
};

std::optional<Matrix> Matrix::read(const YamlTape& tape, std::size_t offset, std::uint32_t file,
                                   FileProblems& problems) {
    return MatrixReader(tape, file, problems).read(offset);
}

namespace {

constexpr std::size_t kLookUpBytes = 32;  // of budget, for as much time as so many bytes take

}  // namespace

bool Matrix::is_excluded(const Numbers& choice, ExpansionBudget& budget) const {
    Numbers values;
    return std::ranges::any_of(exclusions_, [&](const auto& entry) {
        const auto& [axes, excluded] = entry;
        static_cast<void>(budget.take(kLookUpBytes * axes.size()));  // seen by whoever takes next
        values.clear();
        for (const std::uint32_t axis : axes) values.push_back(choice[axis]);
        return excluded.contains(values);
    });
}

Matrix::Count Matrix::combine(std::size_t most, ExpansionBudget& budget) {
    Numbers choice(axes_.size(), 0);
    for (;;) {
        if (!is_excluded(choice, budget)) {
            if (nodes.size() == most) return Count::too_many;
            nodes.push_back(kNoNode);
            choices_.insert(choices_.end(), choice.begin(), choice.end());
        }
        if (!budget.take(ExpansionBudget::kEventBytes * axes_.size())) return Count::too_costly;
        std::size_t axis = axes_.size();
        while (axis > 0 && ++choice[axis - 1] == axes_[axis - 1].values.size()) choice[--axis] = 0;
        if (axis == 0) return nodes.empty() ? Count::none : Count::good;
    }
}

const std::string* Matrix::value(std::size_t combination, std::string_view axis) const {
    const auto number = numbers_.find(axis);
    if (number == numbers_.end()) return nullptr;
    return &axes_[number->second].values[choices_[combination * axes_.size() + number->second]];
}

std::string Matrix::describe(std::size_t combination) const {
    std::string text;
    for (const Axis& axis : axes_) {
        if (text.size() > 200) return text + ", …";
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", axis.name,
                            in_quotes(*value(combination, axis.name)));
    }
    return text;
}

}  // namespace turboci
