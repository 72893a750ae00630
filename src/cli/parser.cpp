// SPDX-License-Identifier: Apache-2.0
#include "cli/parser.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>

#include "format/suggest.hpp"
#include "format/terminal.hpp"
#include "turboci/error.hpp"

namespace turboci::cli {

void usage(const std::string& what, const std::string& remedy) {
    throw Error(ErrorCode::usage, what, remedy);
}

namespace {

/// ASCII letters in one case.
std::string folded(std::string text, bool upper = false) {
    for (char& c : text) {
        const auto letter = static_cast<unsigned char>(c);
        c = static_cast<char>(upper ? std::toupper(letter) : std::tolower(letter));
    }
    return text;
}

std::string see_help(const std::string& command) {
    return "see `turboci " + command + (command.empty() ? "" : " ") + "--help`";
}

}  // namespace

// CLI11 keeps the declarations and hands the values out. What it is given is canonical: one name and one
// value a pair, because left alone it takes the next argument for the value of "--reason=", and splits
// positional "[a,b]".
struct Parser::Impl {
    /// An option with few possible values.
    struct Choice {
        std::string option;
        std::vector<std::string> values;
    };
    struct Positional {
        std::string name;
        std::string help;
        std::size_t minimum = 0;
        bool many = false;
        std::function<void(std::string)> set;
    };

    explicit Impl(std::string command_name) : command(std::move(command_name)) {
        app.set_help_flag();
        app.set_config();
    }

    CLI::Option* add(const std::string& names, const std::string& metavar, const std::string& help,
                     Setter set) {
        CLI::Option* option = app.add_option(
            names,
            [set = std::move(set)](const CLI::results_t& values) {
                for (const auto& value : values) set(value);
                return true;
            },
            help);
        option->type_name(metavar)->type_size(1)->expected(1)->multi_option_policy(
            CLI::MultiOptionPolicy::TakeAll);
        option->group(in_globals ? "global" : "own");
        return option;
    }

    CLI::Option* find(const std::string& name) {
        CLI::Option* option = app.get_option_no_throw(name);
        if (option == nullptr) {
            std::vector<std::string> known{"--help"};
            for (const CLI::Option* o : app.get_options()) {
                for (const auto& l : o->get_lnames()) known.push_back("--" + l);
            }
            std::string remedy = did_you_mean(name, known);
            if (remedy.empty()) remedy = see_help(command);
            usage("unknown option " + printable(name), remedy);
        }
        return option;
    }

    [[nodiscard]] bool is_flag(const CLI::Option& option) const {
        return std::find(flags.begin(), flags.end(), &option) != flags.end();
    }

    void take_long(const std::string& token, std::vector<std::string>& in, std::size_t& at);
    void take_short(const std::string& token, std::vector<std::string>& in, std::size_t& at);
    void pair(const std::string& name, const std::string& value) {
        canonical.push_back(name);
        canonical.push_back(value);
    }
    void place(const std::string& value);
    void take_choice(const std::string& option, const std::string& value, bool any_case,
                     const Setter& set) const;
    void require_positionals() const;

