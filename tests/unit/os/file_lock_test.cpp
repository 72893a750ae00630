// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/temp_dir.hpp"
#include "turboci/error.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::Child;
using turboci::test::TempDir;

namespace {

std::optional<ErrorCode> acquire(FileLock& lock, Duration timeout = Duration::zero()) {
    try {
        lock.acquire(timeout, nullptr);
    } catch (const Error& e) {
        return e.code();
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("a lock excludes everybody else until it is released") {
    TempDir dir;
    FileLock a(dir / "l", "first"), b(dir / "l", "second");
    CHECK_FALSE(acquire(a));
    CHECK(a.held());
    CHECK(acquire(b) == ErrorCode::locked);
    CHECK_FALSE(b.held());
    a.release();
    CHECK_FALSE(acquire(b));
    b.release();
    b.release();
    CHECK_FALSE(acquire(a));
    CHECK(acquire(a) == ErrorCode::internal);
}

TEST_CASE("the lock file tells who holds it, and stays when it is free") {
    TempDir dir;
    {
        FileLock lock(dir / "l", "turboci nodes\nwrite\x1b[31m");
        REQUIRE_FALSE(acquire(lock));
        const std::string text = test::read_file(dir / "l");
        CHECK_THAT(text,
                   Contains("pid " + std::to_string(::getpid()) + " (turboci nodes write [31m) since 20"));
        CHECK(text.find('\n') == text.size() - 1);
    }
    CHECK(std::filesystem::exists(dir / "l"));
    test::write_file(dir / "l", std::string(5000, 'x'));
    FileLock lock(dir / "l", "again");
    REQUIRE_FALSE(acquire(lock));
    CHECK_THAT(test::read_file(dir / "l"), Contains("(again)") && !Contains("xxx"));
}

TEST_CASE("a lock that is not to be had names its holder, as far as the file can be trusted") {
    TempDir dir;
    FileLock holder(dir / "l", "turboci run");
    REQUIRE_FALSE(acquire(holder));
    FileLock lock(dir / "l", "me");
    CHECK_THROWS_WITH(lock.acquire(Duration::zero(), nullptr), Contains("turboci run"));
    test::write_file(dir / "l", "\x1b]0;evil\x07\nsecond line");
    CHECK_THROWS_WITH(lock.acquire(Duration::zero(), nullptr),
                      Contains("evil") && !Contains("\x1b") && !Contains("second"));
    test::write_file(dir / "l", "");
    CHECK_THROWS_WITH(lock.acquire(Duration::zero(), nullptr), Contains("locked by another process"));
}

TEST_CASE("a wait ends as soon as the holder lets go") {
    TempDir dir;
    Child holder([&](const std::function<void()>& ready) {
        FileLock lock(dir / "l", "holder");
        lock.acquire(Duration::zero(), nullptr);
        ready();
        ::usleep(50'000);
        return std::string("released");
    });
    REQUIRE(holder.await());
    FileLock lock(dir / "l", "waiter");
    CHECK(acquire(lock) == ErrorCode::locked);
    CHECK_FALSE(acquire(lock, std::chrono::seconds(60)));
    CHECK(holder.wait() == "released");
}

TEST_CASE("the kernel frees the lock of a process that is killed, even with a child that it forked") {
    TempDir dir;
    Child holder([&](const std::function<void()>& ready) {
        FileLock lock(dir / "l", "holder");
        lock.acquire(Duration::zero(), nullptr);
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    holder.kill();
    FileLock lock(dir / "l", "next");
    CHECK_FALSE(acquire(lock));
}

TEST_CASE("a lock file that was deleted or replaced is not taken for the lock") {
    TempDir dir;
    FileLock a(dir / "l", "first"), b(dir / "l", "second");
    REQUIRE_FALSE(acquire(a));
    a.release();
    ::unlink((dir / "l").c_str());
    REQUIRE_FALSE(acquire(b));
    CHECK(acquire(a) == ErrorCode::locked);
}

TEST_CASE("what is not a regular file is not a lock") {
    TempDir dir;
    REQUIRE(::symlink((dir / "target").c_str(), (dir / "link").c_str()) == 0);
    FileLock link(dir / "link", "me");
    CHECK(acquire(link) == ErrorCode::store);
    CHECK_FALSE(std::filesystem::exists(dir / "target"));
    ::mkdir((dir / "dir").c_str(), 0700);
    FileLock directory(dir / "dir", "me");
    CHECK(acquire(directory) == ErrorCode::store);
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    FileLock pipe(dir / "pipe", "me");
    CHECK(acquire(pipe) == ErrorCode::store);
    FileLock nowhere(dir / "none/l", "me");
    CHECK(acquire(nowhere) == ErrorCode::store);
}
