// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"

#include <algorithm>
#include <new>

#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

/// Does this global option take the argument after it? Only such options may stand before a command.
bool takes_next(const std::string& token) {
    if (token.rfind("--", 0) == 0) {
        for (const char* name : {"--store", "--plan", "--output", "--lock-timeout", "--color"}) {
            if (token == name) return true;
        }
        return false;
    }
    const std::size_t with_value = token.find_first_of("spo", 1);
    return with_value != std::string::npos && with_value + 1 == token.size();
}

/// Index of the first word at or after `from` that is neither an option nor an option's value.
std::size_t find_word(const std::vector<std::string>& arguments, std::size_t from) {
    for (std::size_t i = from; i < arguments.size(); ++i) {
        const std::string& token = arguments[i];
        if (token == "--") break;
        if (token.size() < 2 || token[0] != '-') return i;
        if (takes_next(token)) ++i;
    }
    return arguments.size();
}

bool has_option(const std::vector<std::string>& arguments, std::string_view name) {
    for (const auto& token : arguments) {
        if (token == "--") return false;
        if (token == name) return true;
    }
    return false;
}

/// Are errors wanted as JSON? Also answers for command lines that cannot be parsed.
bool wants_json_errors(const std::vector<std::string>& arguments) {
    bool json = false;
    const auto look = [&](std::string_view value) { json = value == "json" || value == "jsonl"; };
    for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
        const std::string_view token = arguments[i];
        if (token == "--output" && i + 1 < arguments.size()) {
            look(arguments[++i]);
        } else if (token.substr(0, 9) == "--output=") {
            look(token.substr(9));
        } else if (token.size() > 1 && token[0] == '-' && token[1] != '-') {
            // Flags may stand before it in one word: -qo json, -qojson.
            const std::size_t o = token.find_first_of("spo", 1);
            if (o == std::string_view::npos || token[o] != 'o') continue;
            if (o + 1 < token.size()) {
                look(token.substr(o + 1));
            } else if (i + 1 < arguments.size()) {
                look(arguments[++i]);
            }
        }
    }
    return json;
}

const Command* find_command(std::string_view name) {
    for (const Command* command : all_commands()) {
        if (command->name == name) return command;
    }
    return nullptr;
}

bool is_noun(std::string_view word) {
    for (const Command* command : all_commands()) {
        if (command->name.size() > word.size() && command->name.substr(0, word.size()) == word &&
            command->name[word.size()] == ' ') {
            return true;
        }
    }
    return false;
}

/// First words if `noun` is empty, else the verbs of `noun`.
std::vector<std::string> known_words(std::string_view noun) {
    std::vector<std::string> words;
    for (const Command* command : all_commands()) {
        if (command->hidden) continue;
        const std::size_t blank = command->name.find(' ');
        const std::string_view first = command->name.substr(0, blank);
        if (noun.empty()) {
            words.emplace_back(first);
        } else if (first == noun) {
            words.emplace_back(command->name.substr(blank + 1));
        }
    }
    if (noun.empty()) words.emplace_back("help");
    words.erase(std::unique(words.begin(), words.end()), words.end());
    return words;
}

[[noreturn]] void unknown_command(const std::string& name, const std::string& word, std::string_view noun) {
    std::string remedy = did_you_mean(word, known_words(noun));
    if (remedy.empty())
        remedy = noun.empty() ? "see `turboci --help`" : "see `turboci " + std::string(noun) + " --help`";
    usage("unknown command '" + printable(name) + "'", remedy);
}

int print_help(const std::string& text) {
    Output out(1);
    out.write(text);
    out.flush();
    return 0;
}

int print_version() { return print_help("turboci " TURBOCI_VERSION "\n"); }

/// `turboci help plan create`
int help_on(const std::vector<std::string>& topic) {
    if (topic.empty()) return print_help(overall_help());
    std::string name = topic[0];
    if (topic.size() == 1 && is_noun(name) && find_command(name) == nullptr)
        return print_help(noun_help(name));
    const std::string noun = is_noun(name) ? name : "";
    for (std::size_t i = 1; i < topic.size(); ++i) name += " " + topic[i];
    const Command* command = find_command(name);
    if (command == nullptr) unknown_command(name, noun.empty() ? topic[0] : topic[1], noun);
    return print_help(command_help(*command));
}

/// A command line with its command found and taken out.
struct Invocation {
    const Command* command = nullptr;
    std::vector<std::string> arguments;
};

/// Empty command: `status` was decided already (help, version).
Invocation find_invocation(std::vector<std::string> arguments, int& status) {
    const std::size_t first = find_word(arguments, 0);
    if (first == arguments.size()) {
        if (has_option(arguments, "--version")) {
            status = print_version();
        } else if (has_option(arguments, "--help") || has_option(arguments, "-h")) {
            status = print_help(overall_help());
        } else if (arguments.empty()) {
            print_to_stderr(overall_help() + "\nturboci: error: no command given; name one of those above");
            status = error_info(ErrorCode::usage).exit_code;
        } else {
            GlobalOptions unused;
            Parser parser("");
            declare_globals(parser, unused);
            static_cast<void>(parser.parse(arguments));  // says what is wrong with the options, if anything
            usage("no command given", "see `turboci --help`");
        }
        return {};
    }
    std::string name = arguments[first];
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(first));
    if (name == "help") {
        std::vector<std::string> topic;
        for (const auto& a : arguments) {
            if (a[0] != '-') topic.push_back(a);
        }
        status = help_on(topic);
        return {};
    }
    if (!is_noun(name)) {
        const Command* command = find_command(name);
        if (command == nullptr) unknown_command(name, name, "");
        return {command, std::move(arguments)};
    }
    const std::size_t second = find_word(arguments, first);
    // A noun may be a command itself; then only what is one of its verbs is one.
    if (const Command* const command = find_command(name)) {
        const bool is_verb =
            second < arguments.size() && find_command(name + " " + arguments[second]) != nullptr;
        if (!is_verb) return {command, std::move(arguments)};
    }
    if (second == arguments.size()) {
        if (has_option(arguments, "--help") || has_option(arguments, "-h")) {
            status = print_help(noun_help(name));
            return {};
        }
        usage(
            "'" + name + "' needs a command: " +
                [&] {
                    std::string list;
                    for (const auto& verb : known_words(name)) list += (list.empty() ? "" : ", ") + verb;
                    return list;
                }(),
            "see `turboci " + name + " --help`");
    }
    const std::string verb = arguments[second];
    const Command* command = find_command(name + " " + verb);
    if (command == nullptr) unknown_command(name + " " + verb, verb, name);
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(second));
    return {command, std::move(arguments)};
}

