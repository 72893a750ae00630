// SPDX-License-Identifier: Apache-2.0
#include "os/signals.hpp"

#include <fmt/core.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "turboci/error.hpp"

namespace turboci {

std::string signal_name(int number) {
#ifdef __GLIBC__
    if (const char* name = ::sigabbrev_np(number)) return fmt::format("SIG{}", name);
#endif
    return fmt::format("signal {}", number);
}

std::string signal_text(int number) {
    const std::string name = signal_name(number);
    return name.starts_with("SIG") ? fmt::format("signal {} ({})", number, name) : name;
}

SignalReader::SignalReader(const std::vector<int>& signals) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : signals) {
        struct sigaction now {};
        // nohup(1) means what it says. The others count: shells ignore SIGINT for whatever they put into the
        // background, and kill(1) is meant all the same.
        const bool ignored =
            number == SIGHUP && ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
        if (!ignored) ::sigaddset(&set, number);
    }
    fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd_ < 0) throw Error(ErrorCode::store, fmt::format("cannot watch signals: {}", std::strerror(errno)));
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
}

SignalReader::~SignalReader() {
    // What still waits was meant for the loop that ends here; it must not kill the process on unblocking.
    while (take()) {
    }
    ::close(fd_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalReader::take() {
    signalfd_siginfo info{};
    ssize_t n = 0;
    do {
        n = ::read(fd_, &info, sizeof info);
    } while (n < 0 && errno == EINTR);
    if (n != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

}  // namespace turboci
