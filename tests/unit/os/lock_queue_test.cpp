// SPDX-License-Identifier: Apache-2.0
#include "os/lock_queue.hpp"

#include <fcntl.h>

#include <memory>
#include <vector>

#include "os/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace turboci;
using namespace std::chrono_literals;
using turboci::test::TempDir;

namespace {

/// Waiters with descriptors of their own, as in processes of their own.
struct Waiters {
    TempDir dir;
    std::vector<UniqueFd> files;
    std::vector<std::unique_ptr<LockQueue>> queues;
    LockQueue::Time now{};

    UniqueFd open() { return UniqueFd(::open((dir / "l").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)); }
    LockQueue& add() {
        files.push_back(open());
        queues.push_back(std::make_unique<LockQueue>());
        REQUIRE(queues.back()->join(files.back().get()));
        return *queues.back();
    }
    /// Which of them may try now: "1010".
    std::string may_try() {
        std::string all;
        for (const auto& queue : queues) all += !queue->joined() ? '-' : queue->may_try(now) ? '1' : '0';
        return all;
    }
};

}  // namespace

TEST_CASE("those that wait take turns in the order in which they came") {
    Waiters w;
    for (int i = 0; i < 5; ++i) w.add();
    CHECK(w.may_try() == "10000");
    w.queues[0]->leave();
    CHECK(w.may_try() == "-1000");
    w.queues[1]->leave();
    w.add();
    CHECK(w.may_try() == "--1000");
    // Out of turn: the others keep their places.
    w.queues[4]->leave();
    CHECK(w.may_try() == "--10-0");
    for (const int i : {2, 3, 5}) w.queues[static_cast<std::size_t>(i)]->leave();
    w.add();
    CHECK(w.may_try() == "------1");
}

TEST_CASE("whether anybody waits is seen from outside, and ends with the descriptor") {
    Waiters w;
    const UniqueFd other = w.open();
    CHECK_FALSE(LockQueue::is_used(other.get()));
    w.add();
    w.add();
    CHECK(LockQueue::is_used(other.get()));
    w.files[0].reset();  // as the kernel does for the dead
    w.queues[0] = std::make_unique<LockQueue>();
    CHECK(w.may_try() == "-1");
    w.queues[1]->leave();
    CHECK_FALSE(LockQueue::is_used(other.get()));
}

TEST_CASE("who does not take a free lock is passed over after a while, and then for good") {
    Waiters w;
    for (int i = 0; i < 5; ++i) w.add();
    CHECK(w.may_try() == "10000");
    // The first is stopped. The second looks first, as the third might be in vain.
    w.now += LockQueue::kPatience - 1ms;
    CHECK(w.may_try() == "10000");
    w.now += 1ms;
    CHECK(w.may_try() == "11000");
    w.now += LockQueue::kPatience;
    CHECK(w.may_try() == "11100");
    // It was free: now nobody waits for the first, and the third need not look.
    w.queues[1]->leave();
    CHECK(w.may_try() == "1-100");
    w.queues[2]->leave();
    CHECK(w.may_try() == "1--10");
    // Who comes later has to find out for itself.
    w.add();
    w.queues[3]->leave();
    w.queues[4]->leave();
    CHECK(w.may_try() == "1----0");
    w.now += LockQueue::kPatience * 5;
    CHECK(w.may_try() == "1----1");
}

TEST_CASE("a lock that is held for long is nobody's fault in the queue") {
    Waiters w;
    for (int i = 0; i < 3; ++i) w.add();
    CHECK(w.may_try() == "100");
    for (int i = 0; i < 10; ++i) {
        w.now += LockQueue::kPatience;
        CHECK(w.may_try()[1] == '1');
        w.queues[1]->saw_held(w.now);
        CHECK(w.may_try()[1] == '0');
    }
}

TEST_CASE("a place is found behind a long queue with holes, and in a file that is not ours there is none") {
    Waiters w;
    for (int i = 0; i < 40; ++i) w.add();
    for (std::size_t i = 0; i < 39; ++i)
        if (i % 7 != 3) w.queues[i]->leave();
    LockQueue& last = w.add();
    CHECK_FALSE(last.may_try(w.now));
    w.queues[39]->leave();
    for (std::size_t i = 3; i < 39; i += 7) w.queues[i]->leave();
    CHECK(last.may_try(w.now));
    last.leave();

    struct flock whole {};
    whole.l_type = F_WRLCK;
    const UniqueFd stranger = w.open(), mine = w.open();
    REQUIRE(::fcntl(stranger.get(), F_OFD_SETLK, &whole) == 0);
    LockQueue queue;
    CHECK_FALSE(queue.join(mine.get()));
    CHECK_FALSE(queue.joined());
}
