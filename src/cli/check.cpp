// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/select.hpp"
#include "cli/write_output.hpp"
#include "format/junit.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

struct ReportOptions {
    std::string check;
    bool pass = false;
    std::optional<std::string> fail;
    std::optional<std::string> data;
    std::vector<std::string> junit;
    bool final = false;
    WriteFlags write;
};

/// All the reports as one; nothing if none was named.
std::optional<JunitReport> read_reports(const std::vector<std::string>& files) {
    if (files.empty()) return std::nullopt;
    JunitReport sum;
    for (const auto& file : files) add_report(sum, read_junit(read_file(file, kMaxJunitBytes).view(), file));
    return sum;
}

/// What the flags and reports say. Flags win: whoever gives one has looked.
ResultWrite make_result(const ReportOptions& options) {
    ResultWrite result;
    JsonText data;
    const auto tests = read_reports(options.junit);
    if (tests) {
        data.text = "{\"junit\":";
        append_json(data.text, *tests);
        data.text += '}';
    }
    if (options.data) data = compose_patches(data, json_argument("--data", *options.data));
    result.data = data;
    if (options.fail) {
        result.failure = options.fail;
    } else if (!options.pass && tests && tests->tests == 0 && tests->passed()) {
        result.failure = "the JUnit reports hold no test";  // a run that tested nothing has shown nothing
    } else if (!options.pass && tests && !tests->passed()) {
        result.failure = failure_of(*tests);
    } else {
        result.clear_failure = true;
    }
    return result;
}

int report(Context& context, const ReportOptions& options) {
    if (options.pass && options.fail) {
        throw Error(ErrorCode::usage, "--pass and --fail exclude each other", "give one of them");
    }
    if (!options.pass && !options.fail && options.junit.empty()) {
        throw Error(ErrorCode::usage, "the answer is missing", "add --pass, --fail MESSAGE or --junit FILE");
    }
    WriteNodes request = context.begin_write(options.write);
    CheckWrite check;
    check.id = id_argument(NodeType::check, options.check);
    require_node(context, {NodeType::check, check.id});
    check.results.push_back(make_result(options));
    if (options.final) check.state = State::final;
    request.checks.push_back(check);
    const WriteResult done = context.service(Context::Open::write).write_nodes(request);
    context.out().mark_committed();
    print_write_result(context, done);
    return 0;
}

Action define_report(Parser& parser) {
    auto options = std::make_shared<ReportOptions>();
    parser.argument("CHECK", options->check, "the check that is answered");
    parser.flag("--pass", options->pass, "the answer is yes");
    parser.option("--fail", "MESSAGE", options->fail, "the answer is no, and why");
    parser.option("--data", "JSON", options->data,
                  "an object merged into the result's data, or @FILE, or @-");
    parser.option("--junit", "FILE", options->junit,
                  "a JUnit report: data and, without --pass or --fail, the answer");
    parser.flag("--final", options->final, "end the check with this answer");
    options->write.declare(parser);
    return [options](Context& context) { return report(context, *options); };
}

constexpr Command kCheckCommands[] = {
    {"check report", "Answer a check",
     "CHECK --pass | --fail MESSAGE | --junit FILE... [--data JSON] [--final]",
     "turboci check report unit-tests --pass --data '{\"tests\": 812}'\n"
     "turboci check report unit-tests --fail '3 of 812 tests failed' --final\n"
     "turboci check report unit-tests --junit build/junit.xml\n"
     "turboci check report release-notes --pass --final --actor \"$REVIEWER\"",
     kAllFormats, define_report,
     "A check keeps one result for each owner: reporting again changes it. The owner is the attempt that the "
     "command "
     "runs in (TURBOCI_STAGE and TURBOCI_ATTEMPT, as set by `turboci run`), otherwise the actor."},
};

}  // namespace

std::span<const Command> check_commands() { return kCheckCommands; }

}  // namespace turboci::cli
