// SPDX-License-Identifier: Apache-2.0
// The arguments of one command: declared, then parsed into plain variables. Nothing runs here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/node.hpp"
#include "turboci/time.hpp"

namespace turboci::cli {

/// Throws Error USAGE.
[[noreturn]] void usage(const std::string& what, const std::string& remedy = {});

/// Declares options and positional arguments of a command and fills them in. Every problem is an Error
/// USAGE. A bound variable must outlive parse(). Of an option given twice the last one counts, unless it is
/// bound to a list. A value may begin with '-'; values are never split at commas or brackets.
class Parser {
public:
    /// What to do with a value; throws Error USAGE for a bad one.
    using Setter = std::function<void(const std::string& value)>;

    explicit Parser(std::string command);
    ~Parser();
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    /// `names` is "-x,--long" or "--long". Help texts have no trailing stop.
    void flag(const std::string& names, bool& target, const std::string& help);
    void option(const std::string& names, const std::string& metavar, Setter set, const std::string& help);
    void option(const std::string& names, const std::string& metavar, std::string& target,
                const std::string& help);
    void option(const std::string& names, const std::string& metavar, std::optional<std::string>& target,
                const std::string& help);
    void option(const std::string& names, const std::string& metavar, std::vector<std::string>& target,
                const std::string& help);
    /// A whole number from `low` to `high`.
    void option(const std::string& names, const std::string& metavar, std::optional<std::int64_t>& target,
                std::int64_t low, std::int64_t high, const std::string& help);
    void option(const std::string& names, const std::string& metavar, std::optional<Duration>& target,
                const std::string& help);
    /// One of `values`, written in any case if `any_case`; `set` gets it as it is listed. A wrong value that
    /// another option of the command takes is answered with that option.
    void choice(const std::string& names, const std::string& metavar, std::vector<std::string> values,
                Setter set, const std::string& help, bool any_case = false);
    /// Values that `where`, such as an option of another command, takes: a wrong choice is answered with it.
    void known_elsewhere(const std::string& where, std::vector<std::string> values);
    /// `--name` or `--name=VALUE`, never `--name VALUE`. `set` gets "" without a value.
    void optional_value(const std::string& name, const std::string& metavar, Setter set,
                        const std::string& help);

    /// Positional arguments are filled in the order of declaration.
    void argument(const std::string& name, std::string& target, const std::string& help);  // needed
    void argument(const std::string& name, std::optional<std::string>& target, const std::string& help);
    /// All that are left; at least `minimum`.
    void arguments(const std::string& name, std::vector<std::string>& target, std::size_t minimum,
                   const std::string& help);

    /// Starts another section of the help: global options.
    void begin_globals();
    /// Also sees to -h and --help; returns false if help was asked for (nothing is set then).
    [[nodiscard]] bool parse(const std::vector<std::string>& arguments);

    /// A line of the help: "-r, --reason TEXT" and what it does.
    struct HelpLine {
        std::string left, right;
        bool global = false;
    };
    /// In the order of declaration, positional arguments first.
    [[nodiscard]] std::vector<HelpLine> help_lines() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// `text` as a whole number from `low` to `high`; `what` begins the message of the Error USAGE.
[[nodiscard]] std::int64_t parse_number(std::string_view what, std::string_view text, std::int64_t low,
                                        std::int64_t high);
/// "did you mean X?", empty if nothing is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace turboci::cli
