// SPDX-License-Identifier: Apache-2.0
#include "os/ordered_work.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace turboci {
namespace {

/// Squares of 0, 1, ...; `helpers` of the threads find something to work with.
struct Squares {
    explicit Squares(std::size_t pieces, std::size_t threads, std::size_t slots, std::size_t helpers = 99)
        : values(slots) {
        work.pieces = pieces;
        work.threads = threads;
        work.slots = slots;
        work.worker = [this, helpers](std::size_t thread) -> PieceWork {
            if (thread > helpers) return {};
            return [this, thread](std::size_t piece, std::size_t slot, const auto& deliver_now) {
                if (before_piece) before_piece(thread, piece);
                for (std::size_t part = 1; part < parts; ++part) {
                    values[slot] = piece * parts + part - 1;
                    deliver_now();
                }
                values[slot] = parts > 1 ? piece * parts + parts - 1 : piece * piece;
            };
        };
        work.deliver = [this](std::size_t slot) {
            if (before_delivery) before_delivery();
            delivered.push_back(values[slot]);
            values[slot] = 0;
        };
    }
    void check_all() const {
        REQUIRE(delivered.size() == work.pieces);
        for (std::size_t i = 0; i < delivered.size(); ++i) REQUIRE(delivered[i] == i * i);
    }
    OrderedWork work;
    std::vector<std::size_t> values, delivered;
    std::size_t parts = 1;  ///< more: numbers in a row, so many for each piece
    std::function<void(std::size_t thread, std::size_t piece)> before_piece;
    std::function<void()> before_delivery;
};

}  // namespace

TEST_CASE("results of several threads are delivered in order, whatever their number and that of the slots") {
    const std::size_t threads = GENERATE(1u, 2u, 5u);
    const std::size_t slots = GENERATE(1u, 2u, 7u);
    const std::size_t pieces = GENERATE(0u, 1u, 200u);
    Squares squares(pieces, threads, slots);
    work_in_order(squares.work);
    squares.check_all();
}

TEST_CASE("others work while the caller does, but not further ahead than there are slots") {
    Squares squares(50, 2, 3);
    std::atomic<std::size_t> delivered{0};
    std::atomic<bool> helped{false}, too_early{false};  // assertions are for one thread
    squares.before_piece = [&](std::size_t thread, std::size_t piece) {
        if (piece >= delivered + 3) too_early = true;
        if (thread == 1) helped = true;
        // The caller's first piece takes until there is help.
        while (thread == 0 && !helped) std::this_thread::yield();
    };
    squares.before_delivery = [&] { ++delivered; };
    work_in_order(squares.work);
    squares.check_all();
    CHECK(helped);
    CHECK_FALSE(too_early);
}

TEST_CASE("what a piece holds can be delivered before it is done, in its turn") {
    const std::size_t threads = GENERATE(1u, 2u, 4u);
    const std::size_t slots = GENERATE(1u, 3u);
    Squares numbers(60, threads, slots);
    numbers.parts = 5;
    work_in_order(numbers.work);
    REQUIRE(numbers.delivered.size() == 300);
    for (std::size_t i = 0; i < 300; ++i) REQUIRE(numbers.delivered[i] == i);
}

TEST_CASE("a thread that waits for its turn is let go when all is over") {
    Squares numbers(60, 3, 6);
    numbers.parts = 3;
    SECTION("because a delivery failed") {
        numbers.before_delivery = [&] {
            if (numbers.delivered.size() == 7) throw std::runtime_error("full");
        };
        CHECK_THROWS_WITH(work_in_order(numbers.work), "full");
        CHECK(numbers.delivered.size() == 7);
    }
    SECTION("because the caller's own work failed") {
        std::atomic<bool> begun{false}, waits{false};
        const auto worker = numbers.work.worker;
        numbers.work.threads = 2;
        numbers.work.worker = [&](std::size_t thread) {
            while (thread == 1 && !begun) std::this_thread::yield();  // the first piece is the caller's
            return worker(thread);
        };
        numbers.before_piece = [&](std::size_t thread, std::size_t) {
            begun = true;
            if (thread == 1) waits = true;
            while (!waits) std::this_thread::yield();
            if (thread == 0) throw std::runtime_error("mine");
        };
        CHECK_THROWS_WITH(work_in_order(numbers.work), "mine");
        CHECK(numbers.delivered.empty());
    }
    SECTION("because another failed") {
        numbers.before_piece = [](std::size_t, std::size_t piece) {
            if (piece == 20) throw std::runtime_error("twenty");
        };
        CHECK_THROWS_WITH(work_in_order(numbers.work), "twenty");
        CHECK(numbers.delivered.size() <= 60);
    }
}