int run_parsed(const Command& command, const std::vector<std::string>& arguments) {
    GlobalOptions options;
    Parser parser{std::string(command.name)};
    const Action action = command.define(parser);
    parser.begin_globals();
    bool version = false;
    parser.flag("--version", version, "");
    declare_globals(parser, options);
    if (!parser.parse(arguments)) return print_help(command_help(command));
    if (version) return print_version();
    if (!command.formats.has(options.format)) {
        usage("`" + std::string(command.name) + "` has no output format " +
                  std::string(to_string(options.format)),
              "see `turboci " + std::string(command.name) + " --help`");
    }
    Context context(std::move(options), command.name);
    try {
        const int status = action(context);
        context.out().flush();
        return status;
    } catch (const Error& error) {
        // `turboci nodes query | head`: nobody is left to be told.
        if (error.code() == ErrorCode::output && context.out().reader_left_quietly()) {
            return error_info(ErrorCode::output).exit_code;
        }
        throw;
    }
}

int run_command(const Command& command, const std::vector<std::string>& arguments) {
    try {
        return run_parsed(command, arguments);
    } catch (const Error& error) {
        // A mistake that has no cure of its own is answered by the help of the command.
        if (error.code() != ErrorCode::usage || !error.remedy().empty() || !error.details().empty()) throw;
        usage(error.what(), "see `turboci " + std::string(command.name) + " --help`");
    }
}

int dispatch(const std::vector<std::string>& arguments) {
    int status = 0;
    const Invocation invocation = find_invocation(arguments, status);
    if (invocation.command == nullptr) return status;
    return run_command(*invocation.command, invocation.arguments);
}

}  // namespace

std::vector<const Command*> all_commands() {
    std::vector<const Command*> all;
    for (const auto list :
         {plan_commands(),      rerun_commands(),    plan_manage_commands(), diff_commands(),
          worker_commands(),    transfer_commands(), node_commands(),        graph_commands(),
          attempt_commands(),   stage_commands(),    check_commands(),       run_commands(),
          wait_commands(),      watch_commands(),    gate_commands(),        log_commands(),
          logs_commands(),      validate_commands(), schema_commands(),      store_commands(),
          completion_commands()}) {
        for (const auto& command : list) all.push_back(&command);
    }
    return all;
}

void declare_globals(Parser& parser, GlobalOptions& options) {
    parser.option("-s,--store", "PATH", options.store,
                  "the store file (default: $TURBOCI_STORE, else turboci.db)");
    parser.option("-p,--plan", "PLAN", options.plan,
                  "an id or its beginning, @latest, or K=V of a label (default: $TURBOCI_PLAN)");
    parser.choice(
        "-o,--output", "FORMAT", {"table", "json", "jsonl", "yaml", "name"},
        [&options](const std::string& value) { options.format = parse_format(value).value(); },
        "table (default), json, jsonl, yaml or name");
    parser.known_elsewhere("turboci graph show --format", {"dot", "mermaid", "tree"});
    parser.known_elsewhere("turboci plan show --format", {"markdown", "junit", "html", "trace"});
    parser.option(
        "--lock-timeout", "D",
        [&options](const std::string& value) {
            const auto duration = parse_duration(value);
            if (!duration) {
                usage("--lock-timeout: '" + printable(value) + "' is not a duration",
                      "write 500ms, 30s, 10m or 2h");
            }
            options.lock_timeout = *duration;
        },
        "how long to wait for another writer (default: 10s)");
    parser.flag("-q,--quiet", options.quiet, "no confirmations, no notes on stderr");
    parser.flag("-v,--verbose", options.verbose, "more detail");
    parser.choice(
        "--color", "WHEN", {"auto", "always", "never"},
        [&options](const std::string& value) {
            options.color = value == "always"  ? ColorMode::always
                            : value == "never" ? ColorMode::never
                                               : ColorMode::automatic;
        },
        "auto (default), always or never; $NO_COLOR and $FORCE_COLOR are heeded");
}

int run_command_line(const std::vector<std::string>& arguments, const std::function<void()>& begin) noexcept {
    try {
        if (begin) begin();
        if (arguments.size() == 1 && arguments[0] == "--version") return print_version();
        return dispatch(arguments);
    } catch (const Error& error) {
        print_error(error, wants_json_errors(arguments));
        return error_info(error.code()).exit_code;
    } catch (const std::bad_alloc&) {
        // If there is none for this either, the handler of main() has the last word.
        print_error(Error(ErrorCode::store, "out of memory", "try again when there is more"),
                    wants_json_errors(arguments));
        return error_info(ErrorCode::store).exit_code;
    } catch (const std::exception& error) {
        print_error(Error(ErrorCode::internal, error.what(), "this is a bug; please report it"),
                    wants_json_errors(arguments));
    }
    return error_info(ErrorCode::internal).exit_code;
}

}  // namespace turboci::cli
