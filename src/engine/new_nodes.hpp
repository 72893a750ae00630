// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/working_set.hpp"

namespace turboci::engine {

/// What new nodes were created with. One after another: the writes keep their memory.
class NewNodes {
public:
    NewNodes(const WriteNodes& request, std::pair<NodeKey, std::int32_t> author)
        : request_(request), author_(author) {}

    void read_kind(const Node& node, std::string& kind) {
        kind.clear();
        if (node.row.type != NodeType::check) return;
        request_.checks.read_head(node.write, check_);
        if (check_.kind) kind = *check_.kind;
    }
    void read_body(const Node& node, NodeBody& body) {
        body = kEmpty;
        body.created_by = author_.first;
        body.created_by_attempt = author_.second;
        if (node.row.type == NodeType::check) {
            request_.checks.read_head(node.write, check_);
            if (check_.options) body.json = *check_.options;
            if (check_.condition) set_condition(*check_.condition, body);
            return;
        }
        request_.stages.read_head(node.write, stage_);
        if (stage_.args) body.json = *stage_.args;
        if (stage_.retry) body.retry = *stage_.retry;
        body.timeout = stage_.timeout;
        body.heartbeat = stage_.heartbeat;
        body.silence = stage_.silence;
        if (stage_.runner) body.runner = *stage_.runner;
        if (stage_.uses) body.uses = *stage_.uses;
        if (stage_.condition) set_condition(*stage_.condition, body);
    }

private:
    static void set_condition(const std::vector<ConditionSpec>& specs, NodeBody& body) {
        for (const ConditionSpec& spec : specs) body.condition.push_back(spec.condition);
    }
    static inline const NodeBody kEmpty;
    const WriteNodes& request_;
    std::pair<NodeKey, std::int32_t> author_;
    CheckWrite check_;
    StageWrite stage_;
};

}  // namespace turboci::engine
