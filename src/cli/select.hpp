// SPDX-License-Identifier: Apache-2.0
// The flags that select nodes, shared by queries and graphs.
#pragma once

#include "cli/app.hpp"

namespace turboci::cli {

struct Selection {
    std::vector<std::string> refs;
    QueryNodes query;

    void declare_refs(Parser& parser, const std::string& help);
    void declare_filters(Parser& parser);
    void declare_walk(Parser& parser);  ///< --deps, --dependents, --edges
    [[nodiscard]] QueryNodes request(const Context& context) const;
};

}  // namespace turboci::cli
