// SPDX-License-Identifier: Apache-2.0
// All plans of a few nodes, every operation from each state that they come to. tests/model/run --exhaustive
// runs the long form, by these variables of the environment:
//   TURBOCI_MODEL_NODES    plans of how many nodes
//   TURBOCI_MODEL_JOB      which part of the plans, from 0 …
//   TURBOCI_MODEL_JOBS     … of how many
//   TURBOCI_MODEL_SAMPLE   one plan of how many (1)
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "explore.hpp"
#include "small_plan.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::model;

namespace {

std::size_t number_from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Part {
    int nodes = 1;
    std::size_t first = 0, step = 1;
};

/// Explores the plans of `part`; the first parting, with the shortest path to it that was found.
std::optional<std::string> explore(Explorer& explorer, const Part& part, const Bounds& bounds) {
    std::optional<std::string> parted;
    each_small_plan(part.nodes, [&](std::size_t number, const SmallPlan& plan) {
        if (parted || number < part.first || (number - part.first) % part.step != 0) return;
        const auto parting = explorer.explore(creation(plan), bounds);
        if (!parting) return;
        Bench bench(BenchStore::memory);
        parted = fmt::format("plan {} of {} nodes: {}\n{}\nthe least that was found:\n{}", number, part.nodes,
                             parting->text, describe(parting->path), bench.explain(parting->path));
    });
    return parted;
}

std::string text(const Figures& f) {
    return fmt::format("plans {} states {} transitions {} refused {} cut {}", f.plans, f.states,
                       f.transitions, f.refused, f.cut);
}

}  // namespace

TEST_CASE("Long form: all states of all small plans", "[.][long]") {
    Part part;
    part.nodes = static_cast<int>(number_from_environment("TURBOCI_MODEL_NODES", 1));
    const std::size_t sample = number_from_environment("TURBOCI_MODEL_SAMPLE", 1);
    part.first = number_from_environment("TURBOCI_MODEL_JOB", 0) * sample;
    part.step = number_from_environment("TURBOCI_MODEL_JOBS", 1) * sample;
    Bounds bounds;
    bounds.questions = part.nodes < 3 ? Questions::all : Questions::few;
    if (std::getenv("TURBOCI_MODEL_FEW")) bounds.questions = Questions::few;
    bounds.depth = number_from_environment("TURBOCI_MODEL_DEPTH", bounds.depth);
    Explorer explorer;
    const auto parted = explore(explorer, part, bounds);
    std::cout << text(explorer.figures()) << '\n';
    INFO(parted.value_or(""));
    CHECK_FALSE(parted);
}
