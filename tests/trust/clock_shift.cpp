// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program, shifts what it takes for the time: by so many nanoseconds as the file named by
// CLOCK_SHIFT_FILE says (eight bytes, read at every look, so that the clock can jump). Only the clock that
// people set; with CLOCK_SHIFT_ALL the clocks that nobody sets too.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t shift() {
    const char* path = std::getenv("CLOCK_SHIFT_FILE");
    if (path == nullptr) return 0;
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    std::int64_t value = 0;
    if (::read(fd, &value, sizeof value) != static_cast<ssize_t>(sizeof value)) value = 0;
    ::close(fd);
    return value;
}

bool is_shifted(clockid_t id) {
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) return true;
    return (id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME) && std::getenv("CLOCK_SHIFT_ALL") != nullptr;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int clock_gettime(clockid_t id, struct timespec* now) noexcept {
    static auto* const real = next<int(clockid_t, struct timespec*)>("clock_gettime");
    const int rc = real(id, now);
    if (rc != 0 || !is_shifted(id)) return rc;
    std::int64_t at = static_cast<std::int64_t>(now->tv_sec) * kSecond + now->tv_nsec + shift();
    if (at < 0) at = 0;
    now->tv_sec = at / kSecond;
    now->tv_nsec = at % kSecond;
    return 0;
}

extern "C" int gettimeofday(struct timeval* now, void*) noexcept {
    struct timespec at {};
    const int rc = clock_gettime(CLOCK_REALTIME, &at);
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return rc;
}

extern "C" time_t time(time_t* to) noexcept {
    struct timespec at {};
    clock_gettime(CLOCK_REALTIME, &at);
    if (to != nullptr) *to = at.tv_sec;
    return at.tv_sec;
}
