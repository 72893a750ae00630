// SPDX-License-Identifier: Apache-2.0
// Workers: processes that execute what is ready in any plan.
#include <unistd.h>

#include <chrono>

#include "cli/app.hpp"
#include "cli/running.hpp"
#include "format/json_output.hpp"
#include "format/terminal.hpp"
#include "os/process.hpp"
#include "os/process_identity.hpp"
#include "os/supervisor.hpp"
#include "runner/work_loop.hpp"

namespace turboci::cli {

namespace {

// ------------------------------------------------------------------------------------ worker

struct WorkerOptions {
    RunningOptions running;
    std::optional<std::string> name;
    std::vector<std::string> plans;
    bool once = false;
};

/// One line an event, each with its plan.
class WorkView final : public WorkListener {
public:
    explicit WorkView(const ViewOptions& options) : options_(options) {}
    void on_note(const std::string& text) override { write_to_stderr("note   " + printable(text) + '\n'); }
    std::unique_ptr<RunListener> plan(const std::string& id) override {
        const auto out = [prefix = printable(id) + ": "](std::string_view text) {
            std::string lines;
            while (!text.empty()) {
                const std::size_t end = std::min(text.find('\n'), text.size() - 1);
                lines += prefix + std::string(text.substr(0, end + 1));
                text.remove_prefix(end + 1);
            }
            write_to_stderr(lines);
        };
        return make_line_view(out, options_);
    }

private:
    ViewOptions options_;
};

int work(Context& context, const WorkerOptions& options) {
    if (context.inside())
        usage("this is within stage:" + printable(context.inside()->stage_id) + ", which is being run",
              "nodes that are written join the run that goes on");
    if (options.running.lost_after) context.set_lost_after(*options.running.lost_after);
    Service& service = context.service(Context::Open::write);
    WorkOptions work;
    work.run = run_options(context, options.running);
    const RunnerIdentity me = this_runner();
    work.name = options.name.value_or(me.host + ":" + std::to_string(me.pid));
    if (work.name.empty()) usage("--name: a worker cannot have an empty name", "leave it out, or name it");
    work.plans = options.plans;
    work.once = options.once;
    ViewOptions view = view_options(context);
    view.dialect = CiDialect::none;  // several plans would fold into one another
    WorkView listener(view);
    Supervisor supervisor;
    fit_jobs(context, work.run);
    const int status = WorkLoop(service, supervisor, system_clock(), listener, std::move(work)).run();
    context.close_store();
    return status;
}

Action define_worker(Parser& parser) {
    auto options = std::make_shared<WorkerOptions>();
    options->running.declare(parser);
    parser.option("--plans", "GLOB", options->plans, "only of plans whose ids match; several: any of them");
    parser.option("--name", "NAME", options->name,
                  "for `worker list` and `worker drain` (default: HOST:PID)");
    parser.flag("--once", options->once, "end when nothing is ready any more");
    return [options](Context& context) { return work(context, *options); };
}

// ------------------------------------------------------------------------------------ worker list, drain

std::string runners_text(const Worker& worker) {
    std::string text;
    for (const std::string& kind : worker.runners)
        text += (text.empty() ? "" : " ") + (kind.empty() ? std::string("''") : kind);
    return text.empty() ? "''" : text;
}

std::string worker_json(const Worker& worker) {
    std::string json = "{\"name\":" + json_string(worker.name) + ",\"uid\":" + json_string(worker.identity) +
                       ",\"runners\":[";
    const std::vector<std::string> none{""};
    for (const std::string& kind : worker.runners.empty() ? none : worker.runners) {
        if (json.back() != '[') json += ',';
        append_json_string(json, kind);
    }
    return json + "],\"started_at\":" + json_string(format_timestamp(worker.started_at)) +
           ",\"last_seen\":" + json_string(format_timestamp(worker.last_seen)) +
           ",\"draining\":" + (worker.draining ? "true" : "false") +
           ",\"held\":" + std::to_string(worker.held) + "}";
}

int list_workers(Context& context) {
    const std::vector<Worker> workers = context.service(Context::Open::read).workers();
    switch (context.format()) {
        case Format::name:
            for (const Worker& worker : workers) context.out().write(visible(worker.name) + '\n');
            return 0;
        case Format::jsonl:
            for (const Worker& worker : workers) context.out().write(worker_json(worker) + '\n');
            return 0;
        case Format::json:
        case Format::yaml: {
            std::string json = "{\"workers\":[";
            for (const Worker& worker : workers)
                json += (json.back() == '[' ? "" : ",") + worker_json(worker);
            context.print_json(json + "]}");
            return 0;
        }
        case Format::table:
            break;
    }
    Table table({"NAME", "RUNNERS", "HOLDS", "SEEN", "STATE"}, {0, 1});
    const Timestamp now = system_clock().read().wall;
    for (const Worker& worker : workers) {
        const auto silent = std::max(now - worker.last_seen, Duration::zero());
        table.add({{worker.name},
                   {runners_text(worker)},
                   {std::to_string(worker.held)},
                   {human_duration(silent) + " ago"},
                   {worker.draining ? "draining" : "working"}});
    }
    if (!table.empty())
        context.out().write(table.render(context.out().width(), context.color(), Context::utf8()));
    return 0;
}

Action define_worker_list(Parser&) { return list_workers; }

Action define_worker_drain(Parser& parser) {
    auto name = std::make_shared<std::string>();
    parser.argument("NAME", *name, "name or uid of the worker, see `worker list`");
    return [name](Context& context) {
        context.service(Context::Open::write).drain_worker(*name);
        context.out().mark_committed();
        if (context.format() == Format::table)
            context.print_confirmation(printable(*name) + " takes no new work\n");
        else
            context.print_json("{\"draining\":" + json_string(*name) + "}");
        return 0;
    };
}

constexpr Command kWorkerCommands[] = {
    {"worker", "Execute what is ready in any plan, until told to stop",
     "[-j N] [--runner KIND]... [--plans GLOB]... [--once]",
     "turboci worker -j4\n"
     "turboci worker --runner gpu --plans 'nightly-*'\n"
     "turboci --store grpcs://ci.example:50051 worker --name builder-7\n"
     "turboci worker --once",
     Formats{Format::table}, define_worker,
     "SIGTERM, Ctrl-C or `worker drain` end it when the stages that run have ended; a second signal ends "
     "those, too. "
     "Slots go to the plan that uses fewest. What happens is told on stderr."},
    {"worker list", "Show the workers of the store", "",
     "turboci worker list\n"
     "turboci worker list -o json | jq '.workers[] | select(.held > 0)'",
     kAllFormats, define_worker_list, "One that was silent for more than a minute is probably gone."},
    {"worker drain", "Tell a worker to end when the stages that it runs have ended", "NAME",
     "turboci worker drain builder-7", kDocuments, define_worker_drain,
     "It hears of it with its next sign of life, within ten seconds."},
};

}  // namespace

std::span<const Command> worker_commands() { return kWorkerCommands; }

}  // namespace turboci::cli
