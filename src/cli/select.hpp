// SPDX-License-Identifier: Apache-2.0
// The flags that select nodes, shared by queries and graphs.
#pragma once

#include "cli/app.hpp"

namespace turboci::cli {

/// NOT_FOUND unless the plan has the node. For commands that must not create what they name wrongly: since
/// nodes are never deleted, what is found here is there in the write that follows.
void require_node(Context& context, const NodeRef& ref);

struct Selection {
    std::vector<std::string> refs;
    QueryNodes query;
    bool waiting_for_person = false;

    void declare_refs(Parser& parser, const std::string& help);
    void declare_filters(Parser& parser);
    void declare_walk(Parser& parser);  ///< --deps, --dependents, --edges
    [[nodiscard]] QueryNodes request(const Context& context) const;
    /// The same with the filters alone: whatever was named.
    [[nodiscard]] QueryNodes filters(const Context& context) const;
};

}  // namespace turboci::cli
