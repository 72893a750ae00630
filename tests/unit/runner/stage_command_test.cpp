// SPDX-License-Identifier: Apache-2.0
#include "runner/stage_command.hpp"

#include "domain/attempt_token.hpp"
#include "support/catch.hpp"

using namespace turboci;
using Strings = std::vector<std::string>;

TEST_CASE("A stage changes the inherited environment, but not what turboci sets") {
    const Strings merged = merged_environment({"A=1", "B=2", "T=0"},
                                              {{"A", "9"}, {"B", std::nullopt}, {"T", "8"}}, {{"T", "7"}});
    CHECK(merged == Strings{"A=9", "T=7"});
}

TEST_CASE("A command that will not fit is told before there is an attempt, with its largest value") {
    const Strings environment{"PATH=/bin", "HOME=/root", "LONG=" + std::string(3000, 'x')};
    const JsonText args{R"({"command":["echo","one"],"env":{"MODE":"fast"}})"};
    const auto excess = [&](std::size_t space, const JsonText& of) {
        return StageCommands("/store.db", "p", environment, space).excess("s", of);
    };
    CHECK(excess(100'000, args).empty());
    const std::string why = excess(3000, args);
    CHECK(why.starts_with("its arguments and environment take "));
    CHECK(why.ends_with(
        " bytes, 3000 are allowed; the largest is the environment variable LONG with 3005 bytes"));
    // What is judged is what is executed, with a token as long as it can get.
    const StageCommands commands("/store.db", "p", environment, 0);
    const auto parsed = std::get<StageCommand>(parse_stage_command(args));
    const std::string id(32, 'a');
    const std::string token = to_string(AttemptToken{id, id, "p", "s", 2'147'483'647, id});
    const Command command = commands.command(parsed, "s", 2'147'483'647, token);
    std::size_t size = 0;
    for (const auto* list : {&command.argv, &command.env})
        for (const std::string& text : *list) size += text.size() + 1 + sizeof(char*);
    CHECK(excess(size, args).empty());
    CHECK_FALSE(excess(size - 1, args).empty());
    // A list of empty strings takes more room than its text.
    std::string many = R"({"command":["echo")";
    for (int i = 0; i < 10'000; ++i) many += R"(,"")";
    CHECK(excess(60'000, {many + "]}"}).ends_with("LONG with 3005 bytes"));
    // What is wrong in another way is told by the attempt.
    CHECK(excess(0, {R"({"command":7})"}).empty());
    CHECK(excess(0, {"{}"}).empty());
}
