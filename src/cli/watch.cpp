// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/log_output.hpp"
#include "cli/plan_output.hpp"
#include "cli/verdict.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

constexpr std::chrono::minutes kLongestWait{1};

struct WatchOptions {
    std::vector<std::string> refs;
    std::optional<std::int64_t> since;
    bool follow = false;
};

class Watcher {
public:
    Watcher(Context& context, const WatchOptions& options) : context_(context), options_(options) {
        live_ = context.format() == Format::table && context.out().is_terminal();
    }

    int run() {
        WorkPlan plan = context_.fixed_plan(Context::Open::read);
        open_ = OpenNodes(watched());
        resolve_refs();
        cursor_ = options_.since.value_or(0);
        while (true) {
            if (plan.version > cursor_) {
                print_events();
                if (live_) print_status(plan);
                context_.out().flush();
            }
            if (!options_.follow && cursor_ >= plan.version && is_over(plan)) return 0;
            plan = context_.wait_for_change(Context::Open::read, plan.version, kLongestWait,
                                            [this] { return !reader_stays(); });
            if (!reader_stays()) return error_info(ErrorCode::output).exit_code;
        }
    }

private:
    bool reader_stays() { return context_.out().reader_stays(std::chrono::milliseconds::zero()); }
    Service& service() { return context_.service(Context::Open::read); }

    void resolve_refs() {
        if (options_.refs.empty()) return;
        QueryNodes request = watched();
        request.parts = kBareNodes;
        StatusSink found;
        service().query(request, found);
        for (const auto& status : found.nodes()) wanted_.insert(status.ref);
    }

    QueryNodes watched() const {
        QueryNodes request;
        request.plan = context_.plan();
        request.refs = ref_arguments(options_.refs);
        return request;
    }

    bool is_over(const WorkPlan& plan) {
        const PlanTotals sum = totals(plan);
        return sum.checks + sum.stages > 0 && open_.are_gone(service(), plan);
    }

    /// All that is newer than the cursor. A version is one transaction, so it is there whole or not at all.
    void print_events() {
        ReadLog request;
        request.plan = context_.plan();
        request.since = cursor_;
        std::string line;
        service().read_log(request, [&](const LogEntry& entry) {
            cursor_ = entry.version;
            if (!wanted_.empty() && (!entry.node || wanted_.count(*entry.node) == 0)) return;
            if (live_) {
                clear_status();
                const std::string text = event_line(entry, context_.color());
                context_.out().write(text + '\n');
                return;
            }
            line.clear();
            append_json(line, entry);
            context_.out().write(line + '\n');
        });
    }

    void print_status(const WorkPlan& plan) {
        std::string text = counts_text(plan, NodeType::check);
        const std::string stages = counts_text(plan, NodeType::stage);
        if (!text.empty() && !stages.empty()) text += "; ";
        clear_status();
        context_.out().write(styled(fit(text + stages, context_.out().width() - 1, Context::utf8()),
                                    Style::bold, context_.color()));
        has_status_ = true;
        if (is_over(plan) && !options_.follow) context_.out().write("\n");
    }

    void clear_status() {
        if (has_status_) context_.out().write("\r\x1b[K");
        has_status_ = false;
    }

    Context& context_;
    const WatchOptions& options_;
    OpenNodes open_{{}};
    std::set<NodeRef> wanted_;
    std::int64_t cursor_ = 0;
    bool live_ = false;
    bool has_status_ = false;
};

Action define_watch(Parser& parser) {
    auto options = std::make_shared<WatchOptions>();
    parser.arguments("REF", options->refs, 0, "only changes of these nodes; default: of the whole plan");
    parser.option("--since", "VERSION", options->since, 0, INT64_MAX,
                  "begin after this plan version (default: 0, all)");
    parser.flag("--follow", options->follow, "go on when everything is FINAL");
    return [options](Context& context) { return Watcher(context, *options).run(); };
}

constexpr Command kWatchCommands[] = {
    {"watch", "Print changes as they happen, one JSON object a line", "[REF]... [--since VERSION] [--follow]",
     "turboci watch\n"
     "turboci watch | jq -r 'select(.changes.outcome).node'\n"
     "turboci watch --since \"$last_version\" --follow",
     Formats{Format::table, Format::jsonl, Format::json}, define_watch,
     "Changes come in the order of plan versions, none lost, none twice: the last version seen is where "
     "--since goes on. "
     "Ends when everything watched that a verdict counts is FINAL. On a terminal the changes are told in "
     "words, unless -o jsonl."},
};

}  // namespace

std::span<const Command> watch_commands() { return kWatchCommands; }

}  // namespace turboci::cli
