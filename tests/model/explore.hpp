// SPDX-License-Identifier: Apache-2.0
// Breadth first through all states of a plan: every operation from each, on the product and on the model.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "bench.hpp"
#include "small_operations.hpp"

namespace turboci::model {

/// Where an exploration stops.
struct Bounds {
    Questions questions = Questions::all;
    std::size_t depth = SIZE_MAX;   ///< operations after the creation of the plan
    std::size_t states = SIZE_MAX;  ///< of one plan
    std::int32_t attempts = 3;      ///< a state in which a stage had more is not left any more
    bool copies = false;            ///< each state is exported and imported once
};

struct Figures {
    std::int64_t plans = 0;
    std::int64_t states = 0;       ///< distinct ones, of each plan
    std::int64_t transitions = 0;  ///< operations from a state, the creation of each plan included
    std::int64_t refused = 0;      ///< of them: requests that both refused
    std::int64_t cut = 0;          ///< plans with more states than Bounds::states
};

/// A path on which product and model part.
struct Parting {
    Operations path;
    std::string text;
};

class Explorer {
public:
    Explorer() : bench_(BenchStore::memory), empty_(bench_.place()) {}

    /// All states of the plan that `creation` makes, within `bounds`.
    std::optional<Parting> explore(const Operation& creation, const Bounds& bounds);
    [[nodiscard]] const Figures& figures() const { return figures_; }

    /// Looks for flaws of the model besides: `shown` is called with a path on which one shows, and each is
    /// looked for until then. The right model is the measure, which the product agrees with.
    void look_for(std::set<Flaw> flaws, std::function<void(Flaw, const Operations&)> shown);
    [[nodiscard]] const std::set<Flaw>& hidden() const { return hidden_; }

private:
    struct Found {
        Bench::Place place;
        std::size_t from = 0;  ///< the state before, by number
        Operation by;
        std::size_t depth = 0;
    };
    std::optional<Parting> leave(std::size_t state, const Operation& operation, const Bounds& bounds);
    std::optional<std::string> enter(std::size_t from, const Operation& by, const Bounds& bounds);
    void show_flaws(const Model& before, const Operation& operation, const Operations& path);
    [[nodiscard]] Operations path_to(std::size_t state) const;

    Bench bench_;
    Bench::Place empty_;
    Figures figures_;
    std::vector<Found> found_;
    std::set<std::string> keys_;
    std::set<Flaw> hidden_;
    std::function<void(Flaw, const Operations&)> shown_;
};

}  // namespace turboci::model
