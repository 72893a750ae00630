// SPDX-License-Identifier: Apache-2.0
// Several problems of one request, reported together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "turboci/error.hpp"

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

}  // namespace turboci
