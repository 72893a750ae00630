// SPDX-License-Identifier: Apache-2.0
// Ends what is overdue without anybody asking.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "turboci/store.hpp"
#include "turboci/time.hpp"

namespace turboci::server {

/// Looks at all plans from time to time: for deadlines that are over, and for runners that may be gone.
class Ticker {
public:
    struct Options {
        Duration deadlines_every = std::chrono::seconds(1);
        Duration runners_every = std::chrono::seconds(10);
        Duration first_runners_after = std::chrono::seconds(60);  ///< nobody has beaten before the start
    };
    /// `tick` is called, from the ticker's thread, with the id of each plan that a tick may move. What the
    /// store throws is tried again the next time.
    Ticker(std::unique_ptr<Store> store, std::function<void(const std::string& plan)> tick, Options options);
    ~Ticker();
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;

private:
    void run();
    void look(bool at_runners);

    std::unique_ptr<Store> store_;
    std::function<void(const std::string&)> tick_;
    Options options_;
    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace turboci::server
