// SPDX-License-Identifier: Apache-2.0
#include "runner/stage_command.hpp"
#include "support/catch.hpp"

using namespace turboci;
using Strings = std::vector<std::string>;

TEST_CASE("A stage changes the inherited environment, but not what turboci sets") {
    const Strings merged = merged_environment({"A=1", "B=2", "T=0"},
                                              {{"A", "9"}, {"B", std::nullopt}, {"T", "8"}}, {{"T", "7"}});
    CHECK(merged == Strings{"A=9", "T=7"});
}
