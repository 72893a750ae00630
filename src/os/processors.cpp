// SPDX-License-Identifier: Apache-2.0
#include "os/processors.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace turboci {

namespace {

/// Where a hierarchy of control groups is to be seen.
struct Mount {
    std::string root;  ///< the group that is at `point`
    std::string point;
    bool unified = false;  ///< version 2
};

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (list.substr(0, comma) == word) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

/// In proc(5): "36 35 98:0 /root /point options [fields…] - type source options", blanks and the like as
/// \040.
std::vector<Mount> cpu_mounts(const std::string& proc) {
    std::vector<Mount> mounts;
    std::ifstream in(proc + "/mountinfo");
    for (std::string line; std::getline(in, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        std::istringstream front(line.substr(0, dash)), back(line.substr(dash + 3));
        std::string ignored, type, source, options;
        Mount mount;
        front >> ignored >> ignored >> ignored >> mount.root >> mount.point;
        back >> type >> source >> options;
        mount.unified = type == "cgroup2";
        if (mount.unified || (type == "cgroup" && has_word(options, "cpu"))) mounts.push_back(mount);
    }
    return mounts;
}

/// The group of version 2, or that of version 1 in which processors are limited. In the file:
/// "4:cpu,cpuacct:/a/b" or "0::/a/b".
std::optional<std::string> group_of(const std::string& proc, bool unified) {
    std::ifstream in(proc + "/cgroup");
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
        if (unified ? controllers.empty() : has_word(controllers, "cpu")) return line.substr(second + 1);
    }
    return std::nullopt;
}

/// What the one group in `folder` allows.
std::optional<int> quota_in(const std::string& folder, bool unified) {
    std::int64_t quota = -1, period = 0;
    if (unified) {
        std::ifstream(folder + "/cpu.max") >> quota >> period;  // "max 100000" is no number
    } else {
        std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
        std::ifstream(folder + "/cpu.cfs_period_us") >> period;
    }
    if (quota <= 0 || period <= 0) return std::nullopt;
    return static_cast<int>(std::min<std::int64_t>((quota - 1) / period + 1, INT_MAX));
}

}  // namespace

std::optional<int> quota_processors(const std::string& proc) {
    std::optional<int> least;
    for (const Mount& mount : cpu_mounts(proc)) {
        std::optional<std::string> group = group_of(proc, mount.unified);
        if (!group) continue;
        // A container may see its own group at the mount point, by whatever name the machine calls it.
        if (mount.root != "/" && group->starts_with(mount.root))
            group->erase(0, mount.root.size());
        else if (mount.root != "/" || group->find("/..") != std::string::npos)
            group->clear();
        while (true) {
            if (const auto quota = quota_in(mount.point + *group, mount.unified))
                least = std::min(least.value_or(INT_MAX), *quota);
            const std::size_t slash = group->rfind('/');
            if (slash == std::string::npos) break;
            group->erase(slash);
        }
    }
    return least;
}

int usable_processors() {
    cpu_set_t set;
    int count = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    // More than fit into the set.
    if (count <= 0) count = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    return std::max(1, std::min(count, quota_processors().value_or(INT_MAX)));
}

}  // namespace turboci