TEST_CASE("threads that find nothing to work with leave it to the rest") {
    Squares squares(30, 4, 4, 0);
    std::atomic<int> by_others{0};
    squares.before_piece = [&](std::size_t thread, std::size_t) { by_others += thread == 0 ? 0 : 1; };
    work_in_order(squares.work);
    squares.check_all();
    CHECK(by_others == 0);
}

TEST_CASE("what work or delivery throws ends it all and comes to the caller") {
    SECTION("the caller's own work") {
        Squares squares(100, 2, 4);
        squares.before_piece = [](std::size_t thread, std::size_t) {
            if (thread == 0) throw std::runtime_error("mine");
        };
        squares.before_delivery = [] { FAIL("the first piece is mine"); };
        squares.work.threads = 1;
        CHECK_THROWS_WITH(work_in_order(squares.work), "mine");
    }
    SECTION("the work of another") {
        Squares squares(100, 2, 4);
        std::atomic<bool> thrown{false};
        squares.before_piece = [&](std::size_t thread, std::size_t) {
            if (thread == 1) {
                thrown = true;
                throw std::runtime_error("another's");
            }
            while (!thrown) std::this_thread::yield();
        };
        CHECK_THROWS_WITH(work_in_order(squares.work), "another's");
        CHECK(squares.delivered.size() < 100);
    }
    SECTION("its beginning") {
        Squares squares(100, 2, 4);
        const auto worker = squares.work.worker;
        std::atomic<bool> thrown{false};
        squares.work.worker = [&](std::size_t thread) -> PieceWork {
            if (thread == 0) return worker(0);
            thrown = true;
            throw std::runtime_error("nothing to begin with");
        };
        squares.before_piece = [&](std::size_t, std::size_t) {
            while (!thrown) std::this_thread::yield();
        };
        CHECK_THROWS_WITH(work_in_order(squares.work), "nothing to begin with");
    }
    SECTION("a beginning that comes when all is done") {
        Squares squares(10, 2, 4);
        const auto worker = squares.work.worker;
        std::atomic<bool> done{false};
        squares.work.worker = [&](std::size_t thread) -> PieceWork {
            if (thread == 0) return worker(0);
            while (!done) std::this_thread::yield();
            throw std::runtime_error("too late");
        };
        squares.before_delivery = [&] { done = squares.delivered.size() == 9; };
        CHECK_THROWS_WITH(work_in_order(squares.work), "too late");
        CHECK(squares.delivered.size() == 10);
    }
    SECTION("several at once") {
        Squares squares(100, 3, 6);
        std::atomic<int> arrived{0};
        squares.before_piece = [&](std::size_t, std::size_t) {
            ++arrived;
            while (arrived < 3) std::this_thread::yield();
            throw std::runtime_error("one of three");
        };
        CHECK_THROWS_WITH(work_in_order(squares.work), "one of three");
        CHECK(squares.delivered.empty());
    }
    SECTION("delivery") {
        Squares squares(100, 3, 4);
        squares.before_delivery = [&] {
            if (squares.delivered.size() == 10) throw std::runtime_error("full");
        };
        CHECK_THROWS_WITH(work_in_order(squares.work), "full");
        CHECK(squares.delivered.size() == 10);
    }
}

}  // namespace turboci
