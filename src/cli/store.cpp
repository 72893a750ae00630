// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "format/terminal.hpp"

namespace turboci::cli {

namespace {

int check_store(Context& context) {
    std::vector<ErrorDetail> details;
    for (const auto& problem : context.store(Context::Open::read).check())
        details.push_back({{}, 0, 0, problem.message});
    // A file that is broken below cannot be asked about the rules above.
    if (details.empty())
        for (auto& line : context.service(Context::Open::read).check_states())
            details.push_back({{}, 0, 0, std::move(line)});
    if (!details.empty()) {
        const std::size_t count = details.size();
        throw Error(ErrorCode::store,
                    context.store_path() + " is damaged: " + std::to_string(count) +
                        (count == 1 ? " problem" : " problems"),
                    "restore a backup", std::move(details));
    }
    if (context.format() == Format::table) {
        context.print_confirmation("ok: " + printable(context.store_path()) + " is sound\n");
    } else {
        context.print_json("{\"store\":" + json_string(context.store_path()) + ",\"problems\":[]}");
    }
    return 0;
}

int back_up(Context& context, const std::string& file) {
    if (file.empty() || file == "-") {
        throw Error(ErrorCode::usage, "a backup needs a file of its own",
                    "name a file that does not exist yet");
    }
    context.store(Context::Open::read).backup(file);
    context.out().mark_committed();
    if (context.format() == Format::table) {
        context.print_confirmation("copied " + printable(context.store_path()) + " to " + printable(file) +
                                   '\n');
    } else {
        context.print_json("{\"store\":" + json_string(context.store_path()) +
                           ",\"backup\":" + json_string(file) + "}");
    }
    return 0;
}

Action define_check(Parser&) { return check_store; }

Action define_backup(Parser& parser) {
    auto file = std::make_shared<std::string>();
    parser.argument("FILE", *file, "the copy; must not exist yet");
    return [file](Context& context) { return back_up(context, *file); };
}

constexpr Command kStoreCommands[] = {
    {"store check", "Look for damage in the store file", "",
     "turboci store check\n"
     "turboci store check --store /var/lib/ci/plan.db",
     kDocuments, define_check, "Exit status 9 and a list of what is wrong if the store is damaged."},
    {"store backup", "Copy the store, consistently, while others use it", "FILE",
     "turboci store backup plan-$(date +%F).db\n"
     "turboci --store ci.db store backup /backups/ci.db",
     kDocuments, define_backup,
     "The copy is a store itself. Copying the file with cp while others write is not safe."},
};

}  // namespace

std::span<const Command> store_commands() { return kStoreCommands; }

}  // namespace turboci::cli
