// SPDX-License-Identifier: Apache-2.0
// Help texts: one sentence, examples first, then what there is.
#include <algorithm>

#include "cli/app.hpp"

namespace turboci::cli {

namespace {

constexpr std::size_t kWidth = 96;
constexpr std::size_t kLeft = 26;

/// `text` broken at blanks into lines of at most kWidth columns, all but the first indented.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent) {
    std::size_t column = indent;
    bool first = true;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (!first && column + 1 + word.size() > kWidth) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (!first) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        first = false;
    }
    out += '\n';
}

void append_row(std::string& out, const std::string& left, std::string_view right) {
    out += "  " + left;
    if (right.empty()) {
        out += '\n';
        return;
    }
    if (left.size() + 2 > kLeft) {
        out += '\n' + std::string(kLeft + 2, ' ');
    } else {
        out += std::string(kLeft - left.size(), ' ');
    }
    append_wrapped(out, right, kLeft + 2);
}

void append_examples(std::string& out, std::string_view examples) {
    out += "\nExamples:\n";
    while (!examples.empty()) {
        const std::size_t end = examples.find('\n');
        out += "  " + std::string(examples.substr(0, end)) + '\n';
        examples = end == std::string_view::npos ? std::string_view{} : examples.substr(end + 1);
    }
}

std::string formats_text(const Formats& formats) {
    std::string text;
    for (const Format f : {Format::table, Format::json, Format::jsonl, Format::yaml, Format::name}) {
        if (!formats.has(f)) continue;
        if (!text.empty()) text += ", ";
        text += to_string(f);
    }
    return text;
}

void append_globals(std::string& out) {
    GlobalOptions unused;
    Parser parser("");
    declare_globals(parser, unused);
    for (const auto& line : parser.help_lines()) append_row(out, line.left, line.right);
    append_row(out, "-h, --help", "print help, of the command if one is named");
}

constexpr std::string_view kOverallExamples =
    "turboci plan create -f plan.yaml             # a plan, from a file\n"
    "turboci run -j4                              # do the work\n"
    "turboci gate                                 # exit 0 only if every check passed\n"
    "turboci graph show | dot -Tsvg > plan.svg    # look at it";

constexpr std::string_view kExitStatus =
    "\nExit status:\n"
    "  0 success                    5 a state rule forbids it\n"
    "  1 the answer is no           6 conflict\n"
    "  2 usage                      7 the store is locked\n"
    "  3 bad definitions            8 pending: timed out, or nothing to claim\n"
    "  4 no such store, plan, node  9 store damaged or not writable\n"
    "  10 done, but the output could not be written\n";

}  // namespace

std::string overall_help() {
    std::string out =
        "turboci keeps work plans for CI: what must be found out, by which work, and in what order.\n";
    append_examples(out, kOverallExamples);
    out += "\nUsage: turboci [OPTION]... COMMAND [ARGUMENT]...\n\nCommands:\n";
    for (const Command* command : all_commands()) {
        if (!command->hidden) append_row(out, std::string(command->name), command->summary);
    }
    out += "\nGlobal options, before or after the command:\n";
    append_globals(out);
    out += kExitStatus;
    return out;
}

std::string noun_help(std::string_view noun) {
    std::string out = "Usage: turboci " + std::string(noun) + " COMMAND [ARGUMENT]...\n\nCommands:\n";
    for (const Command* command : all_commands()) {
        if (command->name.substr(0, command->name.find(' ')) != noun) continue;
        append_row(out, std::string(command->name), command->summary);
    }
    out += "\n`turboci " + std::string(noun) + " COMMAND --help` tells more.\n";
    return out;
}

std::string command_help(const Command& command) {
    std::string out(command.summary);
    out += ".\n";
    append_examples(out, command.examples);
    out += "\nUsage: turboci " + std::string(command.name) + (command.usage.empty() ? "" : " ") +
           std::string(command.usage) + '\n';
    Parser parser{std::string(command.name)};
    const Action unused = command.define(parser);
    const auto lines = parser.help_lines();
    if (!lines.empty()) out += "\nArguments and options:\n";
    for (const auto& line : lines) append_row(out, line.left, line.right);
    if (!command.notes.empty()) {
        out += '\n';
        append_wrapped(out, command.notes, 0);
    }
    out += "\nOutput formats (-o): " + formats_text(command.formats) +
           "\nGlobal options: -s -p -o -q -v --lock-timeout --color; see `turboci --help`\n";
    return out;
}

}  // namespace turboci::cli
