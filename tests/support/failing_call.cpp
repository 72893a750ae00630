// SPDX-License-Identifier: Apache-2.0
// Takes the place of the C library's functions in a test program. What is not to fail goes to the kernel
// directly: sanitizers call these functions before anything else could be asked.
#ifdef _FILE_OFFSET_BITS
#undef _FILE_OFFSET_BITS  // it would give two functions of one name to whoever defines both
#endif
#include "support/failing_call.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <vector>

// AddressSanitizer calls some of them before it can be asked about memory.
#define TURBOCI_BEFORE_MAIN __attribute__((no_sanitize_address))

namespace turboci::test {

namespace {

std::vector<FailingCall*>* in_force = nullptr;

}  // namespace

FailingCall::FailingCall(std::string function, int error, Which which)
    : function_(std::move(function)), error_(error), which_(std::move(which)) {
    if (in_force == nullptr) in_force = new std::vector<FailingCall*>;
    in_force->push_back(this);
}

FailingCall::~FailingCall() {
    std::erase(*in_force, this);
    if (!in_force->empty()) return;
    delete in_force;
    in_force = nullptr;
}

TURBOCI_BEFORE_MAIN int FailingCall::error_of(const char* function, const char* path, int flags) {
    if (in_force == nullptr) return 0;
    for (FailingCall* f : *in_force) {
        if (f->function_ != function || std::string(path).find(f->which_.path) == std::string::npos) continue;
        if ((flags & f->which_.flags) != f->which_.flags) continue;
        if (f->seen_++ < f->which_.skip) continue;
        if (f->which_.count > 0 && f->calls_ >= f->which_.count) continue;
        ++f->calls_;
        if (f->which_.before) f->which_.before();
        if (f->error_ != 0) return f->error_;
    }
    return 0;
}

namespace {

/// The call itself, unless it is to fail.
template <class... Args>
TURBOCI_BEFORE_MAIN long call(int error, long number, Args... args) {
    if (error != 0) {
        errno = error;
        return -1;
    }
    return ::syscall(number, args...);
}

TURBOCI_BEFORE_MAIN int open_file(const char* path, int flags, va_list arguments) {
    const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    const mode_t mode = makes ? va_arg(arguments, mode_t) : 0;
    return static_cast<int>(
        call(FailingCall::error_of("open", path, flags), SYS_openat, AT_FDCWD, path, flags, mode));
}

}  // namespace

}  // namespace turboci::test

using turboci::test::call;
using turboci::test::FailingCall;

