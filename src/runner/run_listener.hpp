// SPDX-License-Identifier: Apache-2.0
// What a run tells while it goes on, and at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "turboci/requests.hpp"
#include "turboci/verdict.hpp"

namespace turboci {

/// One try at a stage begins. All texts here are raw data.
struct StageStart {
    std::string stage;
    std::int32_t idx = 1;
    std::int32_t max_attempts = 1;
    std::string log_path;
};

/// One try at a stage is over, and that is in the store.
struct StageEnd {
    std::string stage;
    std::int32_t idx = 1;
    std::int32_t max_attempts = 1;
    std::optional<std::string> failure;  ///< absent: the attempt is COMPLETE
    std::optional<Cause> cause;          ///< with a failure, as far as it is known
    std::optional<Duration> retry_in;    ///< another attempt follows after so long
    Duration elapsed{0};
    std::string tail;  ///< the last lines of its output
    std::string log_path;
    int log_error = 0;  ///< an errno: why the log file is not complete
};

/// How far the run is.
struct RunProgress {
    std::int64_t done = 0;    ///< stages that are FINAL
    std::int64_t total = 0;   ///< stages selected
    std::int64_t failed = 0;  ///< stages that ended failed or cancelled, and failed checks
    struct Running {
        std::string stage;
        Duration elapsed{0};
    };
    std::vector<Running> running;  ///< longest first
    Duration elapsed{0};
};

struct RunSummary {
    std::int64_t passed = 0, failed = 0, skipped = 0, cancelled = 0;  ///< stages that ended during this run
    std::int64_t retried = 0;                                         ///< attempts beyond the first
    std::int64_t failed_checks = 0;  ///< of the selection, whenever they failed
    Duration elapsed{0};
    struct Timed {
        std::string stage;
        Duration duration{0};
    };
    std::vector<Timed> slowest;              ///< at most five, slowest first
    std::vector<std::string> critical_path;  ///< stages, first to last
    Duration critical_length{0};             ///< from the first one's beginning to the last one's end
    Duration critical_waiting{0};            ///< of which nothing of it was at work
    Verdict verdict = Verdict::passed;       ///< of what was selected: the named nodes, else the plan
    std::string nothing_to_run;              ///< why no stage was started; empty if one was
    std::vector<std::string> waits_for;      ///< why nothing moves any more, one line each
    std::int64_t waits_more = 0;             ///< lines left out of waits_for
    std::int64_t unfinished = 0;             ///< selected nodes that are not FINAL
    std::size_t survivors = 0;               ///< processes that could not be killed
};

/// Hears what happens. Called from the thread that runs the executor.
class RunListener {
public:
    virtual ~RunListener() = default;
    virtual void on_start(const StageStart& start) = 0;
    virtual void on_end(const StageEnd& end) = 0;
    /// The orchestrator made a node FINAL.
    virtual void on_final(const NodeRef& node, Outcome outcome) = 0;
    virtual void on_note(const std::string& text) = 0;
    /// After every change, and at least every refresh_interval() if that is set.
    virtual void on_progress(const RunProgress& progress) = 0;
    virtual void on_resize() {}
    virtual void on_summary(const RunSummary& summary) = 0;
    [[nodiscard]] virtual std::optional<Duration> refresh_interval() const { return std::nullopt; }
};

}  // namespace turboci
