// SPDX-License-Identifier: Apache-2.0
#include "grpc/errors.hpp"

#include <map>
#include <optional>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "support/catch.hpp"
#include "turboci/problems.hpp"

using namespace turboci;
using namespace turboci::rpc;

namespace {

ErrorContext about_plan() {
    ErrorContext context;
    context.request_id = "r-1";
    context.subject_type = "work_plan";
    context.subject = "p";
    return context;
}

template <class Detail>
std::optional<Detail> detail_of(const grpc::Status& status) {
    google::rpc::Status full;
    REQUIRE(full.ParseFromString(status.error_details()));
    CHECK(full.code() == static_cast<int>(status.error_code()));
    CHECK(full.message() == status.error_message());
    Detail detail;
    for (const auto& any : full.details())
        if (any.UnpackTo(&detail)) return detail;
    return std::nullopt;
}

std::map<std::string, std::string> metadata_of(const grpc::Status& status) {
    const auto info = detail_of<google::rpc::ErrorInfo>(status);
    REQUIRE(info);
    CHECK(info->domain() == "turboci");
    return {info->metadata().begin(), info->metadata().end()};
}

std::string reason_of(const grpc::Status& status) {
    return detail_of<google::rpc::ErrorInfo>(status)->reason();
}

/// What collected problems are thrown as.
Error raised(const Problems& problems) {
    try {
        problems.raise({"f.yaml"});
    } catch (const Error& error) {
        return error;
    }
    return Error(ErrorCode::internal, "nothing was thrown");
}

}  // namespace

TEST_CASE("Each kind of error has its status") {
    const auto code_of = [](const Error& error) { return to_status(error, about_plan()).error_code(); };
    CHECK(code_of(Error(ErrorCode::usage, "x")) == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(code_of(Error(ErrorCode::invalid_argument, "x")) == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(code_of(Error(ErrorCode::invalid_dependency, "x")) == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(code_of(Error(ErrorCode::cyclic_dependency, "x")) == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(code_of(Error(ErrorCode::not_found, "x")) == grpc::StatusCode::NOT_FOUND);
    CHECK(code_of(Error(ErrorCode::invalid_state, "x")) == grpc::StatusCode::FAILED_PRECONDITION);
    CHECK(code_of(Error(ErrorCode::conflict, "x")) == grpc::StatusCode::ABORTED);
    CHECK(code_of(Error(ErrorCode::conflict, "x").because("ID_EXISTS")) == grpc::StatusCode::ALREADY_EXISTS);
    CHECK(code_of(Error(ErrorCode::locked, "x")) == grpc::StatusCode::UNAVAILABLE);
    CHECK(code_of(Error(ErrorCode::store, "x")) == grpc::StatusCode::INTERNAL);
    CHECK(code_of(Error(ErrorCode::store, "x").because("DAMAGED")) == grpc::StatusCode::DATA_LOSS);
    CHECK(code_of(Error(ErrorCode::store, "x").because("DISK_FULL")) == grpc::StatusCode::RESOURCE_EXHAUSTED);
    CHECK(code_of(Error(ErrorCode::internal, "x")) == grpc::StatusCode::INTERNAL);
}

TEST_CASE("A conflict says who holds the attempt, or which version there is") {
    Problems problems;
    problems.add(ErrorCode::conflict, {}, "attempt 1 of stage:s is held by w1", "CLAIMED",
                 {{"held_by", "w1"}, {"node", "stage:s"}});
    const auto held = to_status(raised(problems), about_plan());
    CHECK(held.error_code() == grpc::StatusCode::ABORTED);
    CHECK(reason_of(held) == "CLAIMED");
    CHECK(metadata_of(held)["held_by"] == "w1");
    CHECK(metadata_of(held)["code"] == "CONFLICT");
    CHECK(detail_of<google::rpc::RequestInfo>(held)->request_id() == "r-1");

    const auto other = to_status(
        Error(ErrorCode::conflict, "x").because("IF_VERSION", {{"current_version", "7"}}), about_plan());
    CHECK(reason_of(other) == "IF_VERSION");
    CHECK(metadata_of(other)["current_version"] == "7");
    CHECK(to_error(other).reason() == "IF_VERSION");
}

TEST_CASE("Of several problems none speaks for all") {
    Problems problems;
    problems.add(ErrorCode::conflict, {0, 1, 1}, "attempt 1 of stage:s is held by w1", "CLAIMED",
                 {{"held_by", "w1"}});
    problems.add(ErrorCode::conflict, {0, 2, 1}, "attempt 1 of stage:t is held by w2", "CLAIMED",
                 {{"held_by", "w2"}});
    const auto status = to_status(raised(problems), about_plan());
    CHECK(reason_of(status) == "CONFLICT");
    CHECK(metadata_of(status).count("held_by") == 0);
    CHECK(detail_of<google::rpc::BadRequest>(status)->field_violations_size() == 2);
}

TEST_CASE("What is not there is named with its type") {
    const auto resource_of = [](const Error& error) {
        const auto resource = detail_of<google::rpc::ResourceInfo>(to_status(error, about_plan()));
        REQUIRE(resource);
        return resource->resource_type() + " " + resource->resource_name();
    };
    const auto missing = [](const char* node) {
        return Error(ErrorCode::not_found, "there is no node").because({}, {{"node", node}});
    };
    CHECK(resource_of(Error(ErrorCode::not_found, "there is no plan 'p'")) == "work_plan p");
    CHECK(resource_of(missing("stage:a:b")) == "stage a:b");
    CHECK(resource_of(missing("check:c")) == "check c");
    CHECK(resource_of(missing("either")) == "node either");
}

TEST_CASE("Callers elsewhere are not told where the store is") {
    ErrorContext context = about_plan();
    const Error error(ErrorCode::store, "writing '/srv/plans.db' failed: disk full");
    CHECK(to_status(error, context).error_message().find("/srv") != std::string::npos);
    context.is_local = false;
    CHECK(to_status(error, context).error_message().find("/srv") == std::string::npos);
}
