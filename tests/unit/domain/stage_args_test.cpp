// SPDX-License-Identifier: Apache-2.0
#include "domain/stage_args.hpp"

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

TEST_CASE("A string is for the shell, which ends at the first line that fails; a list is executed as it is") {
    CHECK(command(R"({"command":"make all"})").argv == Strings{"/bin/sh", "-e", "-c", "make all"});
    CHECK(command(R"({"command":["make","all the things"]})").argv == Strings{"make", "all the things"});
}

TEST_CASE("A shell of the stage's own takes the place of sh -e -c, wherever it stands") {
    const Strings expected{"bash", "-euo", "pipefail", "-c", "a | b"};
    CHECK(command(R"({"command":"a | b","shell":["bash","-euo","pipefail","-c"]})").argv == expected);
    CHECK(command(R"({"shell":["bash","-euo","pipefail","-c"],"command":"a | b"})").argv == expected);
    CHECK(command(R"({"shell":null,"command":"x"})").argv == Strings{"/bin/sh", "-e", "-c", "x"});
    CHECK(command(R"({"shell":["bash"],"command":["x","y"]})").argv == Strings{"x", "y"});
}

TEST_CASE("The environment and the working directory are optional") {
    const StageCommand c = command(R"({"command":"x","env":{"A":"1","B":null},"cwd":"sub"})");
    CHECK(c.env.size() == 2);
    CHECK(c.env.at(0).second == "1");
    CHECK_FALSE(c.env.at(1).second);
    CHECK(c.cwd == "sub");
    CHECK(command(R"({"command":"x","env":null,"cwd":null})").cwd.empty());
}

TEST_CASE("Of a name that stands there twice the last one counts, as anywhere in JSON") {
    CHECK(command(R"({"command":"x","command":["y"]})").argv == Strings{"y"});
    CHECK(command(R"({"command":"x","env":{"A":"1"},"env":{}})").env.empty());
    CHECK(problem(R"({"command":"x","command":null})") == "args.command is missing");
}

TEST_CASE("What lies deeper, and what belongs to other workers, is not looked at") {
    const StageCommand c =
        command(R"({"more":{"command":7,"env":[1]},"list":[{"cwd":5},[]],"command":"x","n":1.5,"b":true})");
    CHECK(c.argv.back() == "x");
    CHECK(c.env.empty());
}

TEST_CASE("Args that cannot be executed say what is wrong") {
    const std::string form = "args.command must be a string or a list of strings";
    const std::string shell = "args.shell must be a list of strings such as [bash, -euo, pipefail, -c]";
    for (const auto& [args, expected] : std::vector<std::pair<std::string, std::string>>{
             {R"("command":7)", form + "; put it in quotes"},
             {R"("command":true)", form + "; put it in quotes"},
             {R"("command":{})", form},
             {R"("command":["a",7])", form + "; put it in quotes"},
             {R"("command":[7])", form + "; put it in quotes"},
             {R"("command":["a",null])", form},
             {R"("command":["a",[]])", form},
             {R"("command":"")", "args.command is empty"},
             {R"("command":[])", "args.command is empty"},
             {R"("command":["","a"])", "args.command names no program"},
             {R"("command":"a\u0000b")", "args.command holds a NUL character"},
             {R"("command":["a","a\u0000b"])", "args.command holds a NUL character"},
             {R"("shell":"bash")", shell},
             {R"("shell":5)", shell + "; put it in quotes"},
             {R"("shell":{})", shell},
             {R"("shell":[])", "args.shell is empty"},
             {R"("shell":[""])", "args.shell names no program"},
             {R"("shell":["bash",5])", shell + "; put it in quotes"},
             {R"("env":[])", "args.env must be a mapping of strings"},
             {R"("env":"A=b")", "args.env must be a mapping of strings"},
             {R"("env":{"A":1})", "args.env.A must be a string, or null to unset it; put it in quotes"},
             {R"("env":{"A":[]})", "args.env.A must be a string, or null to unset it"},
             {R"("env":{"A=B":"1"})", "args.env: 'A=B' cannot be the name of a variable"},
             {R"("env":{"":"1"})", "args.env: '' cannot be the name of a variable"},
             {R"("env":{"A":"a\u0000"})", "args.env.A holds a NUL character"},
             {R"("cwd":"")", "args.cwd must be a path"},
             {R"("cwd":5)", "args.cwd must be a path; put it in quotes"},
             {R"("cwd":["a"])", "args.cwd must be a path"},
             {R"("cwd":"a\u0000")", "args.cwd must be a path"},
         }) {
        INFO(args);
        CHECK(stage_args_problem({"{" + args + "}"}) == expected);
        // Whether a command stands before it, or after it, or not at all.
        if (args.find("command") != std::string::npos) continue;
        CHECK(problem(R"({"command":"x",)" + args + "}") == expected);
        CHECK(problem("{" + args + R"(,"command":"x"})") == expected);
    }
    CHECK(problem("{}") == "args.command is missing");
    CHECK(problem("[]") == "args.command is missing");
    CHECK_FALSE(stage_args_problem({R"({"note":"command, env, cwd and shell","n":5})"}));
    CHECK(stage_args_problem({R"({"\u0063wd":5})"}));
}

TEST_CASE("What the system cannot take as a word is refused, and what it can is not") {
    const auto args = [](const char* before, std::size_t size, const char* after) {
        return JsonText{before + std::string(size, 'x') + after};
    };
    CHECK_FALSE(stage_args_problem(args(R"({"command":")", 131071, "\"}")));
    CHECK(stage_args_problem(args(R"({"command":")", 131072, "\"}")) ==
          "args.command is 131072 bytes long; the system takes 131071 at most");
    CHECK(stage_args_problem(args(R"({"command":["x",")", 131072, "\"]}")));
    CHECK_FALSE(stage_args_problem(args(R"({"env":{"A":")", 131069, "\"}}")));
    CHECK(stage_args_problem(args(R"({"env":{"A":")", 131070, "\"}}")) ==
          "args.env.A is 131072 bytes long; the system takes 131071 at most");
    CHECK_FALSE(stage_args_problem(args(R"({"cwd":")", 4095, "\"}")));
    CHECK(stage_args_problem(args(R"({"cwd":")", 4096, "\"}")));
}

TEST_CASE("Whether there is a command is seen without judging it") {
    CHECK(has_command({R"({"command":7})"}));
    CHECK(has_command({R"({"\u0063ommand":"x"})"}));
    CHECK_FALSE(has_command({R"({"command":null})"}));
    CHECK_FALSE(has_command({R"({"note":"no command here"})"}));
    CHECK_FALSE(has_command({"{}"}));
}

TEST_CASE("Near misses of the names are known, and names that workers may well use are none") {
    for (const char* name : {"comand", "commnad", "commands", "Command", "cmd", "CMD", "command_"})
        CHECK(meant_stage_arg(name) == "command");
    for (const char* name : {"environ", "environment", "envs", "ENV", "evn"})
        CHECK(meant_stage_arg(name) == "env");
    for (const char* name : {"workdir", "working_directory", "Cwd"}) CHECK(meant_stage_arg(name) == "cwd");
    for (const char* name : {"shel", "shells", "sehll"}) CHECK(meant_stage_arg(name) == "shell");
    for (const char* name :
         {"command", "env", "cwd", "shell", "end", "comment", "common", "target", "image", "", "x"})
        CHECK(meant_stage_arg(name).empty());
}
