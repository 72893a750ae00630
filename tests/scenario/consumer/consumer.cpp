// SPDX-License-Identifier: Apache-2.0
// A program that uses the installed library: writes a plan and prints what became of it.
#include <turboci/turboci.hpp>

#include <iostream>

namespace {

class Printer : public turboci::NodeSink {
public:
    void plan(const turboci::WorkPlan& plan) override { std::cout << plan.id << '\n'; }
    void check(const turboci::Check& check) override {
        std::cout << check.id << ' ' << turboci::to_string(check.state) << '\n';
    }
    void stage(const turboci::Stage& stage) override {
        std::cout << stage.id << ' ' << turboci::to_string(stage.state) << '\n';
    }
};

}  // namespace

int main(int argc, char** argv) {
    try {
        turboci::StoreOptions options;
        options.create = true;
        const auto store = turboci::open_store(argc > 1 ? argv[1] : "consumer.db", options);
        const auto service = turboci::make_local_service(*store);

        turboci::CreatePlan request;
        request.id = "nightly";
        request.nodes.actor = "consumer";
        turboci::Problems problems;
        turboci::read_plan_text(
            {"inline", "checks: [{id: a, state: FINAL}, {id: b, state: PLANNED, dependencies: [a]}]"},
            request.nodes, problems);
        problems.raise_if_any(request.nodes.files);
        (void)service->create_plan(request);

        Printer printer;
        service->query({.plan = "nightly"}, printer);
    } catch (const turboci::Error& error) {
        std::cerr << error.what() << '\n';
        return turboci::error_info(error.code()).exit_code;
    }
}
