// SPDX-License-Identifier: Apache-2.0
// What stages printed.
#include <algorithm>
#include <set>
#include <thread>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/polling.hpp"
#include "format/node_collector.hpp"
#include "format/terminal.hpp"
#include "runner/log_file.hpp"

namespace turboci::cli {

namespace {

constexpr std::size_t kReadAtOnce = std::size_t{64} << 10;
// Of a line without an end so much is kept before it is printed as one.
constexpr std::size_t kLongestLine = std::size_t{1} << 20;

struct LogsOptions {
    std::vector<std::string> refs;
    bool failed = false;
    std::optional<std::int64_t> attempt;
    std::optional<std::int64_t> tail;
    bool follow = false;
    bool raw = false;
};

/// Prints a log as it comes in: whole lines, made printable, or the bytes as they are.
class LogPrinter {
public:
    LogPrinter(Output& out, bool raw) : out_(out), raw_(raw) {}
    void add(std::string_view bytes) {
        if (raw_) return out_.write(bytes);
        rest_ += bytes;
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
            line(std::string_view(rest_).substr(begin, end - begin));
        rest_.erase(0, begin);
        if (rest_.size() > kLongestLine) finish();
    }
    void finish() {
        if (!rest_.empty()) line(rest_);
        rest_.clear();
    }

private:
    void line(std::string_view text) {
        if (text.ends_with('\r')) text.remove_suffix(1);
        // A tab is a tab.
        std::string shown;
        for (bool first = true; !text.empty() || first; first = false) {
            const std::size_t tab = text.find('\t');
            shown += first ? printable(text.substr(0, tab)) : visible(text.substr(0, tab));
            text.remove_prefix(std::min(tab, text.size()));
            if (text.empty()) break;
            shown += '\t';
            text.remove_prefix(1);
        }
        out_.write(shown + '\n');
    }

    Output& out_;
    bool raw_;
    std::string rest_;
};

class Logs {
public:
    Logs(Context& context, const LogsOptions& options) : context_(context), options_(options) {}

    int run() {
        static_cast<void>(context_.fixed_plan(Context::Open::read));
        const std::vector<Stage> stages = wanted();
        if (options_.follow && stages.size() != 1)
            throw Error(ErrorCode::usage, "-f follows one stage, not " + std::to_string(stages.size()),
                        "name the one");
        bool all = true;
        bool first = true;
        for (const Stage& stage : stages) all = print(stage, stages.size() > 1, first) && all;
        // Where nothing was asked for by name, what has no log is no fault.
        return all || options_.refs.empty() ? 0 : error_info(ErrorCode::not_found).exit_code;
    }

private:
    Service& service() { return context_.service(Context::Open::read); }

    bool has_plan(const CarriedFrom& from) {
        const auto plans = service().list_plans();
        return std::ranges::find(plans, from.identity, &WorkPlan::identity) != plans.end();
    }

    QueryNodes named(std::vector<RefText> refs) const {
        QueryNodes request;
        request.plan = context_.plan();
        request.refs = std::move(refs);
        return request;
    }

    /// The stages that were named, those assigned to the checks that were named, or all.
    std::vector<Stage> wanted() {
        NodeCollector plan;
        service().query(named({}), plan);
        std::set<std::string> stages, checks;
        if (!options_.refs.empty()) {
            NodeCollector found;
            service().query(named(ref_arguments(options_.refs)), found);
            for (const Stage& s : found.stages()) stages.insert(s.id);
            for (const Check& c : found.checks()) checks.insert(c.id);
        }
        std::set<std::string> failed;
        if (options_.failed) failed = failed_stages(plan);
        std::vector<Stage> list;
        for (const Stage& s : plan.stages()) {
            const bool answers = std::ranges::any_of(
                s.assignments, [&](const Assignment& a) { return checks.contains(a.target_check_id); });
            if (!options_.refs.empty() && !stages.contains(s.id) && !answers) continue;
            if (options_.failed && !failed.contains(s.id)) continue;
            list.push_back(s);
        }
        return list;
    }

    /// Those that failed, and those that answered a check with a failure.
    static std::set<std::string> failed_stages(const NodeCollector& plan) {
        std::set<std::string> failed;
        for (const Stage& s : plan.stages())
            if (s.outcome == Outcome::failed) failed.insert(s.id);
        for (const Check& c : plan.checks())
            for (const Result& r : c.results) {
                if (!r.failure || r.owner_type != OwnerType::stage_attempt) continue;
                // PLAN:STAGE:IDX; a stage's id may hold colons, a plan's cannot.
                const std::size_t begin = r.owner_id.find(':') + 1, end = r.owner_id.rfind(':');
                if (begin != 0 && begin <= end) failed.insert(r.owner_id.substr(begin, end - begin));
            }
        return failed;
    }

