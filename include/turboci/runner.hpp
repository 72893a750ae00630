// SPDX-License-Identifier: Apache-2.0
// Who executes attempts: `turboci run` and workers, as processes that others may look for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace turboci {

/// The process that executes an attempt; lets a later command on the same host see that the runner died.
struct RunnerIdentity {
    std::string host;
    std::string boot_id;
    std::int64_t pid = 0;
    std::int64_t start_time = 0;  ///< field 22 of /proc/PID/stat, clock ticks after boot
    bool operator==(const RunnerIdentity&) const = default;
};

/// What is known of the process of a runner.
enum class Liveness : std::uint8_t {
    alive,    ///< it is there
    gone,     ///< it is surely gone
    unknown,  ///< it cannot be looked for from here: another host, say
};
/// Looks for a runner's process. Must neither throw nor call a store.
using RunnerProbe = std::function<Liveness(const RunnerIdentity&)>;

/// The output of an attempt in a file beside the store.
struct OutputFileName {
    std::string path;  ///< as in LogPlace; empty: that of an attempt which runs, known by what follows
    std::string plan;  ///< id
    std::string plan_identity;
    std::string stage;  ///< id
    std::int32_t idx = 0;
};
class OutputFile {
public:
    virtual ~OutputFile() = default;
    [[nodiscard]] virtual std::int64_t size() const = 0;
    /// At most `limit` bytes from `offset` on; fewer only at the end. STORE if they cannot be read.
    [[nodiscard]] virtual std::string read(std::int64_t offset, std::size_t limit) const = 0;
};
/// Null: there is none.
using OpenOutput = std::function<std::unique_ptr<OutputFile>(const OutputFileName&)>;

}  // namespace turboci
