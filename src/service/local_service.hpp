// SPDX-License-Identifier: Apache-2.0
// The service on a store in this process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "turboci/service.hpp"
#include "turboci/store.hpp"

namespace turboci {

class LocalService final : public Service {
public:
    explicit LocalService(Store& store, ServiceOptions options = {})
        : store_(store), options_(std::move(options)) {}

    void set_runner_probe(RunnerProbe probe) { options_.probe = std::move(probe); }
    void set_lost_after(Duration silence) { options_.lost_after = silence; }

    [[nodiscard]] std::unique_ptr<Service> with(Wait wait) override;
    WriteResult create_plan(const CreatePlan& request) override;
    WriteResult write_nodes(const WriteNodes& request) override;
    std::vector<BatchAnswer> write_batch(std::span<const WriteNodes> requests) override;
    RerunResult rerun_plan(const RerunPlan& request) override;
    void delete_plan(const std::string& plan, bool force) override;
    std::vector<WorkPlan> prune_plans(const PrunePlans& request) override;
    bool beat(const Beat& beat) override;
    void end_beats(const std::string& holder) override;
    void drain_worker(const std::string& name) override;
    std::int64_t append_output(const AppendOutput& request) override;
    [[nodiscard]] std::vector<WorkPlan> list_plans() override;
    [[nodiscard]] WorkPlan get_plan(const std::string& plan) override;
    [[nodiscard]] PlanSummary summarize(const std::string& plan, std::size_t limit) override;
    void query(const QueryNodes& request, NodeSink& sink) override;
    [[nodiscard]] Outline outline(const QueryNodes& request) override;
    [[nodiscard]] Explanation explain(const std::string& plan, const RefText& ref) override;
    [[nodiscard]] std::vector<ClaimedAttempt> rehearse(const std::string& plan,
                                                       const ClaimFilter& filter) override;
    [[nodiscard]] std::vector<Worker> workers() override;
    void read_output(const ReadOutput& request, const std::function<void(const OutputPart&)>& visit) override;
    void read_log(const ReadLog& request, const std::function<void(const LogEntry&)>& visit) override;
    [[nodiscard]] WorkPlan watch(const std::string& plan, std::int64_t seen, Duration at_most) override;
    void flush() override { store_.flush(); }
    void export_plan(const std::string& plan,
                     const std::function<void(std::string_view line)>& write) override;
    WorkPlan import_plan(std::string_view text, const std::string& name) override;
    [[nodiscard]] std::vector<std::string> check_states() override;

private:
    Store& store_;
    ServiceOptions options_;
};

}  // namespace turboci