    std::string command;
    CLI::App app;
    bool in_globals = false;
    std::vector<const CLI::Option*> flags;     // options without a value
    std::vector<std::string> optional_values;  // names of options that take a value with '=' alone
    std::vector<Choice> choices;
    std::vector<Positional> positionals;
    std::vector<std::string> canonical;
    std::vector<std::string> words;
};

Parser::Parser(std::string command) : impl_(std::make_unique<Impl>(std::move(command))) {}
Parser::~Parser() = default;

void Parser::flag(const std::string& names, bool& target, const std::string& help) {
    impl_->flags.push_back(impl_->app.add_flag(names, target, help)
                               ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
                               ->group(impl_->in_globals ? "global" : "own"));
}

void Parser::option(const std::string& names, const std::string& metavar, Setter set,
                    const std::string& help) {
    impl_->add(names, metavar, help, std::move(set));
}

void Parser::option(const std::string& names, const std::string& metavar, std::string& target,
                    const std::string& help) {
    impl_->add(names, metavar, help, [&target](const std::string& value) { target = value; });
}

void Parser::option(const std::string& names, const std::string& metavar, std::optional<std::string>& target,
                    const std::string& help) {
    impl_->add(names, metavar, help, [&target](const std::string& value) { target = value; });
}

void Parser::option(const std::string& names, const std::string& metavar, std::vector<std::string>& target,
                    const std::string& help) {
    impl_->add(names, metavar, help, [&target](const std::string& value) { target.push_back(value); });
}

void Parser::option(const std::string& names, const std::string& metavar, std::optional<std::int64_t>& target,
                    std::int64_t low, std::int64_t high, const std::string& help) {
    const std::string name = names.substr(names.rfind(',') + 1);
    impl_->add(names, metavar, help, [&target, name, low, high](const std::string& value) {
        target = parse_number(name, value, low, high);
    });
}

void Parser::option(const std::string& names, const std::string& metavar, std::optional<Duration>& target,
                    const std::string& help) {
    const std::string name = names.substr(names.rfind(',') + 1);
    impl_->add(names, metavar, help, [&target, name](const std::string& value) {
        target = parse_duration(value);
        if (!target)
            usage(name + ": '" + printable(value) + "' is not a duration", "write 500ms, 30s, 10m or 2h");
    });
}

void Parser::choice(const std::string& names, const std::string& metavar, std::vector<std::string> values,
                    Setter set, const std::string& help, bool any_case) {
    const std::string name = names.substr(names.rfind(',') + 1);
    impl_->choices.push_back({name, std::move(values)});
    impl_->add(names, metavar, help, [this, name, any_case, set = std::move(set)](const std::string& value) {
        impl_->take_choice(name, value, any_case, set);
    });
}

void Parser::known_elsewhere(const std::string& where, std::vector<std::string> values) {
    impl_->choices.push_back({where, std::move(values)});
}

void Parser::optional_value(const std::string& name, const std::string& metavar, Setter set,
                            const std::string& help) {
    impl_->add(name, metavar, help, std::move(set));
    impl_->optional_values.push_back(name);
}

void Parser::argument(const std::string& name, std::string& target, const std::string& help) {
    impl_->positionals.push_back({name, help, 1, false, [&target](std::string v) { target = std::move(v); }});
}

void Parser::argument(const std::string& name, std::optional<std::string>& target, const std::string& help) {
    impl_->positionals.push_back({name, help, 0, false, [&target](std::string v) { target = std::move(v); }});
}

void Parser::arguments(const std::string& name, std::vector<std::string>& target, std::size_t minimum,
                       const std::string& help) {
    impl_->positionals.push_back(
        {name, help, minimum, true, [&target](std::string v) { target.push_back(std::move(v)); }});
}

void Parser::begin_globals() { impl_->in_globals = true; }

void Parser::Impl::take_long(const std::string& token, std::vector<std::string>& in, std::size_t& at) {
    const std::size_t equals = token.find('=');
    const std::string name = token.substr(0, equals);
    const CLI::Option* option = find(name);
    const bool has_value = equals != std::string::npos;
    if (is_flag(*option)) {
        if (has_value) usage(name + " takes no value");
        canonical.push_back(name);
    } else if (has_value) {
        pair(name, token.substr(equals + 1));
    } else if (std::find(optional_values.begin(), optional_values.end(), name) != optional_values.end()) {
        pair(name, "");
    } else if (at + 1 < in.size()) {
        pair(name, in[++at]);
    } else {
        usage(name + " needs a value", "write " + name + " " + option->get_type_name());
    }
}

void Parser::Impl::take_short(const std::string& token, std::vector<std::string>& in, std::size_t& at) {
    for (std::size_t i = 1; i < token.size(); ++i) {
        const std::string name{'-', token[i]};
        const CLI::Option* option = find(name);
        if (is_flag(*option)) {
            canonical.push_back(name);
        } else if (i + 1 < token.size()) {
            pair(name, token.substr(i + 1));
            return;
        } else if (at + 1 < in.size()) {
            pair(name, in[++at]);
        } else {
            usage(name + " needs a value", "write " + name + " " + option->get_type_name());
        }
    }
}

void Parser::Impl::take_choice(const std::string& option, const std::string& value, bool any_case,
                               const Setter& set) const {
    const auto finder = [&value](bool fold) {
        return [&value, fold](const std::string& known) {
            return fold ? folded(known) == folded(value) : known == value;
        };
    };
    std::string foreign, list;
    std::vector<std::string> own;
    for (const Choice& choice : choices) {
        const bool is_own = choice.option == option;
        const auto found = std::ranges::find_if(choice.values, finder(any_case || !is_own));
        if (is_own) own = choice.values;
        if (found == choice.values.end()) continue;
        if (is_own) return set(*found);
        if (foreign.empty()) foreign = choice.option + " " + *found;
    }
    for (std::size_t i = 0; i < own.size(); ++i)
        list += (i == 0 ? "" : i + 1 == own.size() ? " or " : ", ") + own[i];
    const bool upper = any_case && std::isupper(static_cast<unsigned char>(own.at(0).at(0))) != 0;
    std::string remedy = foreign.empty() ? did_you_mean(any_case ? folded(value, upper) : value, own)
                                         : "did you mean " + foreign + "?";
    if (remedy.empty()) remedy = "use " + list;
    usage(option + ": unknown value '" + printable(value) + "'", remedy);
}

void Parser::Impl::place(const std::string& value) {
    std::size_t skipped = words.size();
    words.push_back(value);
    for (const auto& p : positionals) {
        if (p.many || skipped == 0) return;
        --skipped;
    }
    usage("unexpected argument '" + printable(value) + "'", see_help(command));
}

void Parser::Impl::require_positionals() const {
    std::size_t left = words.size();
    for (const auto& p : positionals) {
        if (left < p.minimum) usage(p.name + " is missing", see_help(command));
        left -= p.many ? left : std::min<std::size_t>(left, 1);
    }
}

bool Parser::parse(const std::vector<std::string>& arguments) {
    Impl& impl = *impl_;
    std::vector<std::string> in = arguments;
    bool words_only = false;
    for (std::size_t at = 0; at < in.size(); ++at) {
        const std::string token = in[at];
        if (words_only || token.size() < 2 || token[0] != '-') {
            impl.place(token);
        } else if (token == "--") {
            words_only = true;
        } else if (token == "-h" || token == "--help") {
            return false;
        } else if (token[1] == '-') {
            impl.take_long(token, in, at);
        } else {
            impl.take_short(token, in, at);
        }
    }
    impl.require_positionals();
    try {
        std::vector<std::string> reversed(impl.canonical.rbegin(), impl.canonical.rend());
        impl.app.parse(reversed);
    } catch (const CLI::Error& e) {
        usage(printable(e.what()), see_help(impl.command));
    }
    std::size_t at = 0;
    for (const auto& p : impl.positionals) {
        do {
            if (at < impl.words.size()) p.set(impl.words[at++]);
        } while (p.many && at < impl.words.size());
    }
    return true;
}

std::vector<Parser::HelpLine> Parser::help_lines() const {
    std::vector<HelpLine> lines;
    for (const auto& p : impl_->positionals) lines.push_back({p.name, p.help, false});
    for (const CLI::Option* option : impl_->app.get_options()) {
        std::string left;
        for (const auto& s : option->get_snames()) left += "-" + s + ", ";
        const std::string long_name = option->get_lnames().empty() ? "" : "--" + option->get_lnames().front();
        left += long_name;
        if (!impl_->is_flag(*option)) {
            const auto& optional = impl_->optional_values;
            const bool may_lack = std::find(optional.begin(), optional.end(), long_name) != optional.end();
            left += may_lack ? "[=" + option->get_type_name() + "]" : " " + option->get_type_name();
        }
        lines.push_back({left, option->get_description(), option->get_group() == "global"});
    }
    return lines;
}

std::int64_t parse_number(std::string_view what, std::string_view text, std::int64_t low, std::int64_t high) {
    std::int64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
        const std::string range = high == INT64_MAX
                                      ? "of " + std::to_string(low) + " or more"
                                      : "from " + std::to_string(low) + " to " + std::to_string(high);
        usage(std::string(what) + ": '" + printable(text) + "' is not a whole number " + range);
    }
    return value;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    const std::string best(nearest(word, candidates));
    return best.empty() ? best : "did you mean " + best + "?";
}

}  // namespace turboci::cli
