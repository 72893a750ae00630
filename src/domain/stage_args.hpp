// SPDX-License-Identifier: Apache-2.0
// Which of a stage's args say what `run` executes, and what is wrong with them: read here and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "turboci/json_text.hpp"

namespace turboci {

/// args.command with args.shell, args.env and args.cwd.
struct StageCommand {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::optional<std::string>>> env;  ///< no value: not to be set
    std::string cwd;
};

/// Follows args while they are read, value by value, beginning inside of their map. Each call answers what is
/// wrong with what it is told (one clause; empty: nothing), for whoever knows where that stands.
class StageArgs {
public:
    /// What is read goes into `into`; nullptr: it is only judged.
    explicit StageArgs(StageCommand* into = nullptr) : into_(into) {}

    std::string key(std::string_view name);
    std::string begin(bool map);
    /// Of a map or list within the args. What is wrong with it is wrong with the whole of it.
    std::string end();
    std::string string(std::string_view text);
    std::string null();
    /// A number, true or false.
    std::string other();
    /// At the end of the args: puts the command line together. False if there is none.
    bool finish();

private:
    enum class Member : std::uint8_t { other, command, shell, env, cwd };

    void forget();
    [[nodiscard]] std::string wrong_form() const;
    [[nodiscard]] std::string word(std::string_view text);
    [[nodiscard]] std::string variable_name(std::string_view name);
    [[nodiscard]] std::string variable(std::string_view text);
    [[nodiscard]] std::string directory(std::string_view text);

    StageCommand* into_;
    Member member_ = Member::other;  ///< of the args, in which we are
    std::size_t depth_ = 0;          ///< below the args
    std::size_t items_ = 0;          ///< of the list that we are in
    std::string name_;               ///< of the variable whose value comes next
    bool has_command_ = false;
    bool for_shell_ = false;  ///< the command is a string
    std::vector<std::string> shell_;
};

/// Is there an args.command, well formed or not? Stages without one are for other workers.
[[nodiscard]] bool has_command(const JsonText& args);
/// The command, or what is wrong with the args (one clause).
[[nodiscard]] std::variant<StageCommand, std::string> parse_stage_command(const JsonText& args);
/// What is wrong with those of the args that are there (one clause); nullopt if nothing is.
[[nodiscard]] std::optional<std::string> stage_args_problem(const JsonText& args);
/// The arg that `name` was probably meant to be ("command" for "comand"); empty if it is one, or near to
/// none.
[[nodiscard]] std::string_view meant_stage_arg(std::string_view name) noexcept;

}  // namespace turboci
