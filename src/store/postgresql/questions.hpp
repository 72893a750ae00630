// SPDX-License-Identifier: Apache-2.0
// Questions that go to the server in one trip, each with what is to be done with its answer.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/postgresql/connection.hpp"

namespace turboci::postgresql {

/// Some rows of `sql` with a column `key`, of nodes, and a column `n` that gives their order.
struct Keys {
    std::string sql;
    Parameters parameters;
};

/// Nodes by their keys, in this order.
[[nodiscard]] inline Keys keys_of(std::span<const NodeKey> keys) {
    Array array;
    for (const NodeKey key : keys) array.add(key);
    Keys found{"SELECT key, n FROM unnest($1) WITH ORDINALITY AS q(key, n)", {}};
    found.parameters.add_array(std::move(array));
    return found;
}

class Questions {
public:
    using Take = std::function<void(const Result&)>;

    explicit Questions(Connection& connection) : connection_(connection) {}
    void ask(const std::string& sql, const Parameters& parameters, Take take) {
        connection_.send(sql, parameters, true);
        takes_.push_back(std::move(take));
    }
    /// `rest` follows the keys, which it knows as the table s.
    void ask(const Keys& keys, const std::string& rest, Take take) {
        ask("WITH s AS (" + keys.sql + ") " + rest, keys.parameters, std::move(take));
    }
    [[nodiscard]] bool empty() const { return takes_.empty(); }
    void take(const std::vector<Result>& results) {
        for (std::size_t i = 0; i < takes_.size(); ++i) takes_[i](results.at(i));
        takes_.clear();
    }

private:
    Connection& connection_;
    std::vector<Take> takes_;
};

}  // namespace turboci::postgresql
