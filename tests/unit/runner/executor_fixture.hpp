// SPDX-License-Identifier: Apache-2.0
// A plan in a real store, a clock that tests turn, and commands that are only played.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/decide.hpp"
#include "runner/executor.hpp"
#include "service/local_service.hpp"
#include "support/catch.hpp"
#include "turboci/turboci.hpp"

namespace turboci::test {

using namespace std::chrono_literals;

class FakeClock : public Clock {
public:
    [[nodiscard]] ClockReading read() const override {
        return {Timestamp(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)) + since_boot, since_boot,
                "boot"};
    }
    Duration since_boot = 1h;
};

/// Plays commands. A command is a list of words: what it does, and after how long.
///   ["ok", "5s"]  exits 0      ["fail", "5s"]  exits 3      ["stubborn"]  only SIGKILL ends it
class FakeRunner : public CommandRunner {
public:
    explicit FakeRunner(FakeClock& clock) : clock_(clock) {}

    CommandId start(const Command& command) override {
        const CommandId id{++last_};
        const std::string stage = variable(command, "TURBOCI_STAGE");
        started.push_back(stage);
        Playing playing;
        playing.stage = stage;
        playing.output = command.output;
        if (command.argv.front() == "missing") {
            playing.end = {id, CommandEnd::Kind::not_started, 2, "cannot execute 'missing'"};
            playing.at = clock_.since_boot;
        } else {
            playing.end = {id, CommandEnd::Kind::exited, command.argv.front() == "fail" ? 3 : 0, {}};
            playing.at = clock_.since_boot +
                         (command.argv.size() > 1 ? *parse_duration(command.argv[1]) : Duration(0));
            playing.stubborn = command.argv.front() == "stubborn";
            if (playing.stubborn) playing.at = Duration::max();
            if (playing.output) playing.output->write("output of " + stage + "\n");
        }
        playing_[last_] = playing;
        most_at_once = std::max(most_at_once, playing_.size());
        environment[stage] = command.env;
        if (on_start) on_start(stage);
        return id;
    }
    void stop(CommandId id) override {
        const auto found = playing_.find(static_cast<std::uint64_t>(id));
        if (found == playing_.end()) return;
        stopped.push_back(found->second.stage);
        if (!found->second.stubborn) end_by(found->second, 15);
    }
    void kill(CommandId id) override {
        const auto found = playing_.find(static_cast<std::uint64_t>(id));
        if (found == playing_.end()) return;
        killed.push_back(found->second.stage);
        end_by(found->second, 9);
    }
    RunnerEvents wait(std::optional<Duration> at_most) override {
        RunnerEvents events;
        std::swap(events.signals, signals);
        events.notified = std::exchange(notified_, false);
        if (events.notified || !events.signals.empty()) return events;
        Duration next = Duration::max();
        for (const auto& [id, playing] : playing_) next = std::min(next, playing.at);
        for (const auto& [when, what] : at) next = std::min(next, when);
        const Duration limit = at_most ? clock_.since_boot + *at_most : Duration::max();
        if (next == Duration::max() && limit == Duration::max()) throw std::logic_error("waits for ever");
        clock_.since_boot = std::max(clock_.since_boot, std::min(next, limit));
        // What others do, at a time.
        while (!at.empty() && at.begin()->first <= clock_.since_boot) {
            const auto what = at.begin()->second;
            at.erase(at.begin());
            what();
        }
        for (auto it = playing_.begin(); it != playing_.end();) {
            if (it->second.at <= clock_.since_boot) {
                events.ended.push_back(it->second.end);
                it = playing_.erase(it);
            } else {
                ++it;
            }
        }
        std::swap(events.signals, signals);
        return events;
    }
    void notify() noexcept override { notified_ = true; }
    std::size_t settle(Duration) override { return playing_.size(); }

    /// What else happens, by the time since boot.
    std::multimap<Duration, std::function<void()>> at;
    std::vector<int> signals;
    std::function<void(const std::string& stage)> on_start;
    std::vector<std::string> started, stopped, killed;
    std::map<std::string, std::vector<std::string>> environment;
    std::size_t most_at_once = 0;

private:
    struct Playing {
        std::string stage;
        std::shared_ptr<OutputSink> output;
        CommandEnd end;
        Duration at{0};
        bool stubborn = false;
    };
    static std::string variable(const Command& command, const std::string& name) {
        for (const std::string& entry : command.env) {
            if (entry.compare(0, name.size() + 1, name + "=") == 0) return entry.substr(name.size() + 1);
        }
        return {};
    }
    void end_by(Playing& playing, int number) {
        playing.end.kind = CommandEnd::Kind::signalled;
        playing.end.value = number;
        playing.at = clock_.since_boot;
    }

    FakeClock& clock_;
    std::map<std::uint64_t, Playing> playing_;
    std::uint64_t last_ = 0;
    bool notified_ = false;
};

/// Writes down what it hears.
class Hearer : public RunListener {
public:
    void on_start(const StageStart& start) override { starts.push_back(start); }
    void on_end(const StageEnd& end) override { ends.push_back(end); }
    void on_final(const NodeRef& node, Outcome outcome) override {
        finals.push_back(to_string(node) + " " + std::string(to_string(outcome)));
    }
    void on_note(const std::string& text) override { notes.push_back(text); }
    void on_progress(const RunProgress& p) override { progress = p; }
    void on_summary(const RunSummary& s) override { summary = s; }
    std::vector<StageStart> starts;
    std::vector<StageEnd> ends;
    std::vector<std::string> finals, notes;
    RunProgress progress;
    RunSummary summary;
};

