// SPDX-License-Identifier: Apache-2.0
#include "domain/stage_args.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "turboci/stage.hpp"

namespace turboci {

namespace {

constexpr std::string_view kCommandForm = "args.command must be a string or a list of strings";
constexpr std::string_view kShellForm =
    "args.shell must be a list of strings such as [bash, -euo, pipefail, -c]";
constexpr std::string_view kQuotes = "; put it in quotes";
constexpr std::size_t kMaxPathBytes = 4096 - 1;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string too_long(std::string_view what, std::size_t size, std::size_t most) {
    return fmt::format("{} is {} bytes long; the system takes {} at most", what, size, most);
}

/// The args as JSON text, told to a StageArgs.
class ArgsParser {
public:
    explicit ArgsParser(StageArgs& args) : args_(args) {}

    bool null() { return take(args_.null()); }
    bool boolean(bool) { return take(args_.other()); }
    bool number_integer(std::int64_t) { return take(args_.other()); }
    bool number_unsigned(std::uint64_t) { return take(args_.other()); }
    bool number_float(double, const std::string&) { return take(args_.other()); }
    bool binary(std::vector<std::uint8_t>&) { return false; }  // not in text
    bool string(const std::string& text) { return take(args_.string(text)); }
    bool key(const std::string& name) { return take(args_.key(name)); }
    bool start_object(std::size_t) { return begin(true); }
    bool start_array(std::size_t) { return begin(false); }
    bool end_object() { return end(); }
    bool end_array() { return end(); }
    bool parse_error(std::size_t, const std::string&, const std::exception&) { return false; }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    bool begin(bool map) { return depth_++ == 0 ? map : take(args_.begin(map)); }
    bool end() { return --depth_ == 0 || take(args_.end()); }
    bool take(std::string problem) {
        problem_ = std::move(problem);
        return problem_.empty();
    }