extern "C" {

TURBOCI_BEFORE_MAIN int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const int fd = turboci::test::open_file(path, flags, arguments);
    va_end(arguments);
    return fd;
}
TURBOCI_BEFORE_MAIN int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const int fd = turboci::test::open_file(path, flags, arguments);
    va_end(arguments);
    return fd;
}
TURBOCI_BEFORE_MAIN int fstat(int fd, struct stat* s) noexcept {
    return static_cast<int>(call(FailingCall::error_of("fstat"), SYS_newfstatat, fd, "", s, AT_EMPTY_PATH));
}
TURBOCI_BEFORE_MAIN int fstat64(int fd, struct stat64* s) noexcept {
    return static_cast<int>(call(FailingCall::error_of("fstat"), SYS_newfstatat, fd, "", s, AT_EMPTY_PATH));
}
TURBOCI_BEFORE_MAIN int lstat(const char* path, struct stat* s) noexcept {
    return static_cast<int>(
        call(FailingCall::error_of("lstat", path), SYS_newfstatat, AT_FDCWD, path, s, AT_SYMLINK_NOFOLLOW));
}
TURBOCI_BEFORE_MAIN int lstat64(const char* path, struct stat64* s) noexcept {
    return static_cast<int>(
        call(FailingCall::error_of("lstat", path), SYS_newfstatat, AT_FDCWD, path, s, AT_SYMLINK_NOFOLLOW));
}
TURBOCI_BEFORE_MAIN int flock(int fd, int what) noexcept {
    return static_cast<int>(call(FailingCall::error_of("flock"), SYS_flock, fd, what));
}
TURBOCI_BEFORE_MAIN ssize_t read(int fd, void* to, size_t size) {
    return call(FailingCall::error_of("read"), SYS_read, fd, to, size);
}
TURBOCI_BEFORE_MAIN ssize_t write(int fd, const void* from, size_t size) {
    return call(FailingCall::error_of("write"), SYS_write, fd, from, size);
}
TURBOCI_BEFORE_MAIN ssize_t pread(int fd, void* to, size_t size, off_t at) {
    return call(FailingCall::error_of("pread"), SYS_pread64, fd, to, size, at);
}
TURBOCI_BEFORE_MAIN ssize_t pread64(int fd, void* to, size_t size, off64_t at) {
    return call(FailingCall::error_of("pread"), SYS_pread64, fd, to, size, at);
}
TURBOCI_BEFORE_MAIN ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {
    return call(FailingCall::error_of("pwrite"), SYS_pwrite64, fd, from, size, at);
}
TURBOCI_BEFORE_MAIN ssize_t pwrite64(int fd, const void* from, size_t size, off64_t at) {
    return call(FailingCall::error_of("pwrite"), SYS_pwrite64, fd, from, size, at);
}
// Which of the two SQLite uses depends on how it was built.
TURBOCI_BEFORE_MAIN int fdatasync(int fd) {
    return static_cast<int>(call(FailingCall::error_of("fsync"), SYS_fdatasync, fd));
}
TURBOCI_BEFORE_MAIN int fsync(int fd) {
    return static_cast<int>(call(FailingCall::error_of("fsync"), SYS_fsync, fd));
}
TURBOCI_BEFORE_MAIN int ftruncate(int fd, off_t size) noexcept {
    return static_cast<int>(call(FailingCall::error_of("ftruncate"), SYS_ftruncate, fd, size));
}
TURBOCI_BEFORE_MAIN int ftruncate64(int fd, off64_t size) noexcept {
    return static_cast<int>(call(FailingCall::error_of("ftruncate"), SYS_ftruncate, fd, size));
}
TURBOCI_BEFORE_MAIN int fchmod(int fd, mode_t mode) noexcept {
    return static_cast<int>(call(FailingCall::error_of("fchmod"), SYS_fchmod, fd, mode));
}
TURBOCI_BEFORE_MAIN int link(const char* from, const char* to) noexcept {
    return static_cast<int>(
        call(FailingCall::error_of("link", to), SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}
TURBOCI_BEFORE_MAIN int linkat(int at, const char* from, int to_at, const char* to, int flags) noexcept {
    return static_cast<int>(
        call(FailingCall::error_of("linkat", to), SYS_linkat, at, from, to_at, to, flags));
}
TURBOCI_BEFORE_MAIN int unlink(const char* path) noexcept {
    return static_cast<int>(call(FailingCall::error_of("unlink", path), SYS_unlinkat, AT_FDCWD, path, 0));
}
TURBOCI_BEFORE_MAIN int renameat2(int at, const char* from, int to_at, const char* to,
                                  unsigned flags) noexcept {
    return static_cast<int>(
        call(FailingCall::error_of("renameat2", to), SYS_renameat2, at, from, to_at, to, flags));
}
TURBOCI_BEFORE_MAIN int getrlimit(__rlimit_resource_t what, struct rlimit* limit) noexcept {
    return static_cast<int>(call(FailingCall::error_of("getrlimit"), SYS_prlimit64, 0, what, nullptr, limit));
}
TURBOCI_BEFORE_MAIN int getrlimit64(__rlimit_resource_t what, struct rlimit64* limit) noexcept {
    return static_cast<int>(call(FailingCall::error_of("getrlimit"), SYS_prlimit64, 0, what, nullptr, limit));
}
}