/// Passes everything on, and refuses write access as often as it is told.
class FlakyStore : public Store {
public:
    explicit FlakyStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}
    std::unique_ptr<Snapshot> read(const Wait& wait) override { return inner_->read(wait); }
    std::unique_ptr<Transaction> write(std::string_view plan, const Wait& wait) override {
        if (refuse > 0) {
            --refuse;
            throw Error(refuse_with, "the store is locked");
        }
        return inner_->write(plan, wait);
    }
    bool wait_for_change(std::string_view plan, std::int64_t seen, const Wait& patience) override {
        return inner_->wait_for_change(plan, seen, patience);
    }
    void flush() override { inner_->flush(); }
    std::vector<StoreProblem> check(const Wait& wait) override { return inner_->check(wait); }
    void backup(const std::string& path, const Wait& wait) override { inner_->backup(path, wait); }
    std::int64_t compact(bool at_once, const Wait& wait) override { return inner_->compact(at_once, wait); }
    int refuse = 0;
    ErrorCode refuse_with = ErrorCode::locked;

private:
    std::unique_ptr<Store> inner_;
};

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "turboci-runner-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path = name;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    std::filesystem::path path;
};

/// One plan "p", written from YAML.
class RunFixture {
public:
    /// `own_clock`: of the store, if not the fixture's.
    explicit RunFixture(const std::string& yaml = {}, const Clock* own_clock = nullptr) {
        options.store_path = (directory.path / "store.db").string();
        options.store = options.store_path;
        StoreOptions open;
        open.create = true;
        open.clock = own_clock != nullptr ? own_clock : &clock;
        store = std::make_unique<FlakyStore>(open_store(options.store_path, open));
        endpoint = std::make_unique<LocalService>(*store);
        CreatePlan create;
        create.id = "p";
        endpoint->create_plan(create);
        if (!yaml.empty()) write(yaml);
        options.plan = "p";
        options.actor = "tester";
        options.jobs = 2;
        options.threaded = false;
        options.environment = {"PATH=/bin"};
    }

    WriteResult write(const std::string& yaml, std::optional<AttemptRef> inside = std::nullopt) {
        WriteNodes request;
        request.plan = "p";
        request.actor = "somebody";
        request.inside = std::move(inside);
        Problems problems;
        read_plan_text({"test.yaml", yaml}, request, problems);
        problems.raise_if_any(request.files);
        return endpoint->write_nodes(request);
    }
    /// A stage as a store may hold it from a time when args were not judged on their way in.
    void write_unjudged(const std::string& stage, const std::string& args) {
        WriteNodes request;
        request.plan = "p";
        request.actor = "somebody";
        StageWrite write;
        write.id = stage;
        write.args = JsonText{args};
        write.retry = Retry{.max_retries = 3};
        request.stages.push_back(write);
        const auto transaction = store->write({}, {});
        const RunnerProbe none;
        const PlanRow plan = transaction->find_plan("p").value();
        const engine::Load load = [&](const Lookup& lookup) { return transaction->load(plan.key, lookup); };
        const auto decision = engine::decide({.request = request,
                                              .plan = plan,
                                              .next_node = transaction->next_node(plan.key),
                                              .now = clock.read(),
                                              .store = transaction->store().identity,
                                              .probe = none},
                                             load);
        transaction->apply(decision.changes);
        transaction->commit();
    }
    /// A write to the current attempt of `stage` that some worker makes.
    WriteResult attempt(const std::string& stage, AttemptState state, const std::string& uid = {},
                        std::optional<RunnerIdentity> holder = std::nullopt) {
        WriteNodes request;
        request.plan = "p";
        request.actor = "worker";
        StageWrite write;
        write.id = stage;
        write.attempt.emplace();
        write.attempt->state = state;
        if (!uid.empty()) write.attempt->process_uid = uid;
        write.attempt->runner = std::move(holder);
        if (write.attempt->runner || !uid.empty()) write.attempt->holder.emplace().identity = uid;
        request.stages.push_back(write);
        return endpoint->write_nodes(request);
    }
    void cancel(const std::string& stage) {
        WriteNodes request;
        request.plan = "p";
        request.actor = "somebody";
        StageWrite write;
        write.id = stage;
        write.cancel = true;
        request.stages.push_back(write);
        endpoint->write_nodes(request);
    }

    RunReport run() {
        Executor executor(*endpoint, runner, clock, hearer, options);
        return executor.run();
    }

    Stage stage(const std::string& id) { return collect({{NodeType::stage, id}}).stages.at(0); }
    Check check(const std::string& id) { return collect({{NodeType::check, id}}).checks.at(0); }
    std::int64_t version() { return endpoint->get_plan("p").version; }

    struct Collected : NodeSink {
        void plan(const WorkPlan&) override {}
        void check(const Check& c) override { checks.push_back(c); }
        void stage(const Stage& s) override { stages.push_back(s); }
        std::vector<Check> checks;
        std::vector<Stage> stages;
    };
    Collected collect(std::vector<RefText> refs) {
        QueryNodes query;
        query.plan = "p";
        query.refs = std::move(refs);
        Collected found;
        endpoint->query(query, found);
        return found;
    }

    TemporaryDirectory directory;
    FakeClock clock;
    FakeRunner runner{clock};
    Hearer hearer;
    RunOptions options;
    std::unique_ptr<FlakyStore> store;
    std::unique_ptr<LocalService> endpoint;
};

}  // namespace turboci::test
