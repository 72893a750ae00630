// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <map>

#include "cli/binary.hpp"
#include "support/catch.hpp"

using turboci::cli::ColorMode;
using turboci::cli::wants_color;
using turboci::test::Binary;
using turboci::test::contains;

namespace {

using Variables = std::map<std::string, std::string>;

bool wanted(const Variables& variables, bool terminal = true, ColorMode mode = ColorMode::automatic) {
    Variables all{{"TERM", "xterm"}};
    for (const auto& [name, value] : variables) all[name] = value;
    return wants_color(mode, terminal, [&](const char* name) -> const char* {
        const auto found = all.find(name);
        return found == all.end() ? nullptr : found->second.c_str();
    });
}

}  // namespace

TEST_CASE("Colours are for terminals that know them") {
    CHECK(wanted({}));
    CHECK_FALSE(wanted({}, false));
    CHECK_FALSE(wanted({{"TERM", "dumb"}}));
    CHECK_FALSE(wanted({{"TERM", ""}}));
}

TEST_CASE("Variables ask for colours or forbid them; NO_COLOR wins over the others") {
    for (const bool terminal : {false, true}) {
        CAPTURE(terminal);
        CHECK(wanted({{"FORCE_COLOR", "1"}}, terminal));
        CHECK(wanted({{"FORCE_COLOR", "3"}, {"TERM", "dumb"}}, terminal));
        CHECK(wanted({{"FORCE_COLOR", "true"}, {"CLICOLOR", "0"}}, terminal));
        CHECK(wanted({{"CLICOLOR_FORCE", "1"}, {"CLICOLOR", "0"}}, terminal));
        CHECK_FALSE(wanted({{"FORCE_COLOR", "0"}}, terminal));
        CHECK_FALSE(wanted({{"FORCE_COLOR", "false"}}, terminal));
        CHECK_FALSE(wanted({{"CLICOLOR", "0"}}, terminal));
        CHECK_FALSE(wanted({{"NO_COLOR", "1"}}, terminal));
        CHECK_FALSE(wanted({{"NO_COLOR", "0"}}, terminal));  // any value that is not empty
        CHECK_FALSE(wanted({{"NO_COLOR", "1"}, {"FORCE_COLOR", "1"}}, terminal));
        CHECK_FALSE(wanted({{"NO_COLOR", "1"}, {"CLICOLOR_FORCE", "1"}}, terminal));
        CHECK(wanted({{"NO_COLOR", ""}, {"FORCE_COLOR", ""}, {"CLICOLOR_FORCE", "0"}, {"CLICOLOR", "1"}},
                     terminal) == terminal);
    }
}

TEST_CASE("--color wins over every variable") {
    for (const char* name : {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"}) {
        for (const char* value : {"0", "1"}) {
            CAPTURE(name, value);
            CHECK(wanted({{name, value}}, false, ColorMode::always));
            CHECK_FALSE(wanted({{name, value}}, true, ColorMode::never));
        }
    }
}

TEST_CASE("Standard output and standard error ask the same question") {
    Binary turboci;
    turboci.ok({"plan", "create", "p"});
    turboci.ok({"nodes", "write"}, "stages: [{id: s, args: {command: [\"false\"]}}]");
    turboci.environment["FORCE_COLOR"] = "1";
    CHECK(contains(turboci.ok({"nodes", "query"}), "\x1b["));
    CHECK_FALSE(contains(turboci.ok({"nodes", "query", "--color", "never"}), "\x1b["));
    CHECK(contains(turboci.run({"run"}).err, "\x1b["));
    turboci.environment["NO_COLOR"] = "1";
    CHECK_FALSE(contains(turboci.ok({"nodes", "query"}), "\x1b["));
}

TEST_CASE("What the program writes for people is ASCII where the locale is") {
    Binary turboci;
    const std::string long_id(200, 'x');
    turboci.ok({"plan", "create", "p", "--label", "k=" + long_id});
    turboci.ok({"nodes", "write"},
               "checks: [{id: " + long_id + "}, {id: b, dependencies: [" + long_id + "]}]");
    const std::vector<std::vector<std::string>> commands{{"nodes", "query"},
                                                         {"plan", "show"},
                                                         {"plan", "list"},
                                                         {"log"},
                                                         {"nodes", "explain", "b"},
                                                         {"graph", "show", "--format", "tree"},
                                                         {"nodes", "query", "stage:" + long_id + "y"}};
    const auto is_ascii = [](const std::string& text) {
        for (const char c : text)
            if (static_cast<unsigned char>(c) >= 0x80) return false;
        return true;
    };
    for (const auto& command : commands) {
        CAPTURE(command);
        turboci.environment["LC_ALL"] = "C";
        CHECK(is_ascii(turboci.on_terminal(command).out));
    }
    turboci.environment["LC_ALL"] = "C.UTF-8";
    CHECK_FALSE(is_ascii(turboci.on_terminal({"nodes", "query"}).out));
    turboci.environment["LC_ALL"] = "en_US.utf8";
    CHECK_FALSE(is_ascii(turboci.on_terminal({"nodes", "query"}).out));
}
