// SPDX-License-Identifier: Apache-2.0
// The command line: what a command is, and what a running command sees of the outside.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/output.hpp"
#include "cli/parser.hpp"
#include "turboci/service.hpp"
#include "turboci/store.hpp"

namespace turboci::cli {

/// The process is about to end: what would take longer to take apart than many a command takes is left as it
/// is. It stays reachable, so that no checker calls it a leak.
template <class T>
void leave_to_kernel(std::unique_ptr<T> value) noexcept {
    static T* last = nullptr;
    last = value.release();
    static_cast<void>(last);
}

/// Stores that are not on this machine. A program that can reach some says so before the command line runs.
struct RemoteStores {
    bool (*serves)(const std::string& url) = nullptr;
    std::unique_ptr<Service> (*open)(const std::string& url, const Wait& wait) = nullptr;
};
void set_remote_stores(const RemoteStores& stores) noexcept;

class Context;

/// What a parsed command does; returns the exit status, or throws Error.
using Action = std::function<int(Context&)>;

/// How many of a kind a message names before -v asks for all.
inline constexpr std::size_t kListed = 20;

/// A set of output formats.
struct Formats {
    unsigned bits = 0;
    [[nodiscard]] constexpr bool has(Format f) const { return (bits >> static_cast<unsigned>(f) & 1U) != 0; }
    constexpr Formats(std::initializer_list<Format> list) {
        for (const Format f : list) bits |= 1U << static_cast<unsigned>(f);
    }
};
inline constexpr Formats kAllFormats{Format::table, Format::json, Format::jsonl, Format::yaml, Format::name};
inline constexpr Formats kNoJsonl{Format::table, Format::json, Format::yaml, Format::name};
inline constexpr Formats kDocuments{Format::table, Format::json, Format::yaml};

/// One command. define() declares its arguments on the parser and returns what to do once they are parsed:
/// usage errors come from parsing, all others from running.
struct Command {
    std::string_view name;      ///< "plan create"
    std::string_view summary;   ///< one sentence
    std::string_view usage;     ///< what follows the name
    std::string_view examples;  ///< two to four command lines, "\n" between them
    Formats formats;            ///< which --output it knows
    Action (*define)(Parser&);
    std::string_view notes = {};  ///< closing paragraph of the help
    bool hidden = false;
};

/// The flags that every command takes.
struct GlobalOptions {
    std::optional<std::string> store;
    std::optional<std::string> plan;
    Format format = Format::table;
    Duration lock_timeout = std::chrono::seconds(10);
    ColorMode color = ColorMode::automatic;
    bool quiet = false;
    bool verbose = false;
};

/// The flags of a command that writes.
struct WriteFlags {
    std::optional<std::string> reason, actor, op_id;
    void declare(Parser& parser);
};

/// What a command runs with. Opens the store when it is first needed.
class Context {
public:
    /// `command`: which one it is, "nodes write", for whoever has to wait for it.
    Context(GlobalOptions options, std::string_view command);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    [[nodiscard]] const GlobalOptions& options() const noexcept { return options_; }
    [[nodiscard]] Format format() const noexcept { return options_.format; }
    [[nodiscard]] Output& out() noexcept { return out_; }
    /// SGR codes on standard output?
    [[nodiscard]] bool color() const;
    /// Characters beyond ASCII in what is written for people?
    [[nodiscard]] static bool utf8() { return locale_is_utf8(); }

    /// The store's file, or where logs are that a run on a store elsewhere leaves here.
    [[nodiscard]] const std::string& store_path() const noexcept { return store_path_; }
    /// The store as the stages of a run find it: the absolute path of the file, or the URL of a server.
    [[nodiscard]] std::string store_for_stages() const;
    /// The store as messages name it: the file, or the URL of a server.
    [[nodiscard]] const std::string& store_name() const noexcept {
        return is_remote_ ? store_url_ : store_path_;
    }
    /// The store is not a file here.
    [[nodiscard]] bool is_remote() const noexcept { return is_remote_; }
    /// The store is behind a server of turboci's own.
    [[nodiscard]] bool is_service() const noexcept { return is_service_; }
    /// USAGE: the command is for the store itself.
    [[noreturn]] void refuse_service() const;
    /// What chooses the plan: --plan, else TURBOCI_PLAN, else empty.
    [[nodiscard]] const std::string& plan() const noexcept { return plan_; }
    void set_plan(const std::string& plan) { plan_ = plan; }
    /// The id of a plan that is to be created.
    void set_new_plan(const std::string& plan) {
        plan_ = plan;
        plan_is_new_ = true;
    }

