// SPDX-License-Identifier: Apache-2.0
#include "os/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "turboci/error.hpp"

using namespace turboci;
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
