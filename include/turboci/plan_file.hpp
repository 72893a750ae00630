// SPDX-License-Identifier: Apache-2.0
// Plan files: YAML 1.2 core or JSON in, a WriteNodes request with positions out. Input is hostile.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/error.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// Collects problems so that all are reported at once.
class Problems {
public:
    /// At most this many are kept; the rest are counted.
    static constexpr std::size_t kMaxKept = 100;

    void add(ErrorCode code, Position at, std::string message);
    [[nodiscard]] bool empty() const noexcept { return total_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return total_; }
    /// Throws one Error that holds all of them in the order of files, lines, columns. Its code is that
    /// of the first. `files` are the names that positions point into.
    [[noreturn]] void raise(const std::vector<std::string>& files) const;
    void raise_if_any(const std::vector<std::string>& files) const {
        if (!empty()) raise(files);
    }

private:
    struct Problem {
        ErrorCode code;
        Position at;
        std::string message;
    };
    std::vector<Problem> kept_;
    std::size_t total_ = 0;
};

/// One file's name (for messages) and whole text.
struct PlanText {
    std::string name;
    std::string_view text;
};

inline constexpr std::size_t kMaxPlanFileBytes = 256u << 20;
inline constexpr int kMaxNesting = 64;

/// Appends what the file says to `request` (checks, stages, labels, reason, actor, if_version, op_id)
/// and its name to `request.files`. JSON or YAML by content. Problems of form (syntax, unknown and
/// duplicate keys, wrong types, budgets) go to `problems`; what can be read is still read.
void read_plan_text(const PlanText& file, WriteNodes& request, Problems& problems);

/// The JSON Schema (draft 2020-12) of plan files, indented.
[[nodiscard]] std::string_view plan_schema();

}  // namespace turboci
