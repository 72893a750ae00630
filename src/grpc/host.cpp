// SPDX-License-Identifier: Apache-2.0
#include "grpc/host.hpp"

#include <utility>
#include <vector>

namespace turboci::rpc {

Host::Host(HostOptions options) : options_(std::move(options)) {
    if (options_.identities) identities_ = std::make_shared<const server::Identities>(*options_.identities);
    const Wait wait{.at_most = options_.lock_timeout};
    store_ = open_store(options_.store_url, {.create = true, .command = "turbocid"}, wait);
    {
        // A store that is not there yet is made now: readers open what is there.
        const auto transaction = store_->write({}, wait);
        transaction->apply({});
        transaction->commit();
        store_identity_ = transaction->store().identity;
    }
    service_ = make_local_service(*store_, service_options());
    server::WriteQueue::Observer observer;
    observer.committed = [this](const server::BatchReport& report) {
        metrics_.add_batch(report.writes, report.took, report.longest_waited);
    };
    observer.plan_has_moved = [this](const WorkPlan& plan) { watchers_.moved(plan.id, plan.version); };
    writes_ = std::make_unique<server::WriteQueue>(*service_, std::move(observer), options_.queue);
    readers_ = std::make_unique<server::ReaderPool>(options_.readers, options_.waiting_reads,
                                                    [this] { return open_reader(); });
    const auto open_to_read = [this] {
        return open_store(options_.store_url, {.read_only = true, .command = "turbocid"});
    };
    foreign_ = std::make_unique<server::ForeignCommits>(open_to_read(), watchers_);
    ticker_ = std::make_unique<server::Ticker>(
        open_to_read(), [this](const std::string& plan) { tick(plan); }, options_.ticker);
    metrics_.add_gauge("turboci_write_queue_depth", "Writes that wait for the writer.",
                       [this] { return static_cast<double>(writes_->waiting()); });
    metrics_.add_gauge("turboci_watchers", "Calls that wait for news of a plan.",
                       [this] { return static_cast<double>(watchers_.size()); });
}

Host::~Host() { close(); }

void Host::close() {
    ticker_.reset();
    foreign_.reset();
    if (writes_) writes_->close();
    if (readers_) readers_->close();
}

ServiceOptions Host::service_options() const {
    return {.probe = options_.probe,
            .open_output = options_.open_output,
            .lost_after = options_.lost_after,
            .wait = {.at_most = options_.lock_timeout},
            .exact_ids = true};
}

server::Reader Host::open_reader() const {
    ServiceOptions how = service_options();
    server::Reader reader;
    reader.store = open_store(options_.store_url, {.read_only = true, .command = "turbocid"}, how.wait);
    reader.service = make_local_service(*reader.store, how);
    how.exact_ids = false;
    reader.choosing = make_local_service(*reader.store, how);
    return reader;
}

void Host::tick(const std::string& plan) {
    WriteNodes request;
    request.plan = plan;
    request.actor = "turbocid";
    request.tick = true;
    // Where it is refused, or too much waits, the next look asks again.
    server::QueuedWrite write;
    write.request = std::move(request);
    write.done = [](const BatchAnswer&, const server::WrittenNodes&) {};
    static_cast<void>(writes_->push(std::move(write)));
}

std::shared_ptr<const server::Identities> Host::identities() const {
    const std::lock_guard lock(mutex_);
    return identities_;
}

void Host::set_identities(server::Identities identities) {
    auto next = std::make_shared<const server::Identities>(std::move(identities));
    const std::lock_guard lock(mutex_);
    identities_ = std::move(next);
}

void Host::drain() {
    std::vector<std::shared_ptr<LongCall>> open;
    {
        const std::lock_guard lock(mutex_);
        draining_ = true;
        open.assign(long_calls_.begin(), long_calls_.end());
    }
    for (const auto& call : open) call->drain();
}

bool Host::is_draining() const {
    const std::lock_guard lock(mutex_);
    return draining_;
}

void Host::enter(const std::shared_ptr<LongCall>& call) {
    {
        const std::lock_guard lock(mutex_);
        long_calls_.insert(call);
        if (!draining_) return;
    }
    call->drain();
}

void Host::leave(const std::shared_ptr<LongCall>& call) {
    const std::lock_guard lock(mutex_);
    long_calls_.erase(call);
}

}  // namespace turboci::rpc
