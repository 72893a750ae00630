// SPDX-License-Identifier: Apache-2.0
// Plan files: YAML 1.2 core or JSON in, a WriteNodes request with positions out. Input is hostile.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "turboci/problems.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// One file's name (for messages) and whole text.
struct PlanText {
    std::string name;
    std::string_view text;
};

inline constexpr std::size_t kMaxPlanFileBytes = 256u << 20;

/// Reads the files of one write, which may refer to each other's matrices. Problems of form (syntax, unknown
/// and duplicate keys, wrong types, budgets) go to `problems`; what can be read is still read.
class PlanFileReader {
public:
    /// Both must outlive it.
    PlanFileReader(WriteNodes& request, Problems& problems);
    ~PlanFileReader();
    PlanFileReader(const PlanFileReader&) = delete;
    PlanFileReader& operator=(const PlanFileReader&) = delete;

    /// Appends what the file says to the request (checks, stages, labels, reason, actor, if_version, op_id)
    /// and its name to WriteNodes::files. JSON or YAML by content. True if the file was read to its end, so
    /// that what it lacks is really not there.
    bool read(const PlanText& file);
    /// After the last file: puts the nodes that a matrix stands for into the places where it is referred to.
    /// Until then such references are as they were written. False if some of them mean nothing.
    bool finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The same for one file that is the whole of a write.
bool read_plan_text(const PlanText& file, WriteNodes& request, Problems& problems);

/// The JSON Schema (draft 2020-12) of plan files, indented.
[[nodiscard]] std::string_view plan_schema();

}  // namespace turboci
