// SPDX-License-Identifier: Apache-2.0
#include "os/ordered_work.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace turboci {

namespace {

/// Ends the work on a piece when all is over.
struct Stopped {};

class Line {
public:
    explicit Line(const OrderedWork& what) : what_(what), done_(what.slots) {}
    ~Line() { stop(); }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    void run() {
        const PieceWork own = what_.worker(0);
        start_others();
        std::unique_lock lock(mutex_);
        while (delivered_ < what_.pieces) {
            if (deliver_next(lock)) continue;
            if (may_begin())
                do_next(own, true, lock);
            else
                changed_.wait(lock);
        }
        lock.unlock();
        stop();
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    void start_others() {
        try {
            for (std::size_t i = 1; i < what_.threads; ++i) threads_.emplace_back([this, i] { help(i); });
        } catch (const std::system_error&) {
            // Those that there are do it all.
        }
    }

    void help(std::size_t number) noexcept {
        try {
            const PieceWork work = what_.worker(number);
            if (!work) return;
            std::unique_lock lock(mutex_);
            while (true) {
                changed_.wait(lock, [this] { return stopped_ || begun_ == what_.pieces || may_begin(); });
                if (stopped_ || begun_ == what_.pieces) return;
                do_next(work, false, lock);
                changed_.notify_all();
            }
        } catch (const Stopped&) {
            // Nobody waits for the rest.
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            changed_.notify_all();
        }
    }

    /// Is there a piece to begin, and a slot for it?
    [[nodiscard]] bool may_begin() const {
        return begun_ < what_.pieces && begun_ < delivered_ + what_.slots;
    }

    void do_next(const PieceWork& work, bool is_caller, std::unique_lock<std::mutex>& lock) {
        const std::size_t piece = begun_++;
        lock.unlock();
        work(piece, piece % what_.slots, [&] { is_caller ? deliver_own(piece) : have_delivered(piece); });
        lock.lock();
        done_[piece % what_.slots] = true;
    }

    /// In the caller's thread: what is next to deliver, if it is there. False: it is not.
    bool deliver_next(std::unique_lock<std::mutex>& lock) {
        if (failure_) std::rethrow_exception(failure_);
        const std::size_t slot = delivered_ % what_.slots;
        const bool whole = done_[slot];
        if (!whole && !part_waits_) return false;
        lock.unlock();
        what_.deliver(slot);
        lock.lock();
        if (whole) {
            done_[slot] = false;
            ++delivered_;
        } else {
            part_waits_ = false;
        }
        changed_.notify_all();
        return true;
    }

    /// A part of the caller's own piece.
    void deliver_own(std::size_t piece) {
        std::unique_lock lock(mutex_);
        while (delivered_ != piece)
            if (!deliver_next(lock)) changed_.wait(lock);
        lock.unlock();
        what_.deliver(piece % what_.slots);
    }

    /// A part of the piece of another thread than the caller's.
    void have_delivered(std::size_t piece) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopped_ || delivered_ == piece; });
        part_waits_ = !stopped_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return stopped_ || !part_waits_; });
        if (stopped_) throw Stopped();
    }

    /// Waits for the others.
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_all();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

    const OrderedWork& what_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<bool> done_;     // by slot; this and the rest are guarded by mutex_
    std::size_t begun_ = 0;      // the next piece to begin
    std::size_t delivered_ = 0;  // the next piece to deliver
    bool part_waits_ = false;    // a part of the piece that is next to deliver
    bool stopped_ = false;
    std::exception_ptr failure_;  // of another thread than the caller's
    std::vector<std::thread> threads_;
};

}  // namespace

void work_in_order(const OrderedWork& what) { Line(what).run(); }

}  // namespace turboci
