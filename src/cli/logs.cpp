// SPDX-License-Identifier: Apache-2.0
// What stages printed.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/polling.hpp"
#include "format/node_collector.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

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
        if (options_.follow) return status(follow());
        const std::vector<Stage> stages = wanted();
        bool all = true;
        for (const Stage& stage : stages) all = print(stage, stages.size() > 1) && all;
        return status(all);
    }

private:
    /// What is followed of one stage: the attempts one after another, each to its end.
    struct Followed {
        LogPrinter printer;
        std::string name{};          ///< of the attempt, as in a heading
        std::int32_t idx = 0;        ///< of the attempt; 0: none yet
        std::int64_t offset = 0;     ///< of its output, what is printed next
        bool is_another = false;     ///< an earlier attempt was followed before
        bool stage_is_over = false;  ///< what is there now is all that there will be
        bool is_done = false;        ///< of this attempt nothing more is printed, or it is gone
    };

    [[nodiscard]] int status(bool all) const {
        // Where nothing was asked for by name, what has no log is no fault.
        return all || options_.refs.empty() ? 0 : error_info(ErrorCode::not_found).exit_code;
    }

    Service& service() { return context_.service(Context::Open::read); }

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
        const Attempt* found = nullptr;
        for (const Attempt& attempt : stage.attempts)
            if (options_.attempt ? attempt.idx == *options_.attempt : has_log(attempt)) found = &attempt;
        return found;
    }

    /// Of one that runs it may be there already.
    bool has_log(const Attempt& attempt) const {
        return attempt.log || (options_.follow && attempt.state == AttemptState::running);
    }

    void tell_missing(const Stage& stage) const {
        if (options_.refs.empty() && !options_.attempt) return;
        context_.note("stage:" + stage.id +
                      (options_.attempt
                           ? " has no attempt " + std::to_string(*options_.attempt) + " with a log"
                           : " has no log: `turboci run` has not executed it"));
    }

    /// False if there was nothing to print.
    bool print(const Stage& stage, bool with_heading) {
        const Attempt* const attempt = attempt_of(stage);
        if (attempt == nullptr || !attempt->log) {
            tell_missing(stage);
            return false;
        }
        LogPrinter printer(context_.out(), options_.raw);
        bool begun = false;
        const auto show = [&](const OutputPart& part) {
            if (with_heading && !std::exchange(begun, true)) head(name_of(stage, *attempt));
            printer.add(part.bytes);
        };
        if (!read(stage.id, attempt->idx, 0, true, show)) return false;
        if (with_heading && !begun) head(name_of(stage, *attempt));
        printer.finish();
        return true;
    }

    /// False if it is gone, and the user has been told.
    bool read(const std::string& stage, std::int32_t idx, std::int64_t offset, bool end_alone,
              const std::function<void(const OutputPart&)>& show) {
        ReadOutput request;
        request.plan = context_.plan();
        request.stage = stage;
        request.idx = idx;
        request.offset = offset;
        if (end_alone) request.tail_lines = options_.tail;
        try {
            service().read_output(request, show);
            return true;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw;
            context_.warn(error.what());
            return false;
        }
    }

    /// Prints what comes into the logs of the stages until all are over, or nobody reads it. False if one of
    /// them had no log.
    bool follow() {
        std::map<std::string, Followed> all;
        bool have_all = true;
        std::int64_t seen = -1;
        while (true) {
            const WorkPlan plan = context_.fixed_plan(Context::Open::read);
            // What a stage has printed is in its log before its end is in the store.
            if (std::exchange(seen, plan.version) != plan.version)
                for (const Stage& stage : wanted()) have_all = look_at(stage, all) && have_all;
            bool over = true;
            for (auto& [id, followed] : all) {
                have_all = print_news(id, followed, all.size() > 1) && have_all;
                over = over && followed.stage_is_over;
            }
            if (over) return have_all;
            context_.out().flush();
            if (!context_.out().reader_stays(kLongestPause)) return true;
        }
    }

    /// Goes on to the attempts that have begun since: at first sight to the last one alone. False if there is
    /// none to be followed.
    bool look_at(const Stage& stage, std::map<std::string, Followed>& all) {
        const auto [entry, is_new] =
            all.try_emplace(stage.id, Followed{.printer = LogPrinter(context_.out(), options_.raw)});
        Followed& followed = entry->second;
        if (followed.stage_is_over) return true;
        const Attempt* const last = attempt_of(stage);
        const bool is_over = stage.state == State::final || stage.state == State::awaiting_group ||
                             (options_.attempt && last != nullptr && is_ended(last->state));
        bool have_all = true;
        for (const Attempt& attempt : stage.attempts) {
            const bool is_wanted = is_new || options_.attempt ? &attempt == last : has_log(attempt);
            if (is_wanted && has_log(attempt) && attempt.idx > followed.idx)
                have_all = go_on_to(followed, stage, attempt, all.size() > 1) && have_all;
        }
        followed.stage_is_over = is_over;
        if (followed.idx == 0 && is_over) {
            tell_missing(stage);
            return false;
        }
        return have_all;
    }

    bool go_on_to(Followed& followed, const Stage& stage, const Attempt& attempt, bool with_heading) {
        const bool had_all = print_news(stage.id, followed, with_heading);  // the end of the one before
        followed.printer.finish();
        followed.is_another = std::exchange(followed.idx, attempt.idx) != 0;
        followed.name = name_of(stage, attempt);
        followed.offset = 0;
        followed.is_done = false;
        return had_all;
    }

    bool print_news(const std::string& stage, Followed& followed, bool with_heading) {
        if (followed.idx == 0 || followed.is_done) return true;
        const bool at_first = followed.offset == 0 && !followed.is_another;
        const auto show = [&](const OutputPart& part) {
            if ((with_heading || followed.is_another) && last_ != followed.name) head(followed.name);
            last_ = followed.name;
            followed.printer.add(part.bytes);
            followed.offset = part.next;
        };
        const bool there = read(stage, followed.idx, followed.offset, at_first, show);
        if (followed.stage_is_over) followed.printer.finish();
        followed.is_done = followed.stage_is_over || !there;
        return there;
    }

    void head(const std::string& name) {
        context_.out().write((std::exchange(is_first_, false) ? "" : "\n") + std::string("==> ") +
                             visible(name) + " <==\n");
    }

    static std::string name_of(const Stage& stage, const Attempt& attempt) {
        return "stage:" + stage.id + " attempt " + std::to_string(attempt.idx);
    }

    Context& context_;
    const LogsOptions& options_;
    std::string last_;      ///< whose lines were printed last
    bool is_first_ = true;  ///< nothing has a heading yet
};

Action define_logs(Parser& parser) {
    auto options = std::make_shared<LogsOptions>();
    parser.arguments("REF", options->refs, 0,
                     "stages, or checks for the stages assigned to them; default: all");
    parser.flag("--failed", options->failed, "stages that failed, or answered a check with a failure");
    parser.option("--attempt", "N", options->attempt, 1, INT32_MAX,
                  "of this attempt (default: the last one)");
    parser.option("--tail", "N", options->tail, 0, INT64_MAX, "only the last N lines");
    parser.flag("-f,--follow", options->follow,
                "go on until the stages are over, or the attempt that was asked for");
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
     "Of several stages each log has a heading, `==> stage:ID attempt N <==`; with -f it comes again "
     "whenever "
     "another one prints. Exit status 4 if a log that was asked for by name is not there."},
};

}  // namespace

std::span<const Command> logs_commands() { return kLogsCommands; }

}  // namespace turboci::cli
