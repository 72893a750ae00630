// SPDX-License-Identifier: Apache-2.0
// A stopped thread of the traced program, and the system call that it is in. x86-64 Linux only.
#pragma once

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace crash {

struct Call {
    long number = -1;
    std::array<std::uint64_t, 6> args{};
    long result = 0;
    bool inside = false;
    bool kill_after = false;
    int error = 0;             // what is injected
    std::string before;        // what Recorder keeps from entry to exit
    std::int64_t offset = -1;  // of a write without one

    int fd() const { return static_cast<int>(args[0]); }
    bool is_write() const { return number == SYS_write || number == SYS_pwrite64; }

    /// Is the first argument a descriptor?
    bool is_on_descriptor() const {
        switch (number) {
            case SYS_close:
            case SYS_read:
            case SYS_pread64:
            case SYS_write:
            case SYS_pwrite64:
            case SYS_writev:
            case SYS_lseek:
            case SYS_fsync:
            case SYS_fdatasync:
            case SYS_ftruncate:
            case SYS_fallocate:
            case SYS_fstat:
            case SYS_fcntl:
            case SYS_flock:
            case SYS_getdents64:
            case SYS_fchmod:
            case SYS_fchown:
                return true;
            default:
                return false;
        }
    }

    static bool makes_a_file(std::uint64_t flags) {
        return (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    }
    bool is_change() const {
        switch (number) {
            case SYS_open:
                return makes_a_file(args[1]);
            case SYS_openat:
                return makes_a_file(args[2]);
            case SYS_write:
            case SYS_pwrite64:
            case SYS_writev:
            case SYS_fsync:
            case SYS_fdatasync:
            case SYS_ftruncate:
            case SYS_fallocate:
            case SYS_link:
            case SYS_linkat:
            case SYS_unlink:
            case SYS_unlinkat:
            case SYS_rename:
            case SYS_renameat:
            case SYS_renameat2:
            case SYS_mkdir:
            case SYS_mkdirat:
            case SYS_fchmod:
            case SYS_fchown:
                return true;
            default:
                return false;
        }
    }

    /// Those that change something, on a descriptor, and what else looks at files.
    bool is_io() const {
        if (is_change() || is_on_descriptor()) return true;
        switch (number) {
            case SYS_open:
            case SYS_openat:
            case SYS_stat:
            case SYS_lstat:
            case SYS_newfstatat:
            case SYS_statx:
            case SYS_access:
            case SYS_faccessat:
            case SYS_faccessat2:
            case SYS_readlink:
            case SYS_readlinkat:
            case SYS_getcwd:
                return true;
            default:
                return false;
        }
    }

    std::string name() const {
        switch (number) {
            case SYS_open:
                return "open";
            case SYS_openat:
                return "openat";
            case SYS_close:
                return "close";
            case SYS_read:
                return "read";
            case SYS_pread64:
                return "pread64";
            case SYS_write:
                return "write:" + std::to_string(fd());
            case SYS_pwrite64:
                return "pwrite64:" + std::to_string(fd());
            case SYS_lseek:
                return "lseek";
            case SYS_fsync:
                return "fsync";
            case SYS_fdatasync:
                return "fdatasync";
            case SYS_ftruncate:
                return "ftruncate";
            case SYS_newfstatat:
                return "newfstatat";
            case SYS_fstat:
                return "fstat";
            case SYS_fcntl:
                return "fcntl";
            case SYS_flock:
                return "flock";
            case SYS_linkat:
                return "linkat";
            case SYS_unlink:
                return "unlink";
            case SYS_mkdir:
                return "mkdir";
            case SYS_fchmod:
                return "fchmod";
            case SYS_fchown:
                return "fchown";
            case SYS_readlink:
                return "readlink";
            case SYS_getcwd:
                return "getcwd";
            case SYS_exit_group:
                return "exit_group";
            default:
                return "syscall_" + std::to_string(number);
        }
    }
};

class Tracee {
public:
    explicit Tracee(pid_t tid) : tid_(tid) {}
    pid_t tid() const { return tid_; }

    /// The call that it has just entered.
    Call entered() const {
        const user_regs_struct r = registers();
        Call call;
        call.inside = true;
        call.number = static_cast<long>(r.orig_rax);
        call.args = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
        return call;
    }
    long result() const { return static_cast<long>(registers().rax); }

    /// The call that it is entering does nothing.
    void skip() {
        user_regs_struct r = registers();
        r.orig_rax = ~0ull;
        store(r);
    }
    void set_result(long value) {
        user_regs_struct r = registers();
        r.rax = static_cast<std::uint64_t>(value);
        store(r);
    }
    /// The write that it is entering gets half as far. False: nothing to halve.
    bool halve(Call& call) {
        if (call.args[2] < 2) return false;
        user_regs_struct r = registers();
        r.rdx = call.args[2] = call.args[2] / 2;
        store(r);
        return true;
    }

    user_regs_struct registers() const {
        user_regs_struct r{};
        ::ptrace(PTRACE_GETREGS, tid_, nullptr, &r);
        return r;
    }
    void store(user_regs_struct& r) { ::ptrace(PTRACE_SETREGS, tid_, nullptr, &r); }

    /// Where a descriptor leads: a path, or pipe:[1], anon_inode:[eventfd] and the like.
    std::string descriptor(int fd) const {
        const std::string link = "/proc/" + std::to_string(tid_) + "/fd/" + std::to_string(fd);
        std::array<char, 4096> buffer{};
        const ssize_t n = ::readlink(link.c_str(), buffer.data(), buffer.size());
        return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
    }

    std::string memory(std::uint64_t address, std::size_t size) const {
        std::string bytes(size, '\0');
        iovec here{bytes.data(), size};
        iovec there{reinterpret_cast<void*>(address), size};
        const ssize_t n = ::process_vm_readv(tid_, &here, 1, &there, 1, 0);
        bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return bytes;
    }
    std::string text(std::uint64_t address) const {
        std::string found;
        for (;;) {
            const std::string piece = memory(address, 256 - address % 256);
            const std::size_t end = piece.find('\0');
            found += piece.substr(0, end);
            if (piece.empty() || end != std::string::npos) return found;
            address += piece.size();
        }
    }

private:
    pid_t tid_;
};

}  // namespace crash
