// SPDX-License-Identifier: Apache-2.0
// What several messages have parts of. Functions named read take the Reading that their problems go to.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <string>
#include <vector>

#include "grpc/convert.hpp"
#include "grpc/reading.hpp"

namespace turboci::rpc {

// ---- convert_values.cpp
[[nodiscard]] NodeRef read(Reading& reading, const Path& path, const v1::NodeRef& wire);
[[nodiscard]] RefText read_ref(Reading& reading, const Path& path, const v1::NodeRef& wire);
[[nodiscard]] Retry read(Reading& reading, const Path& path, const v1::Retry& wire);
void write(const Retry& retry, v1::Retry& wire);
[[nodiscard]] RunnerIdentity read(const v1::RunnerIdentity& wire);
void write(const RunnerIdentity& runner, v1::RunnerIdentity& wire);
[[nodiscard]] HolderWord read(Reading& reading, const Path& path, const v1::HolderWord& wire);
void write(const HolderWord& word, v1::HolderWord& wire);
/// The value of `log`, see domain/log_place.hpp.
[[nodiscard]] std::optional<LogPlace> read_log(Reading& reading, const Path& path, const std::string& json);

// ---- convert_predicates.cpp
[[nodiscard]] PredicateSpec read_spec(Reading& reading, const Path& path, const v1::DependencyGroup& wire);
void write(const PredicateSpec& spec, v1::DependencyGroup& wire);
[[nodiscard]] Predicate read_predicate(Reading& reading, const Path& path, const v1::DependencyGroup& wire);
void write(const Predicate& predicate, v1::DependencyGroup& wire);
[[nodiscard]] bool is_none(const Predicate& predicate);  ///< as of a node without one
[[nodiscard]] Condition read(Reading& reading, const Path& path, const v1::Condition& wire);
void write(const Condition& condition, v1::Condition& wire);

// ---- convert_writes.cpp, convert_attempt_write.cpp
/// What several parts of one write say, and the write says once.
struct Shared {
    std::string& token;
    std::string& reason;
    /// `text`, unless it is empty, becomes the value; a problem if that is another text already.
    static void merge(Reading& reading, const Path& path, std::string& value, const std::string& text);
};
[[nodiscard]] CheckWrite read(Reading& reading, const Path& path, const v1::CheckWrite& wire, Shared& shared);
[[nodiscard]] StageWrite read(Reading& reading, const Path& path, const v1::StageWrite& wire, Shared& shared);
[[nodiscard]] AttemptWrite read(Reading& reading, const Path& path, const v1::AttemptWrite& wire,
                                Shared& shared);
[[nodiscard]] ResultWrite read(Reading& reading, const Path& path, const v1::CheckResultWrite& wire,
                               Shared& shared);
void write(const CheckWrite& write, v1::CheckWrite& wire);
void write(const StageWrite& write, v1::StageWrite& wire);
void write(const AttemptWrite& write, v1::AttemptWrite& wire);

// ---- convert_requests.cpp
[[nodiscard]] WriteNodes read(Reading& reading, const Path& path, const v1::WriteNodesRequest& wire);

// ---- convert_nodes.cpp, convert_plan.cpp
[[nodiscard]] WorkPlan read(Reading& reading, const Path& path, const v1::WorkPlan& wire);
[[nodiscard]] Check read(Reading& reading, const Path& path, const v1::Check& wire);
[[nodiscard]] Stage read(Reading& reading, const Path& path, const v1::Stage& wire);
[[nodiscard]] Attempt read(Reading& reading, const Path& path, const v1::Attempt& wire);
[[nodiscard]] Stopping read(Reading& reading, const Path& path, const v1::Stopping& wire);

// ---- lists
template <class Wire>
[[nodiscard]] std::vector<std::string> texts(const Wire& wire) {
    return {wire.begin(), wire.end()};
}
template <class Wire>
void write_texts(const std::vector<std::string>& texts, Wire* wire) {
    for (const auto& text : texts) wire->Add(std::string(text));
}
template <class Row, class Wire>
void write_amounts(const std::vector<Row>& rows, std::string Row::*name, Wire* wire) {
    for (const auto& row : rows) {
        auto& amount = *wire->Add();
        amount.set_name(row.*name);
        amount.set_count(row.count);
    }
}
template <class Row, class Wire>
[[nodiscard]] std::vector<Row> read_amounts(const Wire& wire, std::string Row::*name) {
    std::vector<Row> rows;
    for (const auto& amount : wire) {
        Row& row = rows.emplace_back();
        row.*name = amount.name();
        row.count = amount.count();
    }
    return rows;
}
template <class Rows, class Wire>
void write_all(const Rows& rows, Wire* wire) {
    for (const auto& row : rows) write(row, *wire->Add());
}

}  // namespace turboci::rpc
