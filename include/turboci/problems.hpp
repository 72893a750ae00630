// SPDX-License-Identifier: Apache-2.0
// Several problems of one request, reported together.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "turboci/error.hpp"

namespace turboci {

/// Collects problems so that all are reported at once.
class Problems {
public:
    /// At most this many are kept; the rest are counted.
    static constexpr std::size_t kMaxKept = 100;

    /// What was said of the same place already is no other problem: nodes of one matrix have one place.
    /// `reason` and `facts` are those of the Error if it is the only problem; see Error::because().
    void add(ErrorCode code, Position at, std::string message, std::string reason = {},
             ErrorFacts facts = {});
    /// What is no problem but probably not what was meant. Kept as many as problems.
    void warn(Position at, std::string message);
    /// The warnings, each as one line with its place.
    [[nodiscard]] std::vector<std::string> warnings(const std::vector<std::string>& files) const;
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
        std::string reason;
        ErrorFacts facts;
    };
    std::vector<Problem> kept_;
    std::size_t total_ = 0;
    std::vector<std::pair<Position, std::string>> warnings_;
    std::size_t more_warnings_ = 0;  ///< beyond those that are kept
};

}  // namespace turboci
