// SPDX-License-Identifier: Apache-2.0
#include "allocations.hpp"

#include <elf.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

namespace crash {

namespace {

constexpr long kBreakpoint = 0xCC;
constexpr long kNoOperation = static_cast<long>(0xFA1E0FF3);  // endbr64

std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Unlike elsewhere in the C library, these return an error number.
long failure_of(const std::string& name) { return name == "posix_memalign" ? ENOMEM : 0; }

bool allocates(const std::string& name) {
    return name == "malloc" || name == "calloc" || name == "realloc" || name == "memalign" ||
           name == "posix_memalign" || name == "aligned_alloc";
}

/// Calls f(name, address relative to where the file is loaded) for each function that an ELF file defines.
template <typename F>
void for_each_function(const std::string& elf, F f) {
    Elf64_Ehdr header{};
    std::memcpy(&header, elf.data(), sizeof header);
    const auto section = [&](std::size_t i) {
        Elf64_Shdr s{};
        std::memcpy(&s, elf.data() + header.e_shoff + i * header.e_shentsize, sizeof s);
        return s;
    };
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr table = section(i);
        if (table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) continue;
        const Elf64_Shdr names = section(table.sh_link);
        for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
            Elf64_Sym symbol{};
            std::memcpy(&symbol, elf.data() + table.sh_offset + at, sizeof symbol);
            if (symbol.st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
                f(std::string(elf.data() + names.sh_offset + symbol.st_name), symbol.st_value);
        }
    }
}

std::map<std::uint64_t, long> allocation_functions(const std::string& elf) {
    std::map<std::uint64_t, long> found;
    for_each_function(elf, [&](const std::string& name, std::uint64_t address) {
        if (allocates(name)) found[address] = failure_of(name);
    });
    return found;
}

std::uint64_t entry_point(pid_t pid) {
    const std::string auxv = contents("/proc/" + std::to_string(pid) + "/auxv");
    for (std::size_t at = 0; at + sizeof(Elf64_auxv_t) <= auxv.size(); at += sizeof(Elf64_auxv_t)) {
        Elf64_auxv_t entry{};
        std::memcpy(&entry, auxv.data() + at, sizeof entry);
        if (entry.a_type == AT_ENTRY) return entry.a_un.a_val;
    }
    return 0;
}

long peek(pid_t pid, std::uint64_t address) { return ::ptrace(PTRACE_PEEKTEXT, pid, address, nullptr); }
void poke(pid_t pid, std::uint64_t address, long word) { ::ptrace(PTRACE_POKETEXT, pid, address, word); }
std::uint64_t register_number(const user_regs_struct& r, int number) {
    const std::array<std::uint64_t, 16> all{r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi,
                                            r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15};
    return all[static_cast<std::size_t>(number)];
}
long with_breakpoint(long word) { return (word & ~0xFFL) | kBreakpoint; }

}  // namespace

void Allocations::set(pid_t tid, std::uint64_t address, long on_failure) {
    Point point;
    point.code = peek(tid, address);
    point.on_failure = on_failure;
    // Doing the usual first instructions here saves single steps, and half of the time.
    if ((point.code & 0xFFFFFFFF) == kNoOperation) point.length = 4;
    if ((point.code & 0xF8) == 0x50) {
        point.length = 1;
        point.pushed = static_cast<int>(point.code & 7);
    } else if ((point.code & 0xF8FF) == 0x5041) {
        point.length = 2;
        point.pushed = 8 + static_cast<int>(point.code >> 8 & 7);
    }
    points_[address] = point;
    poke(tid, address, with_breakpoint(point.code));
}

void Allocations::arm(pid_t pid) {
    const std::string program = contents("/proc/" + std::to_string(pid) + "/exe");
    Elf64_Ehdr header{};
    std::memcpy(&header, program.data(), sizeof header);
    std::uint64_t base = entry_point(pid) - header.e_entry;
    std::uint64_t start = 0;
    for_each_function(program, [&](const std::string& name, std::uint64_t address) {
        if (name == "main") start = base + address;
    });
    if (start == 0) {
        std::fputs("crash_tracer: the program's main is not to be found: is it stripped?\n", stderr);
        std::exit(125);
    }
    const long code = peek(pid, start);
    poke(pid, start, with_breakpoint(code));
    ::ptrace(PTRACE_CONT, pid, nullptr, nullptr);
    int status = 0;
    if (::waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status)) std::exit(125);
    poke(pid, start, code);
    Tracee tracee(pid);
    user_regs_struct r = tracee.registers();
    r.rip = start;
    tracee.store(r);

    std::map<std::uint64_t, long> functions = allocation_functions(program);
    if (functions.empty()) {
        std::istringstream maps(contents("/proc/" + std::to_string(pid) + "/maps"));
        for (std::string line; std::getline(maps, line);) {
            if (line.find("/libc.so.6") == std::string::npos) continue;
            base = std::strtoull(line.c_str(), nullptr, 16);
            functions = allocation_functions(contents(line.substr(line.find('/'))));
            break;
        }
    }
    if (functions.empty()) {
        std::fputs("crash_tracer: the program's malloc is not to be found\n", stderr);
        std::exit(125);
    }
    for (const auto& [address, on_failure] : functions) set(pid, base + address, on_failure);
}

bool Allocations::on_trap(pid_t tid) {
    Tracee tracee(tid);
    user_regs_struct r = tracee.registers();
    const auto found = points_.find(r.rip - 1);
    if (found == points_.end()) return false;
    const auto& [address, point] = *found;
    const long n = ++count_;
    if (first_ > 0 && n >= first_ && (failures_ == 0 || n < first_ + failures_)) {
        r.rax = static_cast<std::uint64_t>(point.on_failure);
        r.rip = static_cast<std::uint64_t>(peek(tid, r.rsp));
        r.rsp += 8;
        tracee.store(r);
        return true;
    }
    if (point.pushed >= 0) {
        r.rsp -= 8;
        poke(tid, r.rsp, static_cast<long>(register_number(r, point.pushed)));
    }
    r.rip = address + static_cast<std::uint64_t>(point.length);
    tracee.store(r);
    if (point.length != 0) return true;
    poke(tid, address, point.code);
    int status = 0;
    ::ptrace(PTRACE_SINGLESTEP, tid, nullptr, nullptr);
    ::waitpid(tid, &status, __WALL);
    poke(tid, address, with_breakpoint(point.code));
    return true;
}

}  // namespace crash
