// SPDX-License-Identifier: Apache-2.0
#include "os/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/failing_call.hpp"
#include "support/temp_dir.hpp"
#include "turboci/error.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::FailingCall;
using turboci::test::TempDir;

TEST_CASE("a path is resolved up to its last component") {
    TempDir dir;
    ::mkdir((dir / "real").c_str(), 0700);
    REQUIRE(::symlink("real", (dir / "link").c_str()) == 0);
    const ResolvedPath resolved = resolve_path(dir / "link/../link/file");
    CHECK(resolved.directory == dir / "real");
    CHECK(resolved.path == dir / "real/file");
    CHECK(resolve_path("/file").path == "/file");
    CHECK(resolve_path("/file").directory == "/");
    CHECK(resolve_path("file").path == std::filesystem::current_path().string() + "/file");
    // The file itself is left alone, so that a link can still be seen to be one.
    REQUIRE(::symlink("/nowhere", (dir / "real/l").c_str()) == 0);
    CHECK(resolve_path(dir / "link/l").path == dir / "real/l");
}

TEST_CASE("a path in a directory that is not there is not found") {
    TempDir dir;
    test::write_file(dir / "file", "x");
    for (const char* name : {"none/file", "file/file"}) {
        try {
            static_cast<void>(resolve_path(dir / name));
            FAIL("nothing was thrown");
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::not_found);
        }
    }
}

TEST_CASE("the status of a file tells kind, names and size, and absence") {
    TempDir dir;
    test::write_file(dir / "file", "123");
    REQUIRE(::link((dir / "file").c_str(), (dir / "second").c_str()) == 0);
    REQUIRE(::symlink("file", (dir / "link").c_str()) == 0);
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    CHECK(file_status(dir / "file")->kind == FileStatus::Kind::regular);
    CHECK(file_status(dir / "file")->links == 2);
    CHECK(file_status(dir / "file")->size == 3);
    CHECK(file_status(dir / "link")->kind == FileStatus::Kind::symlink);
    CHECK(file_status(dir / "pipe")->kind == FileStatus::Kind::other);
    CHECK(file_status(dir.path())->kind == FileStatus::Kind::directory);
    CHECK_FALSE(file_status(dir / "none"));
}

TEST_CASE("a descriptor is closed once, by its last owner") {
    int number = -1;
    {
        UniqueFd a(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        number = a.get();
        REQUIRE(a);
        UniqueFd b(std::move(a));
        CHECK(b.get() == number);
        CHECK(::fcntl(number, F_GETFD) >= 0);
        b = UniqueFd(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
        CHECK(b);
    }
    CHECK(::fcntl(number, F_GETFD) < 0);
}

TEST_CASE("writing to what is full or read-only gives the reason") {
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    CHECK(write_all(full.get(), "x") == ENOSPC);
    CHECK(write_all(full.get(), "") == 0);
    const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK(write_all(null.get(), "x") == EBADF);
    CHECK(sync_directory("/none") == ENOENT);
    CHECK(errno_text(ENOENT) == "No such file or directory");
    TempDir dir;
    CHECK(sync_directory(dir.path()) == 0);
}

TEST_CASE("a path that may not be looked at says so") {
    TempDir dir;
    test::write_file(dir / "file", "x");
    CHECK_THROWS_WITH(file_status(dir / "file/below"),
                      Contains("cannot look at") && Contains("Not a directory"));
    std::filesystem::create_directories(dir / "closed/inside");
    ::chmod((dir / "closed").c_str(), 0000);
    ::chmod(dir.path().c_str(), 0755);
    const std::string answer = test::as_nobody([&] {
        static_cast<void>(resolve_path(dir / "closed/inside/file"));
        return std::string("was resolved");
    });
    CHECK_THAT(answer, Contains("cannot reach") && Contains("Permission denied"));
}

TEST_CASE("a write that is interrupted goes on") {
    TempDir dir;
    const UniqueFd file(::open((dir / "f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const FailingCall interrupted("write", EINTR, {.count = 1});
    CHECK(write_all(file.get(), "all of it") == 0);
    CHECK(test::read_file(dir / "f") == "all of it");
}

TEST_CASE("a file gets a new name and never another one's, on old filesystems too") {
    TempDir dir;
    test::write_file(dir / "a", "a");
    test::write_file(dir / "b", "b");
    CHECK(rename_to_new(dir / "a", dir / "b") == EEXIST);
    CHECK(rename_to_new(dir / "a", dir / "c") == 0);
    for (const int old : {EINVAL, ENOSYS}) {
        const FailingCall unknown("renameat2", old);
        CHECK(rename_to_new(dir / "c", dir / "b") == EEXIST);
        CHECK(rename_to_new(dir / "c", dir / "d") == 0);
        CHECK(rename_to_new(dir / "d", dir / "c") == 0);
        const FailingCall stuck("unlink", EPERM);
        CHECK(rename_to_new(dir / "c", dir / "e") == EPERM);
        ::rename((dir / "e").c_str(), (dir / "c").c_str());
        std::filesystem::remove(dir / "e");
    }
    CHECK(test::read_file(dir / "b") == "b");
    CHECK(test::read_file(dir / "c") == "a");
}

TEST_CASE("a directory that cannot be synced is an error where a sync means something") {
    TempDir dir;
    for (const auto& [error, answer] : {std::pair(EIO, EIO), std::pair(EINVAL, 0), std::pair(EROFS, 0)}) {
        const FailingCall broken("fsync", error);
        CHECK(sync_directory(dir.path()) == answer);
    }
}

TEST_CASE("a descriptor that is moved to itself stays open") {
    UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    UniqueFd& same = fd;
    fd = std::move(same);
    CHECK(fd);
}

TEST_CASE("a file is the same one by its number and its file system, whatever its name") {
    struct stat a {};
    a.st_dev = 1;
    a.st_ino = 2;
    struct stat b = a;
    b.st_size = 3;
    CHECK(is_same_file(a, b));
    b.st_ino = 4;
    CHECK_FALSE(is_same_file(a, b));
    b = a;
    b.st_dev = 5;
    CHECK_FALSE(is_same_file(a, b));
}
