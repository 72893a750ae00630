// SPDX-License-Identifier: Apache-2.0
// System calls that fail when a test wants it.
#pragma once

#include <functional>
#include <string>

namespace turboci::test {

/// As long as it lives, calls of a function of the C library by this program fail: open, fstat, lstat, flock,
/// read, write, pread, pwrite, ftruncate, fchmod, fsync (and fdatasync), link, linkat, unlink, renameat2,
/// getrlimit. Link support/failing_call.cpp.
class FailingCall {
public:
    struct Which {
        int count = 0;  ///< so many calls, 0: all
        int skip = 0;   ///< after so many that are as ever
        std::string path =
            {};         ///< only where this is part of the name of the file, if the function takes one
        int flags = 0;  ///< open only: only with all of these flags
        std::function<void()> before = {};  ///< done at each call meant; with `error` 0 all that is done
    };
    FailingCall(std::string function, int error) : FailingCall(std::move(function), error, Which()) {}
    FailingCall(std::string function, int error, Which which);
    ~FailingCall();
    FailingCall(const FailingCall&) = delete;
    FailingCall& operator=(const FailingCall&) = delete;

    /// How many calls were meant so far.
    [[nodiscard]] int calls() const { return calls_; }
    /// The error that the call gets; 0: it is made. For the functions themselves.
    static int error_of(const char* function, const char* path = "", int flags = 0);

private:
    std::string function_;
    int error_;
    Which which_;
    int seen_ = 0;
    int calls_ = 0;
};

}  // namespace turboci::test
