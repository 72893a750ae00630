// SPDX-License-Identifier: Apache-2.0
// The control of the tests under ThreadSanitizer: keeps the rule of StoreThread, or breaks it.
#include <atomic>
#include <cstdio>
#include <string_view>
#include <thread>

#include "runner/store_thread.hpp"

int main(int argc, char** argv) {
    const bool breaks = argc == 2 && std::string_view(argv[1]) == "break";
    // Apart, as the sanitizer remembers only the last few accesses to each eight bytes.
    alignas(64) int works_on = 0;
    alignas(64) std::atomic<bool> worked = false;
    turboci::StoreThread store_thread([] {});
    store_thread.submit([&] {
        works_on = 1;
        worked.store(true, std::memory_order_relaxed);  // orders nothing
    });
    while (!worked.load(std::memory_order_relaxed)) std::this_thread::yield();
    if (!breaks) store_thread.finish();
    std::printf("works on %d\n", works_on);
    if (breaks) store_thread.finish();
    return 0;
}
