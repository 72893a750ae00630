// SPDX-License-Identifier: Apache-2.0
#include "os/processors.hpp"

#include <filesystem>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace turboci;
using turboci::test::TempDir;

namespace {

/// A machine with control groups as files.
struct Machine {
    TempDir dir;
    std::string mounts;

    void mount(const std::string& root, const std::string& type, const std::string& options) {
        mounts += "30 24 0:26 " + root + " " + (dir / (type + ".d")) + " rw,nosuid shared:9 - " + type +
                  " none " + options + "\n";
        test::write_file(dir / "mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + mounts);
    }
    void file(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(dir / path).parent_path());
        test::write_file(dir / path, text);
    }
    [[nodiscard]] std::optional<int> quota() const { return quota_processors(dir.path()); }
};

}  // namespace

TEST_CASE("A quota of version 2 is rounded up") {
    Machine m;
    m.mount("/", "cgroup2", "rw,nsdelegate");
    m.file("cgroup", "0::/ci.slice/job\n");
    const auto with = [&](const std::string& text) {
        m.file("cgroup2.d/ci.slice/job/cpu.max", text);
        return m.quota();
    };
    CHECK_FALSE(with("max 100000\n"));
    CHECK(with("200000 100000\n") == 2);
    CHECK(with("150000 100000\n") == 2);
    CHECK(with("100001 100000\n") == 2);
    CHECK(with("50000 100000\n") == 1);
    CHECK(with("1000 100000\n") == 1);
    CHECK_FALSE(with(""));
    CHECK_FALSE(with("0 0\n"));
    CHECK_FALSE(with("-1 100000\n"));
}

TEST_CASE("The least of the quotas of a group and those above counts") {
    Machine m;
    m.mount("/", "cgroup2", "rw");
    m.file("cgroup", "0::/a/b/c\n");
    m.file("cgroup2.d/a/b/c/cpu.max", "800000 100000\n");
    CHECK(m.quota() == 8);
    m.file("cgroup2.d/a/cpu.max", "300000 100000\n");
    CHECK(m.quota() == 3);
    m.file("cgroup2.d/a/b/cpu.max", "max 100000\n");
    CHECK(m.quota() == 3);
    m.file("cgroup2.d/cpu.max", "100000 100000\n");
    CHECK(m.quota() == 1);
}

TEST_CASE("A quota of version 1 counts, beside a version 2 that limits no processors") {
    Machine m;
    m.mount("/", "cgroup2", "rw");
    m.mount("/", "cgroup", "rw,cpu,cpuacct");
    m.file("cgroup", "12:memory:/x\n4:cpu,cpuacct:/docker/abc\n3:cpuset:/y\n0::/z\n");
    m.file("cgroup.d/docker/abc/cpu.cfs_period_us", "50000\n");
    m.file("cgroup.d/docker/abc/cpu.cfs_quota_us", "-1\n");
    CHECK_FALSE(m.quota());
    m.file("cgroup.d/docker/abc/cpu.cfs_quota_us", "125000\n");
    CHECK(m.quota() == 3);
}

TEST_CASE("In a container the quota is where its own group is mounted") {
    for (const char* root : {"/docker/abc", "/../..", "/"}) {
        Machine m;
        m.mount(root, "cgroup", "rw,cpu");
        m.file("cgroup.d/cpu.cfs_period_us", "100000\n");
        m.file("cgroup.d/cpu.cfs_quota_us", "400000\n");
        for (const char* group : {"/docker/abc", "/docker/abc/inner", "/../other", "/"}) {
            m.file("cgroup", std::string("4:cpu:") + group + "\n");
            CAPTURE(root, group);
            CHECK(m.quota() == 4);
        }
    }
}

TEST_CASE("Without control groups there is no quota") {
    Machine m;
    CHECK_FALSE(m.quota());
    m.mount("/", "cgroup", "rw,memory");
    CHECK_FALSE(m.quota());
    m.mount("/", "cgroup2", "rw");
    CHECK_FALSE(m.quota());
    m.file("cgroup", "no group\n0:\n");
    CHECK_FALSE(m.quota());
}

TEST_CASE("There is always a processor") {
    CHECK(usable_processors() >= 1);
    CHECK(usable_processors() <= quota_processors().value_or(1 << 20));
}
