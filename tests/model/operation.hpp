// SPDX-License-Identifier: Apache-2.0
// What a sequence is made of: requests over a small space of names, so that they meet often.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model.hpp"
#include "turboci/requests.hpp"

namespace turboci::model {

/// Where a generator's choices come from.
class Choices {
public:
    virtual ~Choices() = default;
    /// 0 to n - 1; n at most 256.
    virtual std::uint32_t pick(std::uint32_t n) = 0;
    [[nodiscard]] virtual bool exhausted() const { return false; }
    /// True once in `n` times.
    bool once_in(std::uint32_t n) { return pick(n) == n - 1; }
};

/// Pseudo-random choices: the same seed, the same choices, on any machine. Source: splitmix64.
class RandomChoices final : public Choices {
public:
    explicit RandomChoices(std::uint64_t seed) : state_(seed) {}
    std::uint32_t pick(std::uint32_t n) override {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return static_cast<std::uint32_t>((z ^ (z >> 31)) >> 32) % n;
    }

private:
    std::uint64_t state_;
};

/// A fuzzer's bytes, one a choice; the first choice of each kind once they are used up.
class ByteChoices final : public Choices {
public:
    explicit ByteChoices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    std::uint32_t pick(std::uint32_t n) override {
        if (bytes_.empty()) return 0;
        const std::uint32_t choice = bytes_.front() % n;
        bytes_ = bytes_.subspan(1);
        return choice;
    }
    [[nodiscard]] bool exhausted() const override { return bytes_.empty(); }

private:
    std::span<const std::uint8_t> bytes_;
};

enum class OperationKind : std::uint8_t {
    write,
    claim,  ///< a write through Service::claim()
    rerun,  ///< a new plan from one that is there
    tick,
    beat,  ///< of a holder
    die,   ///< the process of a runner ends
    wait,  ///< nothing but the pause
};

/// What a rerun is asked for besides its definitions.
struct RerunWish {
    bool redefines = false;
    bool fork = false;
    bool takes_id = false;  ///< the new plan is to have an id that exists
    std::vector<RefText> again;
};

struct Operation {
    OperationKind kind = OperationKind::write;
    Duration pause{0};      ///< how far all clocks go on before it
    Duration wall_jump{0};  ///< how far the wall clock alone jumps before it, either way
    bool reboot = false;    ///< whether the machine starts anew before it
    WriteNodes request;     ///< `plan` and `token` are filled in when it runs
    std::optional<ModelToken> token;
    std::string holder;    ///< that beats
    std::int64_t pid = 0;  ///< that dies
    std::size_t back = 0;  ///< it is about the plan that was made so many plans before the newest
    RerunWish rerun;       ///< `request` has the definitions
};
/// Takes all clocks to where `operation` happens. Boots are "boot-1", "boot-2" and so on.
inline void pass_time(ClockReading& clock, const Operation& operation) {
    clock.wall += operation.pause + operation.wall_jump;
    clock.since_boot += operation.pause;
    if (!operation.reboot) return;
    clock.boot_id = "boot-" + std::to_string(std::stoll(clock.boot_id.substr(5)) + 1);
    clock.since_boot = std::chrono::seconds(10);
}

using Operations = std::vector<Operation>;

inline constexpr std::size_t kMaxOperations = 50;

/// Up to kMaxOperations; the first creates the plan.
[[nodiscard]] Operations generate(Choices& choices);

/// One line an operation, in something like the language of plan files.
[[nodiscard]] std::string describe(const Operation& operation);
[[nodiscard]] std::string describe(const Operations& operations);

/// Operations that ask for a little less than `operation`, the boldest first.
[[nodiscard]] std::vector<Operation> simpler(const Operation& operation);

}  // namespace turboci::model
