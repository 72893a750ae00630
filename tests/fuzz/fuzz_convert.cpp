// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request from the wire: it is refused, with fields that have names, or what was read is the
// same after it was written to the wire and read again. The first byte chooses the request.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "grpc/convert.hpp"
#include "turboci/error.hpp"
#include "unit/grpc/shown_nodes.hpp"

using namespace turboci;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// The message as its receiver gets it.
template <class Wire>
Wire sent(const Wire& wire) {
    Wire received;
    require(received.ParseFromString(wire.SerializeAsString()));
    return received;
}

void require_named(const Error& error, const rpc::FieldNames& names) {
    require(error.code() == ErrorCode::invalid_argument);
    for (const auto& detail : error.details()) {
        require(is_valid_utf8(detail.message));
        require(detail.message.find('\n') == std::string::npos);
        // What is left out of a long list has no field.
        require(detail.line == 0 || is_valid_utf8(names.name(detail.line)));
    }
}

void try_write(const v1::WriteNodesRequest& wire) {
    rpc::FieldNames names;
    try {
        const WriteNodes request = rpc::read(wire, names);
        v1::WriteNodesRequest again;
        rpc::write(request, again);
        rpc::FieldNames names_again;
        require(shown_request(rpc::read(sent(again), names_again)) == shown_request(request));
        rpc::visit_positions(request, [&](const Position& at) { require(!names.name(at.line).empty()); });
    } catch (const Error& error) {
        require_named(error, names);
    }
}

void try_query(const v1::QueryNodesRequest& wire) {
    rpc::FieldNames names;
    try {
        const rpc::QueryRead query = rpc::read(wire, names);
        v1::QueryNodesRequest again;
        rpc::write(query.nodes, again);
        const rpc::QueryRead query_again = rpc::read(sent(again));
        require(ShownNodes::of(query_again.nodes) == ShownNodes::of(query.nodes));
        require(query_again.filter.empty());
    } catch (const Error& error) {
        require_named(error, names);
    }
}

template <class Wire>
bool parse(const std::uint8_t* data, std::size_t size, Wire& wire) {
    constexpr int kMost = 1 << 30;
    return size < kMost && wire.ParseFromArray(data, static_cast<int>(size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    if (*data % 2 == 0) {
        v1::WriteNodesRequest wire;
        if (parse(data + 1, size - 1, wire)) try_write(wire);
    } else {
        v1::QueryNodesRequest wire;
        if (parse(data + 1, size - 1, wire)) try_query(wire);
    }
    return 0;
}
