// SPDX-License-Identifier: Apache-2.0
#include "explore.hpp"

#include <algorithm>

#include "state_key.hpp"

namespace turboci::model {

namespace {

bool may_go_on(const Model& model, const Bounds& bounds) {
    return std::ranges::none_of(model.plan().stages,
                                [&](const ModelStage& s) { return s.current() > bounds.attempts; });
}

}  // namespace

std::optional<Parting> Explorer::explore(const Operation& creation, const Bounds& bounds) {
    found_.clear();
    keys_.clear();
    bench_.go_to(empty_);
    bench_.begin();
    ++figures_.plans;
    ++figures_.transitions;
    const Model nothing;
    if (auto d = bench_.step(creation)) return Parting{{creation}, *d};
    show_flaws(nothing, creation, {creation});
    if (bench_.model().plan().version == 0) {
        ++figures_.refused;
        return std::nullopt;
    }
    if (auto d = enter(0, creation, bounds)) return Parting{{creation}, *d};
    for (std::size_t i = 0; i < found_.size(); ++i) {
        if (found_[i].depth == bounds.depth) break;
        const Model& model = found_[i].place.course.model;
        if (!may_go_on(model, bounds)) continue;
        for (const auto& operation :
             operations_in(model, found_[i].place.now.wall, creation, bounds.questions))
            if (auto parting = leave(i, operation, bounds)) return parting;
        found_[i].place = Bench::Place();  // nobody comes back
        if (found_.size() < bounds.states) continue;
        ++figures_.cut;
        break;
    }
    return std::nullopt;
}

std::optional<Parting> Explorer::leave(std::size_t state, const Operation& operation, const Bounds& bounds) {
    const auto parting = [&](std::string text) {
        Operations path = path_to(state);
        path.push_back(operation);
        return Parting{std::move(path), std::move(text)};
    };
    const Bench::Place& before = found_[state].place;
    bench_.go_to(before);
    ++figures_.transitions;
    if (auto d = bench_.step(operation)) return parting(*d);
    if (!hidden_.empty()) show_flaws(before.course.model, operation, parting({}).path);
    const Answer& answer = bench_.expected();
    if (!answer.errors.empty()) {
        ++figures_.refused;
        if (!bench_.is_unchanged_since(before)) return parting("a request that is refused changes the store");
        if (bench_.model().plan().version != before.course.model.plan().version)
            return parting("a request that is refused changes the model");
        return std::nullopt;
    }
    if (auto d = enter(state, operation, bounds)) return parting(*d);
    return std::nullopt;
}

/// Takes the state that the bench is in for a new one, unless it is known.
std::optional<std::string> Explorer::enter(std::size_t from, const Operation& by, const Bounds& bounds) {
    if (!keys_.insert(state_key(bench_.model(), bench_.now().wall)).second) return std::nullopt;
    ++figures_.states;
    const std::size_t depth = found_.empty() ? 0 : found_[from].depth + 1;
    found_.push_back({bench_.place(), from, by, depth});
    return bench_.check_end(bounds.copies);
}

void Explorer::look_for(std::set<Flaw> flaws, std::function<void(Flaw, const Operations&)> shown) {
    hidden_ = std::move(flaws);
    shown_ = std::move(shown);
}

void Explorer::show_flaws(const Model& before, const Operation& operation, const Operations& path) {
    if (hidden_.empty()) return;
    Operation named = operation;
    named.request.plan = bench_.plan();
    const Model& right = bench_.model();
    const auto expected = picture(right);
    const std::string key = state_key(right, bench_.now().wall);
    for (auto it = hidden_.begin(); it != hidden_.end();) {
        const Flaw flaw = *it;
        Model wrong = before.with(flaw);
        wrong.expect_skips(right.expected_skips());
        const Answer answer = model::answer(wrong, named, bench_.now());
        const bool same = !differ(answer, bench_.expected()) && picture(wrong) == expected &&
                          notes(wrong) == notes(right) && state_key(wrong, bench_.now().wall) == key;
        ++it;
        if (same) continue;
        hidden_.erase(flaw);
        shown_(flaw, path);
    }
}

Operations Explorer::path_to(std::size_t state) const {
    Operations path;
    for (; state != 0; state = found_[state].from) path.push_back(found_[state].by);
    path.push_back(found_.front().by);
    std::ranges::reverse(path);
    return path;
}

}  // namespace turboci::model