    StageArgs& args_;
    std::size_t depth_ = 0;
    std::string problem_;
};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Is `text` in lower case `name` but for one letter that is left out, put in, or another, or for two that
/// have changed places?
bool is_slip(std::string_view text, std::string_view name) noexcept {
    const auto same = [](char a, char b) { return lower(a) == b; };
    while (!text.empty() && !name.empty() && same(text.front(), name.front())) {
        text.remove_prefix(1);
        name.remove_prefix(1);
    }
    while (!text.empty() && !name.empty() && same(text.back(), name.back())) {
        text.remove_suffix(1);
        name.remove_suffix(1);
    }
    if (text.size() <= 1 && name.size() <= 1) return true;
    return text.size() == 2 && name.size() == 2 && same(text[0], name[1]) && same(text[1], name[0]);
}

}  // namespace

std::string StageArgs::wrong_form() const {
    switch (member_) {
        case Member::command:
            return std::string(kCommandForm);
        case Member::shell:
            return std::string(kShellForm);
        case Member::cwd:
            return "args.cwd must be a path";
        case Member::env:
            return depth_ == 0 ? "args.env must be a mapping of strings"
                               : fmt::format("args.env.{} must be a string, or null to unset it", name_);
        case Member::other:
            break;
    }
    return {};
}

std::string StageArgs::key(std::string_view name) {
    if (depth_ == 0) {
        items_ = 0;
        member_ = name == "command" ? Member::command
                  : name == "shell" ? Member::shell
                  : name == "env"   ? Member::env
                  : name == "cwd"   ? Member::cwd
                                    : Member::other;
        forget();
    } else if (depth_ == 1 && member_ == Member::env) {
        return variable_name(name);
    }
    return {};
}

/// What an earlier value of the same name said: as anywhere in JSON, the last one counts.
void StageArgs::forget() {
    if (member_ == Member::command) has_command_ = for_shell_ = false;
    if (member_ == Member::shell) shell_.clear();
    if (into_ == nullptr) return;
    if (member_ == Member::command) into_->argv.clear();
    if (member_ == Member::env) into_->env.clear();
    if (member_ == Member::cwd) into_->cwd.clear();
}

std::string StageArgs::begin(bool map) {
    if (depth_ > 1 || member_ == Member::other) {
        ++depth_;
        return {};
    }
    const bool fits = depth_ == 0 && member_ != Member::cwd && (member_ == Member::env) == map;
    std::string problem = fits ? std::string() : wrong_form();
    if (!fits) member_ = Member::other;  // nothing in it is looked at
    ++depth_;
    items_ = 0;
    return problem;
}

std::string StageArgs::end() {
    if (--depth_ > 0 || items_ > 0) return {};
    if (member_ == Member::command) return "args.command is empty";
    if (member_ == Member::shell) return "args.shell is empty";
    return {};
}

std::string StageArgs::string(std::string_view text) {
    if (depth_ > 1) return {};
    switch (member_) {
        case Member::command:
            if (depth_ == 0) {
                for_shell_ = true;
                if (text.empty()) return "args.command is empty";
            }
            return word(text);
        case Member::shell:
            return depth_ == 0 ? wrong_form() : word(text);
        case Member::env:
            return depth_ == 0 ? wrong_form() : variable(text);
        case Member::cwd:
            return directory(text);
        case Member::other:
            break;
    }
    return {};
}

/// Of a command line.
std::string StageArgs::word(std::string_view text) {
    const std::string_view of = member_ == Member::command ? "args.command" : "args.shell";
    if (++items_ == 1 && text.empty()) return fmt::format("{} names no program", of);
    if (has_nul(text)) return fmt::format("{} holds a NUL character", of);
    if (text.size() > kMaxWordBytes) return too_long(of, text.size(), kMaxWordBytes);
    if (member_ == Member::command) has_command_ = true;
    if (into_ != nullptr) (member_ == Member::command ? into_->argv : shell_).emplace_back(text);
    return {};
}

std::string StageArgs::variable_name(std::string_view name) {
    name_ = name;
    if (name.empty() || name.find('=') != std::string_view::npos || has_nul(name))
        return fmt::format("args.env: '{}' cannot be the name of a variable",
                           name.substr(0, name.find('\0')));
    if (into_ != nullptr) into_->env.emplace_back(name, std::nullopt);
    return {};
}

std::string StageArgs::variable(std::string_view text) {
    const std::size_t size = name_.size() + 1 + text.size();
    if (has_nul(text)) return fmt::format("args.env.{} holds a NUL character", name_);
    if (size > kMaxWordBytes) return too_long("args.env." + name_, size, kMaxWordBytes);
    if (into_ != nullptr && !into_->env.empty()) into_->env.back().second.emplace(text);
    return {};
}

std::string StageArgs::directory(std::string_view text) {
    if (text.empty() || has_nul(text)) return wrong_form();
    if (text.size() > kMaxPathBytes) return too_long("args.cwd", text.size(), kMaxPathBytes);
    if (into_ != nullptr) into_->cwd = text;
    return {};
}

std::string StageArgs::null() {
    if (depth_ == 0) return {};  // as if it were not there
    ++items_;
    return depth_ == 1 && (member_ == Member::command || member_ == Member::shell) ? wrong_form()
                                                                                   : std::string();
}

std::string StageArgs::other() {
    if (depth_ > 1) return {};
    ++items_;
    std::string problem = wrong_form();
    if (!problem.empty()) problem += kQuotes;
    return problem;
}

bool StageArgs::finish() {
    if (into_ == nullptr || !has_command_ || !for_shell_) return has_command_;
    if (shell_.empty()) shell_ = {"/bin/sh", "-e", "-c"};
    shell_.push_back(std::move(into_->argv.front()));
    into_->argv = std::move(shell_);
    return true;
}

bool has_command(const JsonText& args) {
    // Nearly all args without a command are told apart without parsing.
    if (args.text.find("command") == std::string::npos && args.text.find('\\') == std::string::npos)
        return false;
    const auto value = nlohmann::json::parse(args.text, nullptr, false);
    return value.is_object() && value.contains("command") && !value["command"].is_null();
}

std::variant<StageCommand, std::string> parse_stage_command(const JsonText& args) {
    StageCommand command;
    StageArgs reader(&command);
    ArgsParser parser(reader);
    const bool whole = nlohmann::json::sax_parse(args.text, &parser);
    if (!parser.problem().empty()) return parser.problem();
    if (!whole || !reader.finish()) return "args.command is missing";
    return command;
}

std::optional<std::string> stage_args_problem(const JsonText& args) {
    // As above: what has none of the names, not even in escapes, need not be parsed.
    constexpr std::array<std::string_view, 5> kSigns{"command", "env", "cwd", "shell", "\\"};
    if (std::ranges::none_of(
            kSigns, [&](std::string_view sign) { return args.text.find(sign) != std::string::npos; }))
        return std::nullopt;
    StageArgs reader;
    ArgsParser parser(reader);
    static_cast<void>(nlohmann::json::sax_parse(args.text, &parser));
    return parser.problem().empty() ? std::nullopt : std::optional(parser.problem());
}

std::string_view meant_stage_arg(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 4> kNames{"command", "env", "cwd", "shell"};
    if (std::ranges::find(kNames, name) != kNames.end()) return {};
    using Pair = std::pair<std::string_view, std::string_view>;
    // The last letter of three may well be another in the name of something else ("end").
    constexpr std::array kMeant{Pair{"cmd", "command"},     Pair{"environ", "env"},
                                Pair{"environment", "env"}, Pair{"envs", "env"},
                                Pair{"evn", "env"},         Pair{"env_vars", "env"},
                                Pair{"workdir", "cwd"},     Pair{"work_dir", "cwd"},
                                Pair{"working_dir", "cwd"}, Pair{"working_directory", "cwd"},
                                Pair{"cdw", "cwd"},         Pair{"working-directory", "cwd"}};
    const auto meant = [&](const Pair& p) {
        return std::ranges::equal(name, p.first, [](char a, char b) { return lower(a) == b; });
    };
    if (const auto found = std::ranges::find_if(kMeant, meant); found != kMeant.end()) return found->second;
    for (const std::string_view known : kNames) {
        const bool same_letters =
            std::ranges::equal(name, known, [](char a, char b) { return lower(a) == b; });
        if (same_letters || (known.size() > 3 && is_slip(name, known))) return known;
    }
    return {};
}

}  // namespace turboci
