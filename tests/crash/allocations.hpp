// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "tracee.hpp"

namespace crash {

/// Counts the traced program's calls of malloc and its relatives by breakpoints, and lets some return NULL.
/// From main on: what the run-time libraries do before it, nobody could answer for.
/// Works on a static program that was not stripped, and on a dynamic one with the system's C library. For
/// programs that start no threads.
class Allocations {
public:
    /// Those from `first` on fail, `count` of them (0: all); none if `first` is 0.
    Allocations(long first, long count) : first_(first), failures_(count) {}

    /// Lets the program, just executed, come to main, and sets the breakpoints.
    void arm(pid_t pid);
    /// True if the trap was one of ours; the thread can go on.
    bool on_trap(pid_t tid);
    long count() const { return count_; }

private:
    struct Point {
        long code = 0;    // the word that the breakpoint's byte is in
        int length = 0;   // of the first instruction, if it is one that can be done here
        int pushed = -1;  // the register that it pushes
        long on_failure = 0;
    };
    void set(pid_t tid, std::uint64_t address, long on_failure);

    long first_;
    long failures_;
    long count_ = 0;
    std::map<std::uint64_t, Point> points_;
};

}  // namespace crash
