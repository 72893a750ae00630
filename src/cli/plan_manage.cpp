// SPDX-License-Identifier: Apache-2.0
// Plans as a whole: their labels, and their end.
#include <algorithm>

#include "cli/app.hpp"
#include "cli/input.hpp"
#include "cli/plan_output.hpp"
#include "cli/write_output.hpp"
#include "format/terminal.hpp"
#include "runner/attempt_log.hpp"

namespace turboci::cli {

namespace {

// ------------------------------------------------------------------------------------ plan label

struct LabelOptions {
    std::string plan;
    std::vector<std::string> changes;
    WriteFlags write;
};

/// {"K":"V","L":null} of `K=V L-`.
JsonText label_patch(const std::vector<std::string>& changes) {
    std::string patch;
    for (const auto& text : changes) {
        if (!is_valid_utf8(text))
            throw Error(ErrorCode::invalid_argument, "label '" + printable(text) + "' is not valid UTF-8");
        patch += patch.empty() ? '{' : ',';
        if (text.find('=') == std::string::npos && text.size() > 1 && text.back() == '-') {
            append_json_string(patch, text.substr(0, text.size() - 1));
            patch += ":null";
            continue;
        }
        const auto [key, value] = parse_label(text);
        append_json_string(patch, key);
        patch += ':';
        append_json_string(patch, value);
    }
    // A label that is named twice is as it was named last.
    return compose_patches({}, {patch + '}'});
}

Action define_label(Parser& parser) {
    auto options = std::make_shared<LabelOptions>();
    parser.argument("PLAN", options->plan, "the plan, chosen as by --plan");
    parser.arguments("K=V|K-", options->changes, 1, "a label to set, or the name of one to remove with '-'");
    options->write.declare(parser);
    return [options](Context& context) {
        const JsonText patch = label_patch(options->changes);
        context.set_plan(options->plan);
        WriteNodes request = context.begin_write(options->write);
        request.labels = patch;
        const WriteResult result = context.service(Context::Open::write).write_nodes(request);
        context.out().mark_committed();
        print_write_result(context, result);
        return 0;
    };
}

// ------------------------------------------------------------------------------------ plan delete

/// What was deleted, or would be.
void print_deleted(Context& context, const std::vector<std::string>& ids, bool dry_run) {
    if (context.format() == Format::name) {
        for (const auto& id : ids) context.out().write(visible(id) + '\n');
    } else if (context.format() != Format::table) {
        std::string json = "{\"deleted\":[";
        for (const auto& id : ids) json += (json.back() == '[' ? "" : ",") + json_string(id);
        context.print_json(json + "],\"dry_run\":" + (dry_run ? "true}" : "false}"));
    } else {
        for (const auto& id : ids)
            context.print_confirmation((dry_run ? "would delete " : "deleted ") + printable(id) + '\n');
        if (ids.empty()) context.print_confirmation("nothing to delete\n");
    }
}

void remove_logs_of(Context& context, const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
        if (!remove_logs(context.store_path(), id))
            context.warn("some logs of " + id + " could not be removed");
    }
}

Action define_delete(Parser& parser) {
    auto id = std::make_shared<std::string>();
    auto force = std::make_shared<bool>(false);
    auto yes = std::make_shared<bool>(false);
    parser.argument("ID", *id, "the plan to delete, with everything in it: its whole id");
    parser.flag("--force", *force,
                "also while somebody works on it: a run of it stops its processes and ends");
    parser.flag("--yes", *yes, "do not ask; off a terminal --force never does");
    return [id, force, yes](Context& context) {
        if (*force && !*yes && !confirm("delete plan " + *id + ", whoever works on it?")) return 1;
        context.service(Context::Open::write).delete_plan(*id, *force);
        context.out().mark_committed();
        remove_logs_of(context, {*id});
        if (context.format() == Format::table) {
            context.print_confirmation("deleted " + printable(*id) + '\n');
        } else if (context.format() == Format::name) {
            context.out().write(visible(*id) + '\n');
        } else {
            context.print_json("{\"deleted\":" + json_string(*id) + "}");
        }
        return 0;
    };
}

// ------------------------------------------------------------------------------------ plan prune

struct PruneOptions {
    std::optional<std::int64_t> keep;
    std::optional<Duration> older_than;
    bool dry_run = false;
    bool yes = false;
};

std::vector<std::string> ids_of(const std::vector<WorkPlan>& plans) {
    std::vector<std::string> ids;
    ids.reserve(plans.size());
    for (const auto& plan : plans) ids.push_back(plan.id);
    return ids;
}

/// Asks on a terminal, and makes sure that nothing else is deleted than what was named. False: no.
bool agreed(Context& context, PrunePlans& request) {
    if (!can_ask()) return true;
    request.dry_run = true;
    const auto plans = context.service(Context::Open::write).prune_plans(request);
    request.dry_run = false;
    request.only.emplace();
    if (plans.empty()) return true;
    std::string question =
        "delete " + std::to_string(plans.size()) + (plans.size() == 1 ? " plan (" : " plans (");
    for (std::size_t i = 0; i < plans.size(); ++i) {
        request.only->push_back(plans[i].identity);
        if (i < kListed) question += (i == 0 ? "" : ", ") + plans[i].id;
    }
    return confirm(question + (plans.size() > kListed ? ", ...)?" : ")?"));
}

int prune(Context& context, const PruneOptions& options) {
    if (!options.keep && !options.older_than)
        throw Error(ErrorCode::usage, "what to keep is not said", "add --keep N, --older-than D, or both");
    PrunePlans request;
    request.keep = options.keep;
    request.older_than = options.older_than;
    if (!options.dry_run && !options.yes && !agreed(context, request)) return 1;
    request.dry_run = options.dry_run;
    const auto ids = ids_of(context.service(Context::Open::write).prune_plans(request));
    if (!options.dry_run) {
        context.out().mark_committed();
        remove_logs_of(context, ids);
    }
    print_deleted(context, ids, options.dry_run);
    return 0;
}

Action define_prune(Parser& parser) {
    auto options = std::make_shared<PruneOptions>();
    parser.option("--keep", "N", options->keep, 0, INT64_MAX, "keep the newest N of all plans");
    parser.option("--older-than", "D", options->older_than, "only plans that have not changed for so long");
    parser.flag("--dry-run", options->dry_run, "say what would be deleted; delete nothing");
    parser.flag("--yes", options->yes, "do not ask; off a terminal it never does");
    return [options](Context& context) { return prune(context, *options); };
}

constexpr Command kPlanManageCommands[] = {
    {"plan label", "Set and remove labels of a plan", "PLAN K=V|K-...",
     "turboci plan label nightly branch=main commit=\"$(git rev-parse HEAD)\"\n"
     "turboci plan label @latest reviewed=yes\n"
     "turboci plan label nightly branch-",
     kAllFormats, define_label},
    {"plan delete", "Delete a plan with all its nodes, its record and its logs", "ID [--force]",
     "turboci plan delete nightly\n"
     "turboci plan list -o name | grep ^pr-17- | xargs -n1 turboci plan delete",
     kNoJsonl, define_delete,
     "Refused while an attempt is held, unless --force is given. There is no way back but a backup of the "
     "store."},
    {"plan prune", "Delete plans that are over, with their logs", "[--keep N] [--older-than D] [--dry-run]",
     "turboci plan prune --keep 20\n"
     "turboci plan prune --older-than 720h --dry-run\n"
     "turboci plan prune --keep 5 --older-than 168h --yes",
     kNoJsonl, define_prune,
     "A plan is over when everything in it is FINAL, or another plan was made from it; an empty one when it "
     "is "
     "a day old. One whose attempts are still held is kept. The space is given back to the file system where "
     "that is a good part of the store."},
};

}  // namespace

std::span<const Command> plan_manage_commands() { return kPlanManageCommands; }

}  // namespace turboci::cli
