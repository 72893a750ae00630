// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

int check_store(Context& context) {
    std::vector<ErrorDetail> details;
    for (const auto& problem : context.store(Context::Open::read).check(context.wait()))
        details.push_back({{}, 0, 0, problem.message});
    // A file that is broken below cannot be asked about the rules above.
    if (details.empty())
        for (auto& line : context.service(Context::Open::read).check_states())
            details.push_back({{}, 0, 0, std::move(line)});
    if (!details.empty()) {
        const std::size_t count = details.size();
        throw Error(ErrorCode::store,
                    context.store_name() + " is damaged: " + std::to_string(count) +
                        (count == 1 ? " problem" : " problems"),
                    "restore a backup", std::move(details));
    }
    if (context.format() == Format::table) {
        context.print_confirmation("ok: " + printable(context.store_name()) + " is sound\n");
    } else {
        context.print_json("{\"store\":" + json_string(context.store_name()) + ",\"problems\":[]}");
    }
    return 0;
}

int back_up(Context& context, const std::string& file) {
    if (file.empty() || file == "-") {
        throw Error(ErrorCode::usage, "a backup needs a file of its own",
                    "name a file that does not exist yet");
    }
    context.store(Context::Open::read).backup(file, context.wait());
    context.out().mark_committed();
    if (context.format() == Format::table) {
        context.print_confirmation("copied " + printable(context.store_name()) + " to " + printable(file) +
                                   '\n');
    } else {
        context.print_json("{\"store\":" + json_string(context.store_name()) +
                           ",\"backup\":" + json_string(file) + "}");
    }
    return 0;
}

int compact_store(Context& context) {
    const std::int64_t bytes = context.store(Context::Open::write).compact(true, context.wait());
    context.out().mark_committed();
    if (context.format() == Format::table) {
        context.print_confirmation("gave back " + std::to_string(bytes) + " bytes of " +
                                   printable(context.store_name()) + '\n');
    } else {
        context.print_json("{\"store\":" + json_string(context.store_name()) +
                           ",\"freed\":" + std::to_string(bytes) + "}");
    }
    return 0;
}

int init_store(Context& context) {
    if (context.is_service()) context.refuse_service();
    const std::vector<std::string> grants = turboci::init_store(context.store_name());
    context.out().mark_committed();
    if (context.format() == Format::table) {
        context.print_confirmation("made the store " + printable(context.store_name()) +
                                   "\na role that works with it needs:\n");
        for (const std::string& grant : grants) context.print_confirmation("  " + grant + '\n');
        return 0;
    }
    std::string list;
    for (const std::string& grant : grants) list += (list.empty() ? "" : ",") + json_string(grant);
    context.print_json("{\"store\":" + json_string(context.store_name()) + ",\"grants\":[" + list + "]}");
    return 0;
}

int migrate_store(Context& context) {
    // To open it is to upgrade it.
    static_cast<void>(context.store(Context::Open::write));
    if (context.format() == Format::table) {
        context.print_confirmation("ok: " + printable(context.store_name()) + " has the newest format\n");
    } else {
        context.print_json("{\"store\":" + json_string(context.store_name()) + "}");
    }
    return 0;
}

Action define_init(Parser&) { return init_store; }

Action define_migrate(Parser&) { return migrate_store; }

Action define_compact(Parser&) { return compact_store; }

Action define_check(Parser&) { return check_store; }

Action define_backup(Parser& parser) {
    auto file = std::make_shared<std::string>();
    parser.argument("FILE", *file, "the copy; must not exist yet");
    return [file](Context& context) { return back_up(context, *file); };
}

constexpr Command kStoreCommands[] = {
    {"store check", "Look for damage in the store", "",
     "turboci store check\n"
     "turboci store check --store /var/lib/ci/plan.db",
     kDocuments, define_check, "Exit status 9 and a list of what is wrong if the store is damaged."},
    {"store backup", "Copy the store, consistently, while others use it", "FILE",
     "turboci store backup plan-$(date +%F).db\n"
     "turboci --store ci.db store backup /backups/ci.db",
     kDocuments, define_backup,
     "The copy is a store itself. Copying the file with cp while others write is not safe."},
    {"store compact", "Give the space of what was deleted back to the file system", "",
     "turboci store compact\n"
     "turboci store compact -o json | jq .freed",
     kDocuments, define_compact,
     "`plan delete` and `plan prune` do so by themselves where a quarter of the file is free. Others who "
     "write "
     "wait meanwhile; what interrupts it leaves the store as it was."},
    {"store init", "Make an empty store in a database", "",
     "turboci --store postgresql://db.example.org/ci store init\n"
     "TURBOCI_STORE=postgresql:///ci turboci store init -o json | jq -r '.grants[]'",
     kDocuments, define_init,
     "For stores in PostgreSQL, by somebody who may create a schema; it prints what to grant to the role "
     "that the "
     "others use. A store in a file is made by its first plan."},
    {"store migrate", "Bring a store to the format of this version", "",
     "turboci store migrate\n"
     "turboci --store postgresql://db.example.org/ci store migrate",
     kDocuments, define_migrate,
     "For stores in PostgreSQL, before the first use of a version that asks for it. A store in a file is "
     "upgraded by "
     "the first command that opens it."},
};

}  // namespace

std::span<const Command> store_commands() { return kStoreCommands; }

}  // namespace turboci::cli
