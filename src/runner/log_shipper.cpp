// SPDX-License-Identifier: Apache-2.0
#include "runner/log_shipper.hpp"

#include <algorithm>
#include <utility>

#include "domain/log_place.hpp"

namespace turboci {

namespace {

// Of what waits too long to be sent, the beginning and the end are kept.
constexpr std::size_t kHead = LogShipper::kMostUnsent / 4;

bool is_passing(ErrorCode code) {
    return code == ErrorCode::locked || code == ErrorCode::store || code == ErrorCode::internal;
}

}  // namespace

void LogShipper::Feed::write(std::string_view bytes) noexcept {
    log_->write(bytes);
    if (refused_) return;
    unsent_ += bytes;
    // Rarely, and then much at once: each time all behind it is moved.
    if (unsent_.size() < 2 * kMostUnsent) return;
    const std::size_t surplus = unsent_.size() - kMostUnsent;
    unsent_.erase(kHead, surplus);
    left_out_ += static_cast<std::int64_t>(surplus);
}

std::shared_ptr<LogShipper::Feed> LogShipper::feed(std::string token, std::shared_ptr<AttemptLog> log) {
    feeds_.push_back(std::make_shared<Feed>(std::move(token), std::move(log)));
    return feeds_.back();
}

void LogShipper::cut(Feed& feed) {
    if (feed.left_out_ > 0) feed.unsent_.insert(kHead, left_out_line(std::exchange(feed.left_out_, 0)));
    const std::string all = std::exchange(feed.unsent_, {});
    for (std::size_t at = 0; at < all.size() && !feed.refused_; at += kPartBytes) {
        feed.parts_.push_back(all.substr(at, kPartBytes));
        feed.sizes_.push_back(static_cast<std::int64_t>(feed.parts_.back().size()));
    }
}

LogPlace LogShipper::end(Feed& feed) {
    cut(feed);
    feed.ended_ = true;
    LogPlace place;
    for (const std::int64_t size : feed.sizes_) place.bytes += size;
    std::int64_t begin = 0;
    for (const std::int64_t size : feed.sizes_) {
        if (!keeps_log_part(begin, size, place.bytes)) place.dropped += size;
        begin += size;
    }
    return place;
}

void LogShipper::collect() {
    for (const auto& feed : feeds_)
        if (!feed->ended_) cut(*feed);
}

void LogShipper::send() noexcept {
    for (const auto& feed : feeds_) {
        while (!feed->parts_.empty()) {
            try {
                feed->next_ = service_.append_output({feed->token_, feed->next_, feed->parts_.front()});
            } catch (const Error& error) {
                if (is_passing(error.code())) return;
                // The attempt is another's now, or gone with its plan.
                feed->refused_ = true;
                feed->parts_.clear();
                break;
            }
            feed->parts_.pop_front();
        }
    }
    std::erase_if(feeds_, [](const auto& feed) { return feed->ended_ && feed->parts_.empty(); });
}

bool LogShipper::has_unsent() const noexcept {
    return std::ranges::any_of(feeds_, [](const auto& feed) { return !feed->parts_.empty(); });
}

}  // namespace turboci