    /// The attempt that is asked for: by number, else the last one that has a log.
    const Attempt* attempt_of(const Stage& stage) const {
        if (options_.attempt) {
            const auto found = std::ranges::find(stage.attempts, *options_.attempt, &Attempt::idx);
            return found == stage.attempts.end() ? nullptr : &*found;
        }
        const auto last = std::find_if(stage.attempts.rbegin(), stage.attempts.rend(),
                                       [](const Attempt& a) { return a.log_path.has_value(); });
        return last == stage.attempts.rend() ? nullptr : &*last;
    }

    void tell_missing(const Stage& stage, const std::string& why) const {
        if (!options_.refs.empty() || options_.attempt) context_.note("stage:" + stage.id + " " + why);
    }

    /// False if there was nothing to print.
    bool print(Stage stage, bool with_heading, bool& first) {
        const Attempt* attempt = attempt_of(stage);
        while (options_.follow && (attempt == nullptr || !attempt->log_path) && stage.state != State::final) {
            if (!wait(stage)) return true;
            attempt = attempt_of(stage);
        }
        if (attempt == nullptr || !attempt->log_path) {
            tell_missing(stage, options_.attempt
                                    ? "has no attempt " + std::to_string(*options_.attempt) + " with a log"
                                    : "has no log: `turboci run` has not executed it");
            return false;
        }
        const auto file = LogFile::open(context_.store_path(), *attempt->log_path);
        const std::string name = "stage:" + stage.id + " attempt " + std::to_string(attempt->idx);
        if (!file) {
            const auto& from = stage.carried_from;
            const bool plan_is_gone = from && !has_plan(*from);
            context_.warn(
                "the log of " + name + " is gone" +
                (plan_is_gone ? " with plan " + from->plan + ", where it ran" : ": " + *attempt->log_path));
            return false;
        }
        if (with_heading) {
            context_.out().write((first ? "" : "\n") + std::string("==> ") + visible(name) + " <==\n");
            first = false;
        }
        LogPrinter printer(context_.out(), options_.raw);
        std::int64_t offset = options_.tail ? file->start_of_last(*options_.tail) : 0;
        const std::int32_t idx = attempt->idx;
        bool over = !options_.follow || has_ended(stage, idx);
        while (true) {
            offset = print_from(*file, offset, printer);
            if (over) break;
            context_.out().flush();
            if (!wait(stage)) return true;
            over = has_ended(stage, idx);
        }
        printer.finish();
        return true;
    }

    static std::int64_t print_from(const LogFile& file, std::int64_t offset, LogPrinter& printer) {
        while (true) {
            const std::string bytes = file.read(offset, kReadAtOnce);
            if (bytes.empty()) return offset;
            printer.add(bytes);
            offset += static_cast<std::int64_t>(bytes.size());
        }
    }

    static bool has_ended(const Stage& stage, std::int32_t idx) {
        const auto found = std::ranges::find(stage.attempts, idx, &Attempt::idx);
        return found == stage.attempts.end() || is_ended(found->state);
    }

    /// Reads the stage anew after a pause. False if nobody reads what is printed.
    bool wait(Stage& stage) {
        if (!context_.out().reader_stays(kLongestPause)) return false;
        static_cast<void>(context_.fixed_plan(Context::Open::read));
        NodeCollector found;
        service().query(named({{NodeType::stage, stage.id}}), found);
        stage = found.stages().at(0);
        return true;
    }

    Context& context_;
    const LogsOptions& options_;
};

Action define_logs(Parser& parser) {
    auto options = std::make_shared<LogsOptions>();
    parser.arguments("REF", options->refs, 0,
                     "stages, or checks for the stages assigned to them; default: all");
    parser.flag("--failed", options->failed, "stages that failed, or answered a check with a failure");
    parser.option("--attempt", "N", options->attempt, 1, INT32_MAX,
                  "of this attempt (default: the last one)");
    parser.option("--tail", "N", options->tail, 0, INT64_MAX, "only the last N lines");
    parser.flag("-f,--follow", options->follow, "go on until the attempt of the one stage has ended");
    parser.flag("--raw", options->raw, "the bytes as they are; else control characters are shown escaped");
    return [options](Context& context) { return Logs(context, *options).run(); };
}

constexpr Command kLogsCommands[] = {
    {"logs", "Show what stages printed", "[REF]... [--failed] [--attempt N] [--tail N] [-f]",
     "turboci logs stage:build\n"
     "turboci logs --failed --tail 50\n"
     "turboci logs check:unit-tests --attempt 1\n"
     "turboci logs -f deploy",
     Formats{Format::table}, define_logs,
     "Of several stages each log has a heading, `==> stage:ID attempt N <==`. Exit status 4 if a log that "
     "was "
     "asked for by name is not there."},
};

}  // namespace

std::span<const Command> logs_commands() { return kLogsCommands; }

}  // namespace turboci::cli
