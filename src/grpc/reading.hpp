// SPDX-License-Identifier: Apache-2.0
// Reading one message of the wire: every problem is collected, so that all are reported at once.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/generated_enum_reflection.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string>
#include <vector>

#include "grpc/enums.hpp"
#include "grpc/field_names.hpp"
#include "turboci/error.hpp"
#include "turboci/json_text.hpp"
#include "turboci/node.hpp"
#include "turboci/problems.hpp"
#include "turboci/time.hpp"

namespace turboci::rpc {

class Reading {
public:
    /// A request: INVALID_ARGUMENT. Without names the messages tell the fields.
    explicit Reading(FieldNames* names) : names_(names) {}
    /// An answer that cannot be read is a server's that this client does not understand: STORE.
    [[nodiscard]] static Reading answer() {
        Reading reading(nullptr);
        reading.code_ = ErrorCode::store;
        return reading;
    }

    [[nodiscard]] Position at(const Path& path) { return names_ ? names_->add(path) : Position{}; }
    void problem(const Path& path, const std::string& message);
    void raise_if_any() const { problems_.raise_if_any({std::string(kRequestFile)}); }

    /// nullopt for 0, which is "not given", and for a number that is none, which is a problem.
    template <class Table, class Wire>
    [[nodiscard]] auto value(const Path& path, const Table& table, Wire wire) {
        const auto found = from_wire(table, wire);
        if (!found && wire != Wire{})
            unknown(path, static_cast<int>(wire), google::protobuf::GetEnumDescriptor<Wire>()->name());
        return found;
    }
    /// The same of numbers of states, by type.
    [[nodiscard]] std::optional<State> state(const Path& path, NodeType type, int number);
    /// A state told by its number or, where no number can tell it, by name.
    [[nodiscard]] std::optional<State> state(const Path& path, NodeType type, int number,
                                             const Path& name_path, const std::string& name);

    [[nodiscard]] std::optional<Timestamp> time(const Path& path, const google::protobuf::Timestamp& wire);
    /// Of a request: never negative. Rounded down to microseconds.
    [[nodiscard]] std::optional<Duration> duration(const Path& path, const google::protobuf::Duration& wire);
    /// Text counts before Struct. nullopt if neither is given.
    [[nodiscard]] std::optional<JsonText> json(const Path& path, const google::protobuf::Struct* value,
                                               const Path& text_path, const std::string& text);
    /// An object as text; nullopt if it is empty or a problem.
    [[nodiscard]] std::optional<JsonText> json(const Path& path, const std::string& text);
    /// Any JSON value as text.
    [[nodiscard]] std::string json_value(const Path& path, const std::string& text);

private:
    void unknown(const Path& path, int number, const std::string& type);

    FieldNames* names_;
    ErrorCode code_ = ErrorCode::invalid_argument;
    Problems problems_;
};

/// The value of a message that may be absent.
template <class Read>
[[nodiscard]] auto if_given(bool given, const Read& read) -> decltype(read()) {
    if (given) return read();
    return {};
}

}  // namespace turboci::rpc
