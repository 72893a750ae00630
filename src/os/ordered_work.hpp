// SPDX-License-Identifier: Apache-2.0
// Pieces of work done by several threads, and their results used in order.
#pragma once

#include <cstddef>
#include <functional>

namespace turboci {

/// Does one piece; what comes of it goes into a slot that is free. `deliver_now` waits until all pieces
/// before this one are delivered, and then has what the slot holds by now delivered, so that it need not hold
/// all.
using PieceWork =
    std::function<void(std::size_t piece, std::size_t slot, const std::function<void()>& deliver_now)>;

/// How work_in_order() goes about it.
struct OrderedWork {
    std::size_t pieces = 0;
    std::size_t threads =
        1;                  ///< at least 1: the caller's is one of them. Fewer if there are no more to be had
    std::size_t slots = 1;  ///< so many pieces, at least 1, may be done and not yet delivered
    /// Called in each thread, with a number of its own; 0 is the caller's. What it returns is called there,
    /// piece after piece. Empty: that thread has nothing to work with and is done without; not for 0.
    std::function<PieceWork(std::size_t thread)> worker;
    /// Called in the caller's thread, for one piece after another from 0 on, in one part or in several. It
    /// empties the slot.
    std::function<void(std::size_t slot)> deliver;
};

/// Returns when all pieces are delivered; or throws the first that `worker`, its work or `deliver` threw,
/// when no thread is at work any more.
void work_in_order(const OrderedWork& what);

}  // namespace turboci
