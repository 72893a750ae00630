// SPDX-License-Identifier: Apache-2.0
#include "turboci/time.hpp"

#include <unistd.h>

#include <array>
#include <fstream>

namespace turboci {

namespace {

// The inode of the first time namespace (PROC_TIME_INIT_INO of the kernel).
constexpr std::string_view kFirstTimeNamespace = "time:[4026531834]";

std::string link_text(const std::string& path) {
    std::array<char, 64> text{};
    const ssize_t n = ::readlink(path.c_str(), text.data(), text.size());
    return {text.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

}  // namespace

const std::string& current_boot_id() {
    static const std::string kId = [] {
        std::ifstream in("/proc/sys/kernel/random/boot_id");
        std::string id;
        std::getline(in, id);
        return id;
    }();
    return kId;
}

std::optional<Duration> boot_time_offset(const std::string& proc) {
    const std::string space = link_text(proc + "/self/ns/time");
    if (space == kFirstTimeNamespace) return Duration::zero();
    if (space.empty()) {
        // Either the kernel is too old to have any, or we are not to be seen in this /proc.
        if (link_text(proc + "/self/ns/pid").empty()) return std::nullopt;
        return Duration::zero();
    }
    // The file tells of the namespace of our children.
    if (link_text(proc + "/self/ns/time_for_children") != space) return std::nullopt;
    std::ifstream in(proc + "/self/timens_offsets");
    std::string clock;
    std::int64_t seconds = 0, nanoseconds = 0;
    while (in >> clock >> seconds >> nanoseconds) {
        if (clock != "boottime" && clock != "7") continue;
        return std::chrono::duration_cast<Duration>(std::chrono::seconds(seconds) +
                                                    std::chrono::nanoseconds(nanoseconds));
    }
    return std::nullopt;
}

std::optional<Duration> boot_time_offset() {
    static const std::optional<Duration> kOffset = boot_time_offset("/proc");
    return kOffset;
}

}  // namespace turboci
