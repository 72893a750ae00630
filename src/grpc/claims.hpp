// SPDX-License-Identifier: Apache-2.0
// Claims and ends of workers, as writes of plans.
#pragma once

#include <string>
#include <vector>

#include "domain/attempt_token.hpp"
#include "grpc/convert.hpp"
#include "turboci/service.hpp"
#include "turboci/v1/worker.pb.h"

namespace turboci::rpc {

/// INVALID_ARGUMENT unless it is the token of an attempt of this store.
[[nodiscard]] AttemptToken require_token(const std::string& text, const std::string& store);
/// The write that ends an attempt, with its results, by its holder.
[[nodiscard]] WriteNodes write_of(const v1::EndAttemptRequest& request, const AttemptToken& token,
                                  FieldNames& fields);
/// Gives a check the answer of an attempt.
void add_result(const v1::AttemptResult& result, const AttemptToken& token, FieldNames& fields,
                WriteNodes& request);
/// Where an attempt stands now.
[[nodiscard]] v1::AttemptStatus status_of(Service& service, const AttemptToken& token);
/// INVALID_ARGUMENT for what no claim can be.
[[nodiscard]] Claim claim_of(const v1::ClaimAttemptsRequest& request);

/// Which plans a claim that names none may take from, the one that was served longest ago first.
class Turns {
public:
    [[nodiscard]] std::vector<std::string> order(const std::vector<WorkPlan>& plans,
                                                 const v1::ClaimAttemptsRequest& request) const;
    void served(const std::string& plan) { last_ = plan; }

private:
    std::string last_;
};

}  // namespace turboci::rpc
