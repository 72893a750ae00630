// SPDX-License-Identifier: Apache-2.0
// What a request says, as JSON without positions: to compare two of them, and to look at one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "turboci/requests.hpp"
#include "turboci/time.hpp"

namespace turboci {

inline nlohmann::json shown(const JsonText& text) { return nlohmann::json::parse(text.text); }

inline std::string shown(const RefText& ref) {
    return ref.type ? std::string(to_string(*ref.type)) + ":" + ref.id : ref.id;
}

inline nlohmann::json shown(const PredicateSpec& group) {
    auto members = nlohmann::json::array();
    for (const auto& e : group.edges) {
        std::string text = shown(e.target);
        if (e.on_state != State::final) text += " at " + std::string(to_string(e.on_state));
        if (e.when) text += " when " + std::string(to_string(*e.when));
        members.push_back(std::move(text));
    }
    for (const auto& g : group.groups) members.push_back(shown(g));
    if (group.kind == GroupKind::all) return members;
    if (group.kind == GroupKind::any) return {{"any", members}};
    return {{"at_least", group.at_least}, {"of", members}};
}

inline nlohmann::json shown(const std::vector<ConditionSpec>& conditions) {
    auto all = nlohmann::json::array();
    for (const auto& [c, at] : conditions)
        all.push_back({c.check, c.path, static_cast<int>(c.test), c.value});
    return all;
}

inline nlohmann::json shown(const CheckWrite& check) {
    nlohmann::json out{{"id", check.id}};
    if (check.kind) out["kind"] = *check.kind;
    if (check.options) out["options"] = shown(*check.options);
    if (check.state) out["state"] = to_string(*check.state);
    if (check.required) out["required"] = *check.required;
    if (check.dependencies) out["dependencies"] = shown(*check.dependencies);
    if (check.condition) out["condition"] = shown(*check.condition);
    if (check.skip) out["skip"] = true;
    for (const auto& r : check.results) {
        nlohmann::json result{{"finalize", r.finalize}};
        if (r.data) result["data"] = shown(*r.data);
        if (r.failure) result["failure"] = *r.failure;
        out["results"].push_back(std::move(result));
    }
    return out;
}

inline nlohmann::json shown(const StageWrite& stage) {
    nlohmann::json out{{"id", stage.id}};
    if (stage.args) out["args"] = shown(*stage.args);
    if (stage.dependencies) out["dependencies"] = shown(*stage.dependencies);
    if (stage.continuation_group) out["continuation_group"] = shown(*stage.continuation_group);
    if (stage.timeout) out["timeout"] = format_duration(*stage.timeout);
    if (stage.heartbeat) out["heartbeat"] = format_duration(*stage.heartbeat);
    if (stage.silence) out["silence"] = format_duration(*stage.silence);
    if (stage.runner) out["runner"] = *stage.runner;
    if (stage.uses)
        for (const auto& use : *stage.uses) out["uses"][use.limit] = use.count;
    if (stage.condition) out["condition"] = shown(*stage.condition);
    if (stage.skip) out["skip"] = true;
    if (stage.retry)
        out["retry"] = {{"max_retries", stage.retry->max_retries},
                        {"backoff", format_duration(stage.retry->backoff)}};
    if (stage.assignments) {
        out["assignments"] = nlohmann::json::array();
        for (const auto& a : *stage.assignments)
            out["assignments"].push_back(a.target_check_id + " to " + std::string(to_string(a.goal_state)));
    }
    if (stage.attempt) {
        out["attempt"] = {{"progress", nlohmann::json::array()}};
        for (const auto& [message, details] : stage.attempt->progress)
            out["attempt"]["progress"].push_back(message);
    }
    return out;
}

inline nlohmann::json shown(const WriteNodes& request) {
    nlohmann::json out{{"checks", nlohmann::json::array()}, {"stages", nlohmann::json::array()}};
    for (const auto& c : request.checks) out["checks"].push_back(shown(c));
    for (const auto& s : request.stages) out["stages"].push_back(shown(s));
    return out;
}

}  // namespace turboci
