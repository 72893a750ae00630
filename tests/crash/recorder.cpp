// SPDX-License-Identifier: Apache-2.0
#include "recorder.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace crash {

namespace {

std::string proc(const Tracee& tracee, const std::string& what) {
    return "/proc/" + std::to_string(tracee.tid()) + "/" + what;
}

std::string link_target(const std::string& path) {
    std::array<char, 4096> buffer{};
    const ssize_t n = ::readlink(path.c_str(), buffer.data(), buffer.size());
    return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

/// The offset where a write() will begin.
std::int64_t position(const Tracee& tracee, int fd) {
    FILE* in = std::fopen(proc(tracee, "fdinfo/" + std::to_string(fd)).c_str(), "r");
    if (in == nullptr) return -1;
    long long offset = -1;
    unsigned flags = 0;
    if (std::fscanf(in, "pos: %lld flags: %o", &offset, &flags) != 2) offset = -1;
    std::fclose(in);
    struct stat s {};
    if ((flags & O_APPEND) != 0 && ::stat(proc(tracee, "fd/" + std::to_string(fd)).c_str(), &s) == 0)
        offset = s.st_size;
    return offset;
}

std::uint64_t open_flags(const Call& call) { return call.args[call.number == SYS_open ? 1 : 2]; }

}  // namespace

Recorder::Recorder(const char* file, std::string directory) : directory_(std::move(directory)) {
    if (file == nullptr) return;
    out_ = std::fopen(file, "a");
    if (out_ == nullptr) std::exit(125);
}

Recorder::~Recorder() {
    if (out_ != nullptr) std::fclose(out_);
}

void Recorder::acknowledge() {
    if (out_ != nullptr) std::fputs("ack\n", out_);
}

std::string Recorder::name(const Tracee& tracee, const Call& call, int at, std::size_t path) const {
    std::string text = tracee.text(call.args[path]);
    if (text.empty() || text.front() != '/') {
        const int fd = at < 0 ? AT_FDCWD : static_cast<int>(call.args[static_cast<std::size_t>(at)]);
        text = (fd == AT_FDCWD ? link_target(proc(tracee, "cwd")) : tracee.descriptor(fd)) + "/" + text;
    }
    const std::size_t slash = text.rfind('/');
    return text.substr(0, slash) == directory_ ? text.substr(slash + 1) : "";
}

std::uint64_t Recorder::inode_of(const Tracee& tracee, int fd) const {
    const std::string target = tracee.descriptor(fd);
    if (target.substr(0, target.rfind('/')) != directory_) return 0;
    struct stat s {};
    if (::stat(proc(tracee, "fd/" + std::to_string(fd)).c_str(), &s) != 0 || !S_ISREG(s.st_mode)) return 0;
    return s.st_ino;
}

bool Recorder::is_directory(const Tracee& tracee, int fd) const {
    return tracee.descriptor(fd) == directory_;
}

void Recorder::before(const Tracee& tracee, Call& call) {
    if (out_ == nullptr) return;
    switch (call.number) {
        case SYS_open:
        case SYS_openat: {
            call.before =
                name(tracee, call, call.number == SYS_open ? -1 : 0, call.number == SYS_open ? 0 : 1);
            struct stat s {};
            // "*": there already, so opening creates nothing.
            if (!call.before.empty() && ::lstat((directory_ + "/" + call.before).c_str(), &s) == 0)
                call.before.insert(0, "*");
            break;
        }
        case SYS_write:
            call.offset = position(tracee, call.fd());
            break;
        default:
            break;
    }
}

void Recorder::opened(const Tracee& tracee, const Call& call, std::uint64_t flags) {
    const std::uint64_t inode = inode_of(tracee, static_cast<int>(call.result));
    if (inode == 0) return;
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        std::fprintf(out_, "tmpfile %lu\n", inode);
    } else if (call.before.front() != '*') {
        std::fprintf(out_, "create %lu %s\n", inode, call.before.c_str());
    } else if ((flags & O_TRUNC) != 0) {
        std::fprintf(out_, "trunc %lu 0\n", inode);
    }
}

void Recorder::wrote(const Tracee& tracee, const Call& call) {
    const std::uint64_t inode = inode_of(tracee, call.fd());
    if (inode == 0 || call.result == 0) return;
    const std::int64_t offset =
        call.number == SYS_write ? call.offset : static_cast<std::int64_t>(call.args[3]);
    std::fprintf(out_, "write %lu %ld ", inode, offset);
    for (const char c : tracee.memory(call.args[1], static_cast<std::size_t>(call.result)))
        std::fprintf(out_, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    std::fputc('\n', out_);
}

void Recorder::after(const Tracee& tracee, const Call& call) {
    if (out_ == nullptr || call.result < 0) return;
    switch (call.number) {
        case SYS_open:
        case SYS_openat:
            return opened(tracee, call, open_flags(call));
        case SYS_write:
        case SYS_pwrite64:
            return wrote(tracee, call);
        case SYS_ftruncate:
            if (const std::uint64_t inode = inode_of(tracee, call.fd()); inode != 0)
                std::fprintf(out_, "trunc %lu %lu\n", inode, call.args[1]);
            return;
        case SYS_fsync:
        case SYS_fdatasync:
            if (is_directory(tracee, call.fd())) {
                std::fputs("syncdir\n", out_);
            } else if (const std::uint64_t inode = inode_of(tracee, call.fd()); inode != 0) {
                std::fprintf(out_, "sync %lu\n", inode);
            }
            return;
        case SYS_link:
        case SYS_linkat: {
            const bool at = call.number == SYS_linkat;
            const std::string to = name(tracee, call, at ? 2 : -1, at ? 3 : 1);
            struct stat s {};
            if (!to.empty() && ::stat((directory_ + "/" + to).c_str(), &s) == 0)
                std::fprintf(out_, "link %lu %s\n", s.st_ino, to.c_str());
            return;
        }
        case SYS_unlink:
        case SYS_unlinkat: {
            const bool at = call.number == SYS_unlinkat;
            const std::string gone = name(tracee, call, at ? 0 : -1, at ? 1 : 0);
            if (!gone.empty()) std::fprintf(out_, "unlink %s\n", gone.c_str());
            return;
        }
        case SYS_rename:
        case SYS_renameat:
        case SYS_renameat2: {
            const bool at = call.number != SYS_rename;
            const std::string from = name(tracee, call, at ? 0 : -1, at ? 1 : 0);
            const std::string to = name(tracee, call, at ? 2 : -1, at ? 3 : 1);
            const bool exchange = call.number == SYS_renameat2 && (call.args[4] & RENAME_EXCHANGE) != 0;
            if (from.empty() && to.empty()) return;
            if (from.empty() || to.empty() || exchange) {
                std::fprintf(out_, "unmodelled %s\n", call.name().c_str());
            } else {
                std::fprintf(out_, "rename %s %s\n", from.c_str(), to.c_str());
            }
            return;
        }
        case SYS_mmap:
            if ((call.args[3] & MAP_SHARED) == 0 || (call.args[2] & PROT_WRITE) == 0 ||
                inode_of(tracee, static_cast<int>(call.args[4])) == 0)
                return;
            [[fallthrough]];
        case SYS_truncate:
            std::fprintf(out_, "unmodelled %s\n", call.name().c_str());
            return;
        case SYS_writev:
        case SYS_pwritev:
        case SYS_pwritev2:
        case SYS_fallocate:
        case SYS_sync_file_range:
            if (inode_of(tracee, call.fd()) != 0) std::fprintf(out_, "unmodelled %s\n", call.name().c_str());
            return;
        default:
            return;
    }
}

}  // namespace crash
