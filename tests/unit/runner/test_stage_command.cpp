// SPDX-License-Identifier: Apache-2.0
#include "runner/stage_command.hpp"
#include "support/catch.hpp"

using namespace turboci;
using Strings = std::vector<std::string>;

namespace {

std::string problem(const std::string& args) {
    const auto parsed = parse_stage_command({args});
    const auto* text = std::get_if<std::string>(&parsed);
    return text != nullptr ? *text : "";
}

StageCommand command(const std::string& args) { return std::get<StageCommand>(parse_stage_command({args})); }

}  // namespace

TEST_CASE("A string is for the shell, a list is executed as it is") {
    CHECK(command(R"({"command":"make all"})").argv == Strings{"/bin/sh", "-c", "make all"});
    CHECK(command(R"({"command":["make","all the things"]})").argv == Strings{"make", "all the things"});
}

TEST_CASE("The environment and the working directory are optional") {
    const StageCommand c = command(R"({"command":"x","env":{"A":"1","B":null},"cwd":"sub"})");
    CHECK(c.env.size() == 2);
    CHECK(c.env.at(0).second == "1");
    CHECK_FALSE(c.env.at(1).second);
    CHECK(c.cwd == "sub");
    CHECK(command(R"({"command":"x","env":null,"cwd":null})").cwd.empty());
}

TEST_CASE("Args that cannot be executed say what is wrong") {
    CHECK(problem(R"({"command":7})") == "args.command must be a string or a list of strings");
    CHECK(problem(R"({"command":["a",7]})") == "args.command must be a string or a list of strings");
    CHECK(problem(R"({"command":""})") == "args.command is empty");
    CHECK(problem(R"({"command":[]})") == "args.command is empty");
    CHECK(problem(R"({"command":["","a"]})") == "args.command names no program");
    CHECK(problem(R"({"command":"a\u0000b"})") == "args.command holds a NUL character");
    CHECK(problem(R"({"command":"x","env":[]})") == "args.env must be a mapping of strings");
    CHECK(problem(R"({"command":"x","env":{"A":1}})") == "args.env.A must be a string, or null to unset it");
    CHECK(problem(R"({"command":"x","env":{"A=B":"1"}})") ==
          "args.env: 'A=B' cannot be the name of a variable");
    CHECK(problem(R"({"command":"x","cwd":""})") == "args.cwd must be a path");
    CHECK(problem("{}") == "args.command is missing");
}

TEST_CASE("Whether there is a command is seen without judging it") {
    CHECK(has_command({R"({"command":7})"}));
    CHECK(has_command({R"({"\u0063ommand":"x"})"}));
    CHECK_FALSE(has_command({R"({"command":null})"}));
    CHECK_FALSE(has_command({R"({"note":"no command here"})"}));
    CHECK_FALSE(has_command({"{}"}));
}

TEST_CASE("A stage changes the inherited environment, but not what turboci sets") {
    const Strings merged = merged_environment({"A=1", "B=2", "T=0"},
                                              {{"A", "9"}, {"B", std::nullopt}, {"T", "8"}}, {{"T", "7"}});
    CHECK(merged == Strings{"A=9", "T=7"});
}
