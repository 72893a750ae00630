// SPDX-License-Identifier: Apache-2.0
#include "cost/steps.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstddef>

namespace {

std::atomic<std::uint64_t> count{0};

void add(std::uint64_t more) noexcept { count.fetch_add(more, std::memory_order_relaxed); }

}  // namespace

// Called by the compiler at each branch, and by the linker in place of the functions that are wrapped.
extern "C" {
void __sanitizer_cov_trace_pc() { add(1); }

void* __real_memcpy(void* to, const void* from, std::size_t size);
void* __real_memmove(void* to, const void* from, std::size_t size);
int __real_memcmp(const void* a, const void* b, std::size_t size);
int __real_sqlite3_step(sqlite3_stmt* statement);

void* __wrap_memcpy(void* to, const void* from, std::size_t size) {
    add(size / 8);
    return __real_memcpy(to, from, size);
}
void* __wrap_memmove(void* to, const void* from, std::size_t size) {
    add(size / 8);
    return __real_memmove(to, from, size);
}
int __wrap_memcmp(const void* a, const void* b, std::size_t size) {
    add(size / 8);
    return __real_memcmp(a, b, size);
}
int __wrap_sqlite3_step(sqlite3_stmt* statement) {
    const int result = __real_sqlite3_step(statement);
    add(static_cast<std::uint64_t>(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1)));
    return result;
}
}

namespace turboci::test {

std::uint64_t steps() noexcept { return count.load(std::memory_order_relaxed); }

}  // namespace turboci::test
