// SPDX-License-Identifier: Apache-2.0
// `turboci worker`: executes what is ready in any plan of a store, until it is told to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runner/plan_run.hpp"
#include "runner/run_listener.hpp"
#include "runner/store_thread.hpp"
#include "turboci/service.hpp"

namespace turboci {

struct WorkOptions {
    RunOptions run;                  ///< of each plan; `jobs` are those of all plans together
    std::string name;                ///< for people
    std::vector<std::string> plans;  ///< patterns (fnmatch) of which one must match a plan's id; empty: all
    bool once = false;               ///< ends when nothing is ready any more
};

/// What a worker tells people.
class WorkListener {
public:
    virtual ~WorkListener() = default;
    virtual void on_note(const std::string& text) = 0;
    /// Hears what happens in one plan, until it is destroyed.
    [[nodiscard]] virtual std::unique_ptr<RunListener> plan(const std::string& id) = 0;
};

/// Looks for plans in which something can be claimed, and executes each as `turboci run` would. Slots go to
/// the plan that uses fewest: a plan of ten thousand stages does not keep one of three waiting.
///
/// SIGTERM, as others do, ends it when what runs has ended; a second one ends what runs, and a third one at
/// once.
class WorkLoop {
public:
    /// All must outlive it; nothing else may use `service`, or its store, meanwhile.
    WorkLoop(Service& service, CommandRunner& runner, const Clock& clock, WorkListener& listener,
             WorkOptions options);
    WorkLoop(const WorkLoop&) = delete;
    WorkLoop& operator=(const WorkLoop&) = delete;
    /// Returns the exit status: 0, or 128+n after a second signal n. Throws what the store threw when it was
    /// asked first; later it is asked again.
    [[nodiscard]] int run();

private:
    /// One plan that is worked on.
    struct Active {
        std::string identity;
        std::unique_ptr<RunListener> listener;
        std::unique_ptr<PlanRun> run;
        std::uint64_t served = 0;  ///< when it last took a slot, by turns_
    };
    /// When a plan is to be looked at again, though its version is the same.
    struct Known {
        std::int64_t version = -1;
        std::optional<Duration> again;
    };

    [[nodiscard]] Duration now() const { return clock_.read().since_boot; }
    [[nodiscard]] bool draining() const { return signals_ > 0 || told_to_drain_; }
    [[nodiscard]] std::size_t free_slots() const;
    [[nodiscard]] bool is_wanted(const WorkPlan& plan) const;
    void ask_store();
    void take_answer();
    void begin_plans();
    void begin(WorkPlan plan);
    void end(Active& active);
    /// Returns until when nothing happens by itself; nullopt: something has to be decided at once.
    [[nodiscard]] std::optional<Duration> step_all();
    void drop_idle();
    [[nodiscard]] bool is_over() const;
    void wait(Duration until);
    void handle_signal(int number);
    void drain();

    std::atomic<bool> stop_waiting_{false};
    const std::unique_ptr<Service> service_;  ///< waits as the options say, until stop_waiting_
    CommandRunner& runner_;
    const Clock& clock_;
    WorkListener& listener_;
    WorkOptions options_;
    std::mutex turn_;  ///< held while the service is used
    int signals_ = 0, last_signal_ = 0;
    bool told_to_drain_ = false;
    bool told_that_it_drains_ = false;

    std::vector<std::unique_ptr<Active>> active_;
    std::map<std::string, Known> known_;  ///< by identity
    std::vector<WorkPlan> plans_;         ///< as they were last seen
    std::uint64_t turns_ = 0;

    // What the store is asked, besides by the plans' runs.
    bool asks_for_plans_ = false, beats_ = false;
    bool must_drain_ = false;       ///< what the beat was answered
    std::vector<WorkPlan> answer_;  ///< the plans, if they were asked for
    Duration beaten_at_{0}, seen_at_{0};
    Duration pause_;                       ///< before plans are asked for again
    bool has_failed_ = false;              ///< the store did not answer the last time
    std::unique_ptr<StoreThread> thread_;  ///< last: it works on members above
};

}  // namespace turboci
