// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/select.hpp"
#include "cli/write_output.hpp"
#include "format/json_value.hpp"
#include "format/junit.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

struct ReportOptions {
    std::string check;
    bool pass = false;
    std::optional<std::string> fail;
    std::optional<std::string> skip;
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
    if (options.pass + options.fail.has_value() + options.skip.has_value() > 1) {
        throw Error(ErrorCode::usage, "--pass, --fail and --skip exclude each other", "give one of them");
    }
    if (options.skip && (options.data || !options.junit.empty())) {
        throw Error(ErrorCode::usage, "--skip says that there is no answer: --data and --junit have no place",
                    "leave them out");
    }
    if (!options.pass && !options.fail && !options.skip && options.junit.empty()) {
        throw Error(ErrorCode::usage, "the answer is missing",
                    "add --pass, --fail MESSAGE, --skip MESSAGE or --junit FILE");
    }
    WriteNodes request = context.begin_write(options.write);
    CheckWrite check;
    check.id = id_argument(NodeType::check, options.check);
    require_node(context, {NodeType::check, check.id});
    if (options.skip) {
        check.skip = true;
        request.reason = *options.skip;
    } else {
        check.results.push_back(make_result(options));
        if (options.final) check.state = State::final;
    }
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
    parser.option("--skip", "MESSAGE", options->skip, "the answer is not needed, and why; ends the check");
    parser.option("--data", "JSON", options->data,
                  "an object merged into the result's data, or @FILE, or @-");
    parser.option("--junit", "FILE", options->junit,
                  "a JUnit report: data and, without --pass or --fail, the answer");
    parser.flag("--final", options->final, "end the check with this answer");
    options->write.declare(parser);
    return [options](Context& context) { return report(context, *options); };
}

// ------------------------------------------------------------------------------------ check get

class OneCheck final : public NodeSink {
public:
    void plan(const WorkPlan&) override {}
    void check(const Check& check) override { found = check; }
    void stage(const Stage&) override {}
    Check found;
};

/// Does a later attempt of the same stage have a result? Then only that one counts.
bool is_outdone(const Result& result, const std::vector<Result>& all) {
    if (result.owner_type != OwnerType::stage_attempt) return false;
    const auto split = [](const std::string& owner) {
        const std::size_t colon = owner.rfind(':');
        std::int64_t idx = 0;
        std::from_chars(owner.data() + std::min(colon + 1, owner.size()), owner.data() + owner.size(), idx);
        return std::pair(owner.substr(0, colon), idx);
    };
    const auto [stage, idx] = split(result.owner_id);
    return std::ranges::any_of(all, [&, &stage = stage, &idx = idx](const Result& other) {
        if (other.owner_type != OwnerType::stage_attempt) return false;
        const auto [other_stage, other_idx] = split(other.owner_id);
        return other_stage == stage && other_idx > idx;
    });
}

/// The value at `pointer` in the data of the first counted result that has it.
std::optional<OrderedJson> counted_value(const Check& check, const std::string& pointer) {
    const OrderedJson::json_pointer path = [&] {
        try {
            return OrderedJson::json_pointer(pointer);
        } catch (const OrderedJson::exception&) {
            usage("'" + printable(pointer) + "' is not a JSON pointer (RFC 6901)",
                  "write /name, /list/0, or leave it out for all");
        }
    }();
    for (const Result& result : check.results) {
        if (result.owner_type == OwnerType::orchestrator || is_outdone(result, check.results)) continue;
        const OrderedJson data = OrderedJson::parse(result.data.text, nullptr, false);
        try {
            if (data.contains(path)) return data.at(path);
        } catch (const OrderedJson::exception&) {
            continue;  // a list has no such index
        }
    }
    return std::nullopt;
}

int get(Context& context, const std::string& check, const std::string& pointer) {
    QueryNodes request;
    request.plan = context.plan();
    request.refs = {{NodeType::check, id_argument(NodeType::check, check)}};
    OneCheck sink;
    context.service(Context::Open::read).query(request, sink);
    const auto value = counted_value(sink.found, pointer);
    if (!value)
        throw Error(ErrorCode::not_found,
                    pointer.empty() ? "check:" + sink.found.id + " has no result"
                                    : "no result of check:" + sink.found.id + " has " + pointer,
                    "see `turboci nodes query check:" + sink.found.id + " -o json`");
    if (context.format() == Format::table && value->is_string()) {
        const auto& text = value->get_ref<const std::string&>();
        context.out().write((context.out().is_terminal() ? printable(text) : text) + '\n');
    } else {
        context.print_json(value->dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
    }
    return 0;
}

Action define_get(Parser& parser) {
    auto check = std::make_shared<std::string>();
    auto pointer = std::make_shared<std::optional<std::string>>();
    parser.argument("CHECK", *check, "the check whose data is read");
    parser.argument("POINTER", *pointer, "JSON pointer (RFC 6901) to the value; default: all data");
    return [check, pointer](Context& context) { return get(context, *check, pointer->value_or("")); };
}

constexpr Command kCheckCommands[] = {
    {"check report", "Answer a check", "CHECK --pass | --fail MESSAGE | --skip MESSAGE | --junit FILE...",
     "turboci check report unit-tests --pass --data '{\"tests\": 812}'\n"
     "turboci check report unit-tests --fail '3 of 812 tests failed' --final\n"
     "turboci check report unit-tests --junit build/junit.xml\n"
     "turboci check report release-notes --pass --final --actor \"$REVIEWER\"",
     kAllFormats, define_report,
     "A check keeps one result for each owner: reporting again changes it. The owner is the attempt that the "
     "command "
     "runs in (TURBOCI_STAGE and TURBOCI_ATTEMPT, as set by `turboci run`), otherwise the actor."},
    {"check get", "Print one value of what a check was answered with", "CHECK [POINTER]",
     "turboci check get build /version\n"
     "image=$(turboci check get build /images/0/digest)\n"
     "turboci check get unit-tests",
     kDocuments, define_get,
     "The value is that of the first result that counts and has it: of each stage the last attempt's. A "
     "string "
     "is printed without quotes, anything else, and with -o json everything, as JSON. Exit status 4 if no "
     "result has it."},
};

}  // namespace

std::span<const Command> check_commands() { return kCheckCommands; }

}  // namespace turboci::cli
