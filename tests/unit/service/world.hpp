// SPDX-License-Identifier: Apache-2.0
// A store, on disk unless said otherwise, with one plan `p`, a clock that tests set, and the product's own
// language.
#pragma once

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "service/local_service.hpp"
#include "support/fake_clock.hpp"
#include "support/node_list.hpp"
#include "support/packed.hpp"
#include "support/temp_dir.hpp"
#include "turboci/turboci.hpp"

namespace turboci::test {

class World {
public:
    /// TURBOCI_TEST_STORE=memory: in memory, else on disk.
    World() : World(in_memory() ? "memory:" : "") {}
    /// On the store of that URL, which must be empty; "": on disk.
    explicit World(const std::string& url)
        : store(open_store(url.empty() ? dir / "plan.db" : url,
                           {.create = true, .clock = &clock, .statistics = &statistics})) {
        service = std::make_unique<LocalService>(*store);
        CreatePlan create;
        create.id = "p";
        service->create_plan(create);
    }

    /// The request that a plan file stands for.
    static WriteNodes request(std::string_view yaml) {
        WriteNodes request;
        request.plan = "p";
        request.actor = "tester";
        Problems problems;
        read_plan_text({"plan.yaml", yaml}, request, problems);
        problems.raise_if_any(request.files);
        return request;
    }
    WriteResult tick(WriteNodes r = request("{}")) {
        r.tick = true;
        return service->write_nodes(r);
    }
    WriteResult write(std::string_view yaml) { return service->write_nodes(request(yaml)); }
    WriteResult write(const WriteNodes& r) { return service->write_nodes(r); }

    /// The error that a write is refused with. The version must not change.
    Error refusal(const WriteNodes& r) {
        const std::int64_t before = version();
        try {
            service->write_nodes(r);
        } catch (const Error& e) {
            if (version() != before) throw std::logic_error("a refused write changed the plan");
            return e;
        }
        throw std::logic_error("the write was not refused");
    }
    Error refusal(std::string_view yaml) { return refusal(request(yaml)); }
    ErrorCode refused(std::string_view yaml) { return refusal(yaml).code(); }
    ErrorCode refused(const WriteNodes& r) { return refusal(r).code(); }
    ErrorCode refused_claim(const std::string& stage, const std::string& uid) {
        WriteNodes r = request("{}");
        Claim& wanted = r.claim.emplace();
        wanted.stages = {stage};
        wanted.process_uid = uid;
        return refused(r);
    }
    /// All that an error says.
    static std::string text(const Error& e) {
        std::string all = e.what();
        for (const auto& d : e.details()) all += "\n" + d.message;
        return all;
    }

    WriteResult claim(const std::string& stage, const std::string& uid = "w") {
        WriteNodes r = request("{}");
        r.claim = Claim{.stages = {stage}, .at_most = 1, .process_uid = uid, .holder = uid};
        return service->write_nodes(r);
    }
    WriteResult complete(const std::string& stage) {
        return write("stages: [{id: '" + stage + "', attempt: {state: COMPLETE}}]");
    }
    WriteResult fail(const std::string& stage, const std::string& message = "broken", bool no_retry = false) {
        return write("stages: [{id: '" + stage + "', attempt: {state: INCOMPLETE, failure: '" + message +
                     "', no_retry: " + (no_retry ? "true" : "false") + "}}]");
    }
    /// Claims and completes.
    void pass(const std::string& stage) {
        claim(stage);
        complete(stage);
    }
    void break_stage(const std::string& stage) {
        claim(stage);
        fail(stage);
    }

    NodeList query(const QueryNodes& q) {
        NodeList list;
        service->query(q, list);
        return list;
    }
    Check check(const std::string& id) { return query(named(NodeType::check, id)).checks.at(0); }
    Stage stage(const std::string& id) { return query(named(NodeType::stage, id)).stages.at(0); }
    /// "WAITING", or "FINAL passed".
    std::string state(const std::string& ref) {
        const RefText r = parse_ref(ref);
        if (r.type == NodeType::stage) return described(stage(r.id).state, stage(r.id).outcome);
        return described(check(r.id).state, check(r.id).outcome);
    }
    std::int64_t version() { return service->get_plan("p").version; }

    TempDir dir;
    FakeClock clock;
    StoreStatistics statistics;  ///< of the last call of the service
    std::unique_ptr<Store> store;
    std::unique_ptr<LocalService> service;

private:
    static bool in_memory() {
        const char* const wanted = std::getenv("TURBOCI_TEST_STORE");
        return wanted != nullptr && std::string_view(wanted) == "memory";
    }
    static QueryNodes named(NodeType type, const std::string& id) {
        QueryNodes q;
        q.plan = "p";
        q.refs = {{type, id}};
        return q;
    }
    static std::string described(State s, std::optional<Outcome> o) {
        std::string text(to_string(s));
        if (o) text += " " + std::string(to_string(*o));
        return text;
    }
};

}  // namespace turboci::test
