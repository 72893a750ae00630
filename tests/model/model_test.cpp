// SPDX-License-Identifier: Apache-2.0
// Random sequences of requests on the product and on a model of its rules. The short form runs kShort of
// them; tests/model/run runs as many as wanted, by these variables of the environment:
//   TURBOCI_MODEL_SEQUENCES   how many
//   TURBOCI_MODEL_SEED        the first seed; each sequence has the seed after the one before it
#include <cstdlib>
#include <iostream>

#include "bench.hpp"
#include "support/catch.hpp"

using namespace turboci;
using namespace turboci::model;

namespace {

constexpr std::uint64_t kShort = 300;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

Operations sequence(std::uint64_t seed) {
    RandomChoices choices(seed);
    return generate(choices);
}

}  // namespace

TEST_CASE("The product does what the model of its rules does") {
    const std::uint64_t first = from_environment("TURBOCI_MODEL_SEED", 1);
    const std::uint64_t count = from_environment("TURBOCI_MODEL_SEQUENCES", kShort);
    Bench bench;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Operations operations = sequence(seed);
        if (!bench.run(operations)) continue;
        INFO("seed " << seed << "; the least that was found:\n" << bench.explain(operations));
        REQUIRE(false);
    }
    SUCCEED();
}

TEST_CASE("Each rule of the model that is broken on purpose is noticed") {
    Bench bench;
    for (auto f = static_cast<std::uint8_t>(1); f < static_cast<std::uint8_t>(Flaw::last_flaw); ++f) {
        const auto flaw = static_cast<Flaw>(f);
        std::uint64_t seed = 1;
        while (seed <= kShort && !bench.run(sequence(seed), flaw)) ++seed;
        INFO("flaw " << to_string(flaw) << " seed " << seed);
        CHECK(seed <= kShort);
        if (std::getenv("TURBOCI_MODEL_VERBOSE")) std::cerr << to_string(flaw) << ": seed " << seed << '\n';
    }
}