    /// How calls wait for others: as --lock-timeout says.
    [[nodiscard]] const Wait& wait() const noexcept { return wait_; }

    enum class Open { read, write, create };
    /// How long a runner elsewhere may be silent before it is taken for gone. Before service().
    void set_lost_after(Duration silence) { lost_after_ = silence; }
    /// The service on the store. Once open, the mode of the first call stays.
    Service& service(Open mode);
    Store& store(Open mode);
    /// The chosen plan as it is now. From the first call on it is that very plan; NOT_FOUND once it is gone.
    WorkPlan fixed_plan(Open mode);
    /// fixed_plan() once its version is another than `seen`; as it is after `at_most`, or when `give_up` says
    /// so. After fixed_plan().
    WorkPlan wait_for_change(Open mode, std::int64_t seen, Duration at_most,
                             std::function<bool()> give_up = {});
    /// Takes the store apart, so that the journal which repeated writes have kept is emptied. Ends
    /// service().
    void close_store() noexcept;

    /// A write of this plan: actor, reason, and the attempt that it comes from.
    [[nodiscard]] WriteNodes begin_write(const WriteFlags& flags);
    /// The same for a request that already holds what plan files say; flags win over files.
    void finish_write(WriteNodes& request, const WriteFlags& flags);
    /// The attempt that this process runs in, if the plan and store it works on are that attempt's.
    [[nodiscard]] std::optional<AttemptRef> inside();

    /// A line on stderr, unless --quiet.
    void note(const std::string& text) const;
    void warn(const std::string& text) const;

    /// Prints one compact JSON document as --output json (indented on a terminal), jsonl or yaml.
    void print_json(const std::string& compact);
    /// Lines for people; nothing with --quiet.
    void print_confirmation(const std::string& text);

private:
    /// Do --plan and `other`, which differ, choose the same plan?
    [[nodiscard]] bool chooses_same_plan(const std::string& other);

    GlobalOptions options_;
    std::string command_;
    Output out_;
    std::string store_url_, store_path_;
    std::string plan_;
    bool plan_is_new_ = false;
    std::string plan_identity_;  ///< of the plan that was fixed
    Wait wait_;
    bool is_remote_ = false;
    bool is_service_ = false;     ///< what answers there is no store, but a service on one
    bool foreign_store_ = false;  ///< --store names another file than TURBOCI_STORE
    Duration lost_after_ = ServiceOptions::kLostAfter;
    std::unique_ptr<Store> store_;
    std::unique_ptr<Service> service_;
};

// One list a noun, in the order of the help.
[[nodiscard]] std::span<const Command> plan_commands();
[[nodiscard]] std::span<const Command> rerun_commands();
[[nodiscard]] std::span<const Command> plan_manage_commands();  ///< those that change or delete plans
[[nodiscard]] std::span<const Command> diff_commands();
[[nodiscard]] std::span<const Command> transfer_commands();  ///< plan export and import
[[nodiscard]] std::span<const Command> node_commands();
[[nodiscard]] std::span<const Command> graph_commands();
[[nodiscard]] std::span<const Command> attempt_commands();
[[nodiscard]] std::span<const Command> stage_commands();
[[nodiscard]] std::span<const Command> check_commands();
[[nodiscard]] std::span<const Command> run_commands();
[[nodiscard]] std::span<const Command> worker_commands();
[[nodiscard]] std::span<const Command> wait_commands();
[[nodiscard]] std::span<const Command> watch_commands();
[[nodiscard]] std::span<const Command> gate_commands();
[[nodiscard]] std::span<const Command> log_commands();
[[nodiscard]] std::span<const Command> logs_commands();
[[nodiscard]] std::span<const Command> validate_commands();
[[nodiscard]] std::span<const Command> schema_commands();
[[nodiscard]] std::span<const Command> store_commands();
[[nodiscard]] std::span<const Command> completion_commands();

/// All commands, and what the help says of them.
[[nodiscard]] std::vector<const Command*> all_commands();
[[nodiscard]] std::string overall_help();
[[nodiscard]] std::string noun_help(std::string_view noun);
[[nodiscard]] std::string command_help(const Command& command);
void declare_globals(Parser& parser, GlobalOptions& options);

/// The program, from arguments (without the program's name) to exit status. Throws nothing.
/// `begin` is called before anything is read of the store.
[[nodiscard]] int run_command_line(const std::vector<std::string>& arguments,
                                   const std::function<void()>& begin = {}) noexcept;

}  // namespace turboci::cli
