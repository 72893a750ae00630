// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/failing_call.hpp"
#include "support/temp_dir.hpp"
#include "turboci/error.hpp"

using namespace turboci;
using Catch::Matchers::Contains;
using turboci::test::Child;
using turboci::test::FailingCall;
using turboci::test::TempDir;

namespace {

std::optional<ErrorCode> acquire(FileLock& lock, Duration timeout = Duration::zero()) {
    try {
        lock.acquire({.at_most = timeout});
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
    CHECK_THROWS_WITH(lock.acquire({.at_most = Duration::zero()}), Contains("turboci run"));
    test::write_file(dir / "l", "\x1b]0;evil\x07\nsecond line");
    CHECK_THROWS_WITH(lock.acquire({.at_most = Duration::zero()}),
                      Contains("evil") && !Contains("\x1b") && !Contains("second"));
    test::write_file(dir / "l", "");
    CHECK_THROWS_WITH(lock.acquire({.at_most = Duration::zero()}), Contains("locked by another process"));
}

TEST_CASE("a wait ends as soon as the holder lets go") {
    TempDir dir;
    Child holder([&](const std::function<void()>& ready) {
        FileLock lock(dir / "l", "holder");
        lock.acquire({.at_most = Duration::zero()});
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
        lock.acquire({.at_most = Duration::zero()});
        ready();
        ::pause();
        return std::string();
    });
    REQUIRE(holder.await());
    holder.kill();
    FileLock lock(dir / "l", "next");
    CHECK_FALSE(acquire(lock));
}

TEST_CASE("who waits and is stopped or killed is in nobody's way, and is not forgotten") {
    TempDir dir;
    FileLock holder(dir / "l", "holder");
    REQUIRE_FALSE(acquire(holder));
    std::vector<std::unique_ptr<Child>> waiters;
    for (int i = 0; i < 4; ++i) {
        waiters.push_back(std::make_unique<Child>([&](const std::function<void()>& ready) {
            FileLock lock(dir / "l", "waiter");
            bool told = false;
            lock.acquire({.at_most = std::chrono::seconds(60), .give_up = [&] {
                              if (!std::exchange(told, true))
                                  ready();  // it has its place in the queue by now
                              return false;
                          }});
            return std::string("done");
        }));
        REQUIRE(waiters.back()->await());
    }
    ::kill(waiters[0]->pid(), SIGSTOP);
    ::kill(waiters[1]->pid(), SIGSTOP);
    waiters[2]->kill();
    holder.release();
    CHECK(waiters[3]->wait() == "done");
    CHECK_FALSE(acquire(holder, std::chrono::seconds(60)));
    ::kill(waiters[0]->pid(), SIGCONT);
    ::kill(waiters[1]->pid(), SIGCONT);
    holder.release();
    CHECK(waiters[0]->wait() == "done");
    CHECK(waiters[1]->wait() == "done");
}

TEST_CASE("who waits does not take the lock of a program that knows no queue, and has it after that") {
    TempDir dir;
    test::write_file(dir / "l", "");
    UniqueFd old(::open((dir / "l").c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::flock(old.get(), LOCK_EX | LOCK_NB) == 0);
    FileLock lock(dir / "l", "me");
    int asked = 0;
    const auto give_up = [&] {
        if (++asked == 5) old.reset();
        return false;
    };
    lock.acquire({.at_most = std::chrono::seconds(60), .give_up = give_up});
    CHECK(asked >= 5);
    CHECK(::flock(UniqueFd(::open((dir / "l").c_str(), O_RDWR)).get(), LOCK_EX | LOCK_NB) != 0);
}

TEST_CASE("a lock that nobody else wants is had at the first try") {
    TempDir dir;
    FileLock lock(dir / "l", "me");
    REQUIRE_FALSE(acquire(lock, std::chrono::seconds(1)));
    lock.release();
    const FailingCall tries("flock", 0, {.before = [] {}});
    REQUIRE_FALSE(acquire(lock, std::chrono::seconds(1)));
    CHECK(tries.calls() == 1);
}

TEST_CASE("a lock file is taken away only by who made it, and others are not fooled") {
    TempDir dir;
    FileLock a(dir / "l", "first"), b(dir / "l", "second"), c(dir / "l", "third");
    REQUIRE_FALSE(acquire(a));
    CHECK(acquire(b) == ErrorCode::locked);  // it has the file open
    a.release_and_remove();
    CHECK_FALSE(a.held());
    CHECK_FALSE(std::filesystem::exists(dir / "l"));
    REQUIRE_FALSE(acquire(b));
    CHECK(acquire(a) == ErrorCode::locked);
    CHECK(acquire(c) == ErrorCode::locked);
    b.release();
    REQUIRE_FALSE(acquire(c));
    c.release_and_remove();
    CHECK(std::filesystem::exists(dir / "l"));
    // It is another's by now.
    REQUIRE_FALSE(acquire(b));
    test::write_file(dir / "new", "");
    std::filesystem::rename(dir / "new", dir / "l");
    b.release_and_remove();
    CHECK(std::filesystem::exists(dir / "l"));
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
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (dir / "sock").copy(&address.sun_path[0], sizeof address.sun_path - 1);
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    FileLock bound(dir / "sock", "me");
    CHECK_THROWS_WITH(bound.acquire({.at_most = Duration::zero()}), Contains("is not a regular file"));
    FileLock device("/dev/null", "me");
    CHECK_THROWS_WITH(device.acquire({.at_most = Duration::zero()}), Contains("is not a regular file"));
    FileLock nowhere(dir / "none/l", "me");
    CHECK(acquire(nowhere) == ErrorCode::store);
}

TEST_CASE("a lock file that is also another file is refused, and nothing is written into it") {
    TempDir dir;
    test::write_file(dir / "other", "precious");
    REQUIRE(::link((dir / "other").c_str(), (dir / "l").c_str()) == 0);
    FileLock lock(dir / "l", "me");
    CHECK_THROWS_WITH(lock.acquire({.at_most = Duration::zero()}), Contains("has 2 names (hard links)"));
    CHECK_FALSE(lock.held());
    CHECK(test::read_file(dir / "other") == "precious");
    ::unlink((dir / "l").c_str());
    REQUIRE_FALSE(acquire(lock));
    lock.release();
    // Made while the file is open.
    test::write_file(dir / "l", "was a lock");
    REQUIRE(::link((dir / "l").c_str(), (dir / "again").c_str()) == 0);
    CHECK(acquire(lock) == ErrorCode::store);
    CHECK(test::read_file(dir / "again") == "was a lock");
}

TEST_CASE(
    "a call that is interrupted is made again, and a filesystem without locks is no place for a store") {
    TempDir dir;
    FileLock lock(dir / "l", "me");
    {
        const FailingCall interrupted("flock", EINTR, {.count = 1});
        CHECK_FALSE(acquire(lock));
    }
    lock.release();
    const FailingCall refused("flock", ENOLCK);
    CHECK_THROWS_WITH(lock.acquire({.at_most = Duration::zero()}),
                      Contains("cannot lock") && Contains("No locks"));
}

TEST_CASE("a lock file that nothing can be learned about is refused") {
    TempDir dir;
    FileLock lock(dir / "l", "me");
    const FailingCall blind("fstat", EIO);
    CHECK(acquire(lock) == ErrorCode::store);
}

TEST_CASE("a lock file that goes away or is replaced while it is locked is made again") {
    TempDir here, there(std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp");
    const std::string link = here / "link";
    REQUIRE(::symlink(here.path().c_str(), link.c_str()) == 0);
    FileLock lock(link + "/l", "me");
    const auto elsewhere = [&] {  // another filesystem where there is one
        ::unlink(link.c_str());
        REQUIRE(::symlink(there.path().c_str(), link.c_str()) == 0);
        test::write_file(there / "l", "");
    };
    {
        const FailingCall replaced("lstat", 0, {.count = 1, .before = elsewhere});
        CHECK_FALSE(acquire(lock));
    }
    CHECK(test::read_file(there / "l").starts_with("pid "));
    lock.release();
    {
        const FailingCall gone("lstat", ENOENT, {.count = 1});
        CHECK_FALSE(acquire(lock));
        CHECK(gone.calls() == 1);
    }
}

TEST_CASE("what the lock file says is short and plain, and not needed to hold the lock") {
    TempDir dir;
    {
        FileLock holder(dir / "l", std::string(1000, 'x') + "\x7f");
        REQUIRE_FALSE(acquire(holder));
        FileLock lock(dir / "l", "me");
        CHECK_THROWS_WITH(lock.acquire({.at_most = Duration::zero()}),
                          Contains("xxx") && !Contains(std::string(300, 'x')));
        test::write_file(dir / "l",
                         "a\x7f"
                         "b");
        CHECK_THROWS_WITH(lock.acquire({.at_most = Duration::zero()}), Contains("a b"));
    }
    const FailingCall full("pwrite", ENOSPC);
    FileLock holder(dir / "l", "holder");
    CHECK_FALSE(acquire(holder));
}

TEST_CASE("a wait can be given up, and nobody need listen to who is waited for") {
    TempDir dir;
    FileLock holder(dir / "l", "holder"), lock(dir / "l", "me");
    REQUIRE_FALSE(acquire(holder));
    int asked = 0;
    CHECK_THROWS_WITH(
        lock.acquire({.at_most = std::chrono::hours(1), .give_up = [&] { return ++asked == 3; }}),
        Contains("is locked by"));
    CHECK(asked == 3);
    CHECK(acquire(lock, FileLock::kPatience + std::chrono::milliseconds(50)) == ErrorCode::locked);
}

TEST_CASE("whoever is faster in making the lock file has made it for all") {
    TempDir dir;
    FileLock lock(dir / "l", "me");
    const FailingCall faster("open", EEXIST, {.count = 1, .path = "/l", .flags = O_CREAT});
    CHECK_FALSE(acquire(lock));
    CHECK(faster.calls() == 1);
}

TEST_CASE("a device without a driver is no lock file") {
    TempDir dir;
    FileLock lock(dir / "l", "me");
    const FailingCall odd("open", ENODEV, {.path = "/l"});
    CHECK(acquire(lock) == ErrorCode::store);
}

TEST_CASE("a lock file that cannot be looked at once it is locked is opened anew") {
    TempDir dir;
    FileLock lock(dir / "l", "me");
    const FailingCall blind("fstat", EIO, {.count = 1, .skip = 1});
    CHECK_FALSE(acquire(lock));
    CHECK(blind.calls() == 1);
}

TEST_CASE("where a stranger has locked all bytes nobody has a place, and the lock is tried all the same") {
    TempDir dir;
    test::write_file(dir / "l", "");
    const UniqueFd stranger(::open((dir / "l").c_str(), O_RDWR | O_CLOEXEC));
    struct flock all {};
    all.l_type = F_WRLCK;
    REQUIRE(::fcntl(stranger.get(), F_OFD_SETLK, &all) == 0);
    FileLock lock(dir / "l", "me");
    CHECK_FALSE(acquire(lock, std::chrono::seconds(10)));
    CHECK(lock.held());
}

TEST_CASE("a lock file goes away only with what has made it, and only if it is still that one") {
    TempDir dir;
    const auto is_there = [&] { return std::filesystem::exists(dir / "l"); };
    FileLock lock(dir / "l", "me");
    lock.release_and_remove();
    for (const char* call : {"fstat", "lstat", "unlink"}) {
        CAPTURE(call);
        FileLock made(dir / "l", "me");
        REQUIRE_FALSE(acquire(made));
        {
            const FailingCall failing(call, EIO);
            made.release_and_remove();
        }
        CHECK(is_there());
        ::unlink((dir / "l").c_str());
    }
    REQUIRE_FALSE(acquire(lock));
    lock.release_and_remove();
    CHECK_FALSE(is_there());
}
