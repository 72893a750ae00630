// SPDX-License-Identifier: Apache-2.0
#include "server/write_queue.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace turboci::server {

namespace {

using Clock = std::chrono::steady_clock;

Error dropped() { return {ErrorCode::pending, "nobody waits for the answer any more"}; }

/// What is caught becomes an Error: nothing ends the writer's thread.
Error caught() noexcept {
    try {
        throw;
    } catch (const Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return {ErrorCode::store, "out of memory"};
    } catch (const std::exception& error) {
        return {ErrorCode::internal, error.what()};
    } catch (...) {
        return {ErrorCode::internal, "something that is no exception was thrown"};
    }
}

std::size_t bytes_of(const std::variant<QueuedWrite, QueuedCall>& job) {
    return std::visit([](const auto& queued) { return queued.bytes; }, job);
}

bool is_dropped(const std::function<bool()>& asks) { return asks && asks(); }

template <class Nodes>
auto find_in(const Nodes& nodes, const std::string& id) {
    const auto found = nodes.find(id);
    return found == nodes.end() ? nullptr : &found->second;
}

/// What the members of a batch want to see, by plan. Where that cannot be read, its members get the error.
std::unordered_map<std::string, WrittenNodes> read_shown(Service& service,
                                                         const std::vector<QueuedWrite>& writes,
                                                         std::vector<BatchAnswer>& answers) {
    std::unordered_map<std::string, QueryNodes> wanted;
    for (std::size_t i = 0; i < writes.size(); ++i) {
        if (!answers[i].result || writes[i].shown.empty()) continue;
        QueryNodes& query = wanted[answers[i].result->plan.id];
        query.refs.insert(query.refs.end(), writes[i].shown.begin(), writes[i].shown.end());
    }
    std::unordered_map<std::string, WrittenNodes> found;
    for (auto& [plan, query] : wanted) {
        query.plan = plan;
        query.skip_absent = true;
        try {
            service.query(query, found[plan]);
        } catch (...) {
            for (std::size_t i = 0; i < writes.size(); ++i)
                if (answers[i].result && !writes[i].shown.empty() && answers[i].result->plan.id == plan)
                    answers[i] = {{}, caught()};
        }
    }
    return found;
}

}  // namespace

const Check* WrittenNodes::find_check(const std::string& id) const { return find_in(checks_, id); }
const Stage* WrittenNodes::find_stage(const std::string& id) const { return find_in(stages_, id); }

WriteQueue::WriteQueue(Service& service, Observer observer, Limits limits)
    : service_(service), observer_(std::move(observer)), limits_(limits), thread_([this] { run(); }) {}

WriteQueue::~WriteQueue() { close(); }

void WriteQueue::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::size_t WriteQueue::waiting() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

template <class Queued>
bool WriteQueue::push_job(Queued&& job) {
    {
        const std::lock_guard lock(mutex_);
        // One that is larger than the limit is taken when nothing else waits.
        const bool full =
            entries_.size() >= limits_.requests || (!entries_.empty() && bytes_ + job.bytes > limits_.bytes);
        if (closed_ || full) return false;
        bytes_ += job.bytes;
        entries_.push_back({std::forward<Queued>(job), Clock::now()});
    }
    changed_.notify_one();
    return true;
}

bool WriteQueue::push(QueuedWrite write) { return push_job(std::move(write)); }
bool WriteQueue::push(QueuedCall call) { return push_job(std::move(call)); }

bool WriteQueue::joins(const QueuedWrite& write) const {
    return !write.request.dry_run &&
           write.request.checks.size() + write.request.stages.size() <= limits_.alone_nodes;
}

std::vector<WriteQueue::Entry> WriteQueue::next_batch(std::unique_lock<std::mutex>& lock) {
    changed_.wait(lock, [this] { return closed_ || !entries_.empty(); });
    std::vector<Entry> batch;
    std::size_t bytes = 0;
    while (!entries_.empty()) {
        const auto* write = std::get_if<QueuedWrite>(&entries_.front().job);
        const bool alone = write == nullptr || !joins(*write);
        const std::size_t more = bytes_of(entries_.front().job);
        const bool full = batch.size() == limits_.batch_requests || bytes + more > limits_.batch_bytes;
        if (!batch.empty() && (alone || full)) break;
        bytes += more;
        bytes_ -= more;
        batch.push_back(std::move(entries_.front()));
        entries_.pop_front();
        if (alone) break;
    }
    return batch;
}

void WriteQueue::run() {
    while (true) {
        std::vector<Entry> batch;
        {
            std::unique_lock lock(mutex_);
            batch = next_batch(lock);
        }
        if (batch.empty()) return;  // closed, and nothing is left
        if (auto* call = std::get_if<QueuedCall>(&batch.front().job))
            call_alone(*call);
        else
            write_together(std::move(batch));
    }
}

void WriteQueue::call_alone(QueuedCall& call) {
    try {
        if (is_dropped(call.is_dropped)) throw dropped();
        call.call(service_);
    } catch (...) {
        call.failed(caught());
    }
}

void WriteQueue::write_together(std::vector<Entry> batch) {
    const auto start = Clock::now();
    std::vector<WriteNodes> requests;
    std::vector<QueuedWrite> writes;
    BatchReport report;
    for (Entry& entry : batch) {
        auto& write = std::get<QueuedWrite>(entry.job);
        if (is_dropped(write.is_dropped)) {
            write.done({{}, dropped()}, {});
            continue;
        }
        report.longest_waited =
            std::max(report.longest_waited,
                     std::chrono::duration_cast<std::chrono::microseconds>(start - entry.since));
        requests.push_back(std::move(write.request));
        writes.push_back(std::move(write));
    }
    if (writes.empty()) return;
    std::vector<BatchAnswer> answers;
    try {
        if (requests.size() == 1)
            answers.push_back({service_.write_nodes(requests.front()), {}});
        else
            answers = service_.write_batch(requests);
    } catch (...) {
        answers.assign(requests.size(), {{}, caught()});
    }
    report.writes = writes.size();
    report.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    if (observer_.committed) observer_.committed(report);
    for (const BatchAnswer& answer : answers)
        if (answer.result && answer.result->moved && observer_.plan_has_moved)
            observer_.plan_has_moved(answer.result->plan);
    const auto shown = read_shown(service_, writes, answers);
    const WrittenNodes nothing;
    for (std::size_t i = 0; i < writes.size(); ++i) {
        const auto nodes = answers[i].result ? shown.find(answers[i].result->plan.id) : shown.end();
        writes[i].done(std::move(answers[i]), nodes == shown.end() ? nothing : nodes->second);
    }
}

}  // namespace turboci::server
