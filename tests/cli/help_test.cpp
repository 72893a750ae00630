// SPDX-License-Identifier: Apache-2.0
// Each help text is pinned in golden/. TURBOCI_UPDATE_GOLDEN=1 rewrites them.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/app.hpp"
#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::cli::all_commands;
using turboci::cli::Command;
using turboci::test::Binary;
using turboci::test::contains;
using turboci::test::Ran;
using turboci::test::read_all;

namespace {

std::vector<std::string> words(std::string_view name) {
    std::istringstream in{std::string(name)};
    std::vector<std::string> list;
    for (std::string word; in >> word;) list.push_back(word);
    return list;
}

void compare_with_golden(std::string name, const std::string& text) {
    for (char& c : name) c = c == ' ' ? '-' : c;
    const std::string path = std::string(TURBOCI_GOLDEN_DIR "/") + name + ".txt";
    if (std::getenv("TURBOCI_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
    INFO(path);
    CHECK(read_all(path) == text);
}

}  // namespace

TEST_CASE("The help of every command is as recorded") {
    const Binary turboci;
    for (const Command* command : all_commands()) {
        auto arguments = words(command->name);
        arguments.emplace_back("--help");
        const Ran ran = turboci.run(arguments);
        CHECK(ran.code == 0);
        CHECK(ran.err.empty());
        compare_with_golden(std::string(command->name), ran.out);
    }
    compare_with_golden("turboci", turboci.ok({"--help"}));
    compare_with_golden("plan", turboci.ok({"plan", "--help"}));
}

TEST_CASE("Every help begins with a sentence, then examples, and fits 100 columns") {
    const Binary turboci;
    for (const Command* command : all_commands()) {
        auto arguments = words(command->name);
        arguments.emplace_back("-h");
        const std::string text = turboci.ok(arguments);
        INFO(text);
        const auto sentence = text.find('\n');
        CHECK(text[sentence - 1] == '.');
        CHECK(text.find("\nExamples:\n  turboci ") < text.find("\nUsage: "));
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
    }
}

TEST_CASE("Help can be asked for in several ways") {
    const Binary turboci;
    const std::string text = turboci.ok({"plan", "create", "--help"});
    CHECK(turboci.ok({"help", "plan", "create"}) == text);
    CHECK(turboci.ok({"-h", "plan", "create"}) == text);
    CHECK(turboci.ok({"plan", "-h", "create"}) == text);
    CHECK(turboci.ok({"help", "plan"}) == turboci.ok({"plan", "-h"}));
    CHECK(turboci.ok({"help"}) == turboci.ok({"--help"}));
    CHECK(turboci.run({"help", "nonsense"}).code == 2);
}

TEST_CASE("Without a command the help goes to stderr and the status is 2") {
    const Binary turboci;
    const Ran ran = turboci.run({});
    CHECK(ran.code == 2);
    CHECK(ran.out.empty());
    CHECK(contains(ran.err, "Commands:"));
    const Ran noun = turboci.run({"nodes"});
    CHECK(noun.code == 2);
    CHECK(contains(noun.err, "turboci: error: 'nodes' needs a command: write, query, explain; "));
}

TEST_CASE("An unknown command suggests the nearest one") {
    const Binary turboci;
    CHECK(turboci.run({"gaet"}).err == "turboci: error: unknown command 'gaet'; did you mean gate?\n");
    CHECK(turboci.run({"nodes", "wriet"}).err ==
          "turboci: error: unknown command 'nodes wriet'; did you mean write?\n");
    CHECK(turboci.run({"frobnicate"}).err ==
          "turboci: error: unknown command 'frobnicate'; see `turboci --help`\n");
}

TEST_CASE("The version is one line, wherever it is asked for") {
    const Binary turboci;
    const std::string line = turboci.ok({"--version"});
    CHECK(line.rfind("turboci ", 0) == 0);
    CHECK(line.back() == '\n');
    CHECK(turboci.ok({"-q", "--version"}) == line);
    CHECK(turboci.ok({"plan", "list", "--version"}) == line);
}
