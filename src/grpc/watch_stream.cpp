// SPDX-License-Identifier: Apache-2.0
#include "grpc/watch_stream.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "grpc/answers.hpp"
#include "grpc/call.hpp"
#include "grpc/watch_events.hpp"

namespace turboci::rpc {

namespace {

constexpr std::size_t kEntriesAtOnce = 1'000;

class WatchStream;

/// What outlives the reactor: wake-ups and readings that are under way hold it.
class Watching final : public LongCall, public std::enable_shared_from_this<Watching> {
public:
    Watching(Host& host, WatchStream& stream) : host_(host), stream_(&stream) {}

    void begin(const CallPtr& call, const v1::WatchWorkPlanRequest& request);
    void wake();
    void beat();
    void written(bool ok);
    void end(const grpc::Status& status);
    void drain() override;
    /// The reactor is gone.
    void forget();

private:
    void start_reading(std::unique_lock<std::mutex>& lock);
    void read(server::Reader& reader);
    void go_on(std::unique_lock<std::mutex>& lock);
    void set_timer();

    Host& host_;
    WatchStream* stream_;
    CallPtr call_;
    std::string plan_;
    WatchFilter filter_;
    bool end_when_final_ = false;
    std::unique_ptr<server::Watchers::Watch> watch_;

    std::mutex mutex_;
    std::optional<std::int64_t> cursor_;  ///< absent: from the newest version on
    std::deque<v1::WorkPlanEvent> events_;
    v1::WorkPlanEvent out_;
    bool wanted_ = true;    ///< the plan may have moved since the last reading
    bool greeted_ = false;  ///< the caller has been told that it misses nothing from now on
    bool reading_ = false, writing_ = false, completed_ = false, finished_ = false;
    std::optional<grpc::Status> end_;  ///< when what is ready has been written
};

class WatchStream final : public grpc::ServerWriteReactor<v1::WorkPlanEvent> {
public:
    explicit WatchStream(Host& host) : watching_(std::make_shared<Watching>(host, *this)) {}
    [[nodiscard]] const std::shared_ptr<Watching>& watching() const noexcept { return watching_; }
    void OnWriteDone(bool ok) override { watching_->written(ok); }
    void OnCancel() override { watching_->end(grpc::Status::CANCELLED); }
    void OnDone() override {
        watching_->forget();
        delete this;
    }

private:
    std::shared_ptr<Watching> watching_;
};

void Watching::begin(const CallPtr& call, const v1::WatchWorkPlanRequest& request) {
    call_ = call;
    call->authorise(server::Scope::read, request.work_plan_id());
    require_plan_id(request.work_plan_id());
    plan_ = request.work_plan_id();
    filter_ = read_filter(request);
    end_when_final_ = request.end_when_final();
    if (request.has_since_version()) cursor_ = request.since_version();
    const auto self = shared_from_this();
    watch_ = host_.watchers().add(plan_, [self] { self->wake(); });
    host_.enter(self);
    set_timer();
    wake();
}

void Watching::set_timer() {
    const std::weak_ptr<Watching> weak = weak_from_this();
    host_.timers().at(server::Timers::Clock::now() + host_.options().watch_heartbeat, weak, [weak] {
        if (const auto self = weak.lock()) self->beat();
    });
}

void Watching::beat() {
    {
        std::unique_lock lock(mutex_);
        if (finished_) return;
        if (events_.empty() && !writing_ && cursor_) {
            events_.emplace_back().mutable_heartbeat()->set_version(*cursor_);
            events_.back().set_version(*cursor_);
            go_on(lock);
        }
    }
    set_timer();
}

void Watching::wake() {
    std::unique_lock lock(mutex_);
    wanted_ = true;
    // A reading begins when what it brings can be sent.
    if (!reading_ && !writing_ && events_.empty() && !finished_ && !end_) start_reading(lock);
}

void Watching::start_reading(std::unique_lock<std::mutex>& lock) {
    reading_ = true;
    wanted_ = false;
    lock.unlock();
    const auto self = shared_from_this();
    const bool taken = host_.readers().push_admitted([self](server::Reader& reader) { self->read(reader); },
                                                     [self](const Error& error) {
                                                         std::unique_lock failed(self->mutex_);
                                                         self->reading_ = false;
                                                         try {
                                                             throw Error(error);
                                                         } catch (...) {
                                                             self->end_ = self->call_->status_of_exception();
                                                         }
                                                         self->go_on(failed);
                                                     });
    lock.lock();
    if (taken) return;
    reading_ = false;
    end_ = call_->queue_full();
    go_on(lock);
}

void Watching::read(server::Reader& reader) {
    WatchNews news;
    std::optional<grpc::Status> failed;
    try {
        call_->prove(reader);
        std::optional<std::int64_t> cursor;
        {
            const std::lock_guard lock(mutex_);
            cursor = cursor_;
        }
        const WorkPlan now = reader.service->get_plan(plan_);
        if (!cursor) cursor = now.version;
        if (*cursor > now.version || *cursor < 0)
            throw call_->refusal(grpc::StatusCode::OUT_OF_RANGE,
                                 "the plan is at version " + std::to_string(now.version) + ", not at " +
                                     std::to_string(*cursor),
                                 "VERSION");
        news = read_news(*reader.service, now, *cursor, filter_, kEntriesAtOnce);
        if (news.is_over && !completed_) {
            news.events.push_back(completed_event(*reader.service, now));
            completed_ = true;
        }
    } catch (...) {
        failed = call_->status_of_exception();
    }
    std::unique_lock lock(mutex_);
    reading_ = false;
    if (failed) {
        end_ = failed;
    } else {
        cursor_ = news.cursor;
        events_ = std::move(news.events);
        wanted_ = wanted_ || news.more;
        if (news.is_over && end_when_final_) end_ = grpc::Status::OK;
    }
    go_on(lock);
}

/// Writes the next event, reads on, or ends: whatever is next.
void Watching::go_on(std::unique_lock<std::mutex>& lock) {
    if (finished_ || writing_ || reading_ || stream_ == nullptr) return;
    if (!events_.empty()) {
        out_ = std::move(events_.front());
        events_.pop_front();
        writing_ = greeted_ = true;
        call_->count_bytes(0, out_.ByteSizeLong());
        return stream_->StartWrite(&out_);
    }
    if (!end_) {
        if (!std::exchange(greeted_, true)) stream_->StartSendInitialMetadata();
        if (wanted_) start_reading(lock);
        return;
    }
    finished_ = true;
    if (cursor_) call_->add_trailer("turboci-version", std::to_string(*cursor_));
    const CallPtr call = call_;
    const grpc::Status status = *end_;
    lock.unlock();
    call->finish(status);
    lock.lock();
}

void Watching::written(bool ok) {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok) {
        events_.clear();
        end_ = grpc::Status::CANCELLED;
    }
    go_on(lock);
}

void Watching::end(const grpc::Status& status) {
    std::unique_lock lock(mutex_);
    events_.clear();
    if (!end_) end_ = status;
    go_on(lock);
}

void Watching::drain() {
    std::unique_lock lock(mutex_);
    if (!end_ && call_) end_ = call_->refusal(grpc::StatusCode::UNAVAILABLE, "the server stops", "STOPPING");
    go_on(lock);
}

void Watching::forget() {
    watch_.reset();
    host_.leave(shared_from_this());
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
    finished_ = true;
}

}  // namespace

grpc::ServerWriteReactor<v1::WorkPlanEvent>* start_watch(Host& host, grpc::CallbackServerContext* context,
                                                         const v1::WatchWorkPlanRequest& request) {
    auto* const stream = new WatchStream(host);
    const auto watching = stream->watching();
    const auto call = std::make_shared<Call>(
        host, *context, "WatchWorkPlan", [stream](const grpc::Status& status) { stream->Finish(status); });
    call->guard([&] { watching->begin(call, request); });
    return stream;
}

}  // namespace turboci::rpc
