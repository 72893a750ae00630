// SPDX-License-Identifier: Apache-2.0
// Signals as file descriptors, and their names.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace turboci {

/// "SIGKILL"; "signal 70" of one without a name.
[[nodiscard]] std::string signal_name(int number);
/// "signal 9 (SIGKILL)".
[[nodiscard]] std::string signal_text(int number);

/// While it lives, a set of signals is blocked in the thread that made it (and those started by that thread)
/// and is read from a descriptor instead. A SIGHUP that
/// the process ignores stays ignored.
class SignalReader {
public:
    /// STORE Error if the kernel has no descriptor to give.
    explicit SignalReader(const std::vector<int>& signals);
    ~SignalReader();
    SignalReader(const SignalReader&) = delete;
    SignalReader& operator=(const SignalReader&) = delete;

    [[nodiscard]] int descriptor() const noexcept { return fd_; }  ///< readable when a signal waits
    [[nodiscard]] std::optional<int> take();                       ///< the next one that waits, if any
    [[nodiscard]] const sigset_t& mask_before() const noexcept { return before_; }

private:
    int fd_ = -1;
    sigset_t before_{};
};

}  // namespace turboci
