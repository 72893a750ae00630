// SPDX-License-Identifier: Apache-2.0
#include "grpc/errors.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace turboci::rpc {

namespace {

constexpr std::string_view kDomain = "turboci";
constexpr std::array<std::string_view, 17> kNames{
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

/// Collects the details of one status.
class Details {
public:
    Details(grpc::StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}
    template <class Message>
    void add(const Message& message) {
        status_.add_details()->PackFrom(message);
    }
    void add_info(std::string_view reason, const std::string& request_id,
                  const std::vector<std::pair<std::string, std::string>>& metadata = {}) {
        google::rpc::ErrorInfo info;
        info.set_reason(std::string(reason));
        info.set_domain(std::string(kDomain));
        for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
        add(info);
        google::rpc::RequestInfo request;
        request.set_request_id(request_id);
        add(request);
    }
    [[nodiscard]] grpc::Status status() {
        status_.set_code(static_cast<int>(code_));
        status_.set_message(message_);
        return {code_, message_, status_.SerializeAsString()};
    }

private:
    grpc::StatusCode code_;
    std::string message_;
    google::rpc::Status status_;
};

grpc::StatusCode code_of(const Error& error) {
    switch (error.code()) {
        case ErrorCode::usage:
        case ErrorCode::invalid_argument:
        case ErrorCode::invalid_dependency:
        case ErrorCode::cyclic_dependency:
            return grpc::StatusCode::INVALID_ARGUMENT;
        case ErrorCode::not_found:
            return grpc::StatusCode::NOT_FOUND;
        case ErrorCode::invalid_state:
            return grpc::StatusCode::FAILED_PRECONDITION;
        case ErrorCode::conflict:
            return error.reason() == "ID_EXISTS" ? grpc::StatusCode::ALREADY_EXISTS
                                                 : grpc::StatusCode::ABORTED;
        case ErrorCode::locked:
            return grpc::StatusCode::UNAVAILABLE;
        case ErrorCode::pending:
            return grpc::StatusCode::CANCELLED;
        case ErrorCode::store:
            if (error.reason() == "DAMAGED") return grpc::StatusCode::DATA_LOSS;
            if (error.reason() == "DISK_FULL") return grpc::StatusCode::RESOURCE_EXHAUSTED;
            return grpc::StatusCode::INTERNAL;
        case ErrorCode::output:
        case ErrorCode::internal:
            return grpc::StatusCode::INTERNAL;
    }
    return grpc::StatusCode::INTERNAL;
}

/// Is it about what the server keeps, and would say where?
bool tells_of_server(const Error& error) {
    return error.code() == ErrorCode::store || error.code() == ErrorCode::locked ||
           error.code() == ErrorCode::output;
}

std::string message_of(const Error& error, const ErrorContext& context) {
    if (tells_of_server(error) && !context.is_local)
        return error.code() == ErrorCode::locked ? "another process has the store's lock"
                                                 : "the server's store cannot be used; its log says why";
    const auto& details = error.details();
    if (context.fields == nullptr || context.by_number) return error.what();
    if (details.size() != 1 || details.front().line == 0) return context.fields->told(error.what());
    const std::string field(context.fields->name(details.front().line));
    const std::string message = context.fields->told(details.front().message);
    return field.empty() ? message : fmt::format("{}: {}", field, message);
}

void add_problems(Details& details, const Error& error, const ErrorContext& context) {
    google::rpc::BadRequest bad;
    for (const ErrorDetail& problem : error.details()) {
        auto* violation = bad.add_field_violations();
        const bool names = context.fields != nullptr && !context.by_number;
        if (problem.line != 0 && context.by_number)
            violation->set_field(std::to_string(problem.line));
        else if (problem.line != 0 && names)
            violation->set_field(std::string(context.fields->name(problem.line)));
        violation->set_description(names ? context.fields->told(problem.message) : problem.message);
    }
    if (bad.field_violations().empty()) bad.add_field_violations()->set_description(error.what());
    details.add(bad);
}

void add_retry(Details& details) {
    google::rpc::RetryInfo retry;
    constexpr int kNanoseconds = 100'000'000;
    retry.mutable_retry_delay()->set_nanos(kNanoseconds);
    details.add(retry);
}

/// What else our own clients need to say what the server would have said.
std::vector<std::pair<std::string, std::string>> metadata_of(const Error& error) {
    std::vector<std::pair<std::string, std::string>> metadata{
        {"code", std::string(error_info(error.code()).name)}};
    if (!error.remedy().empty()) metadata.emplace_back("remedy", error.remedy());
    std::string codes;
    for (const ErrorDetail& problem : error.details())
        codes += (codes.empty() ? "" : ",") + std::string(error_info(problem.code).name);
    if (!codes.empty()) metadata.emplace_back("problem_codes", codes);
    metadata.insert(metadata.end(), error.facts().begin(), error.facts().end());
    return metadata;
}

std::string fact(const Error& error, std::string_view key) {
    const auto found = std::ranges::find(error.facts(), key, &ErrorFacts::value_type::first);
    return found == error.facts().end() ? std::string() : found->second;
}

std::optional<ErrorCode> parse_code(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i)
        if (error_info(static_cast<ErrorCode>(i)).name == name) return static_cast<ErrorCode>(i);
    return std::nullopt;
}

/// What a status means that comes from the library, or from a server that is not turboci's.
ErrorCode guess(grpc::StatusCode code) {
    switch (code) {
        case grpc::StatusCode::INVALID_ARGUMENT:
        case grpc::StatusCode::OUT_OF_RANGE:
            return ErrorCode::invalid_argument;
        case grpc::StatusCode::NOT_FOUND:
            return ErrorCode::not_found;
        case grpc::StatusCode::FAILED_PRECONDITION:
            return ErrorCode::invalid_state;
        case grpc::StatusCode::ABORTED:
        case grpc::StatusCode::ALREADY_EXISTS:
            return ErrorCode::conflict;
        case grpc::StatusCode::UNAVAILABLE:
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
        case grpc::StatusCode::DEADLINE_EXCEEDED:
            return ErrorCode::locked;
        case grpc::StatusCode::UNAUTHENTICATED:
        case grpc::StatusCode::PERMISSION_DENIED:
            return ErrorCode::usage;
        default:
            return ErrorCode::store;
    }
}

}  // namespace

grpc::Status to_status(const Error& error, const ErrorContext& context) {
    const grpc::StatusCode code = code_of(error);
    Details details(code, message_of(error, context));
    details.add_info(error.reason(), context.request_id, metadata_of(error));
    switch (code) {
        case grpc::StatusCode::INVALID_ARGUMENT:
            add_problems(details, error, context);
            break;
        case grpc::StatusCode::FAILED_PRECONDITION: {
            google::rpc::PreconditionFailure failure;
            auto* violation = failure.add_violations();
            violation->set_type(std::string(error.reason()));
            const std::string node = fact(error, "node");
            violation->set_subject(node.empty() ? context.subject : node);
            violation->set_description(message_of(error, context));
            details.add(failure);
            if (!error.details().empty()) add_problems(details, error, context);
            break;
        }
        case grpc::StatusCode::NOT_FOUND:
        case grpc::StatusCode::ALREADY_EXISTS: {
            google::rpc::ResourceInfo resource;
            const std::string node = fact(error, "node");
            const std::size_t colon = node.find(':');
            // A node is told with its type, where that is known.
            resource.set_resource_type(node.empty() ? context.subject_type : "node");
            resource.set_resource_name(node.empty() ? context.subject : node);
            if (colon != std::string::npos && parse_node_type(node.substr(0, colon))) {
                resource.set_resource_type(node.substr(0, colon));
                resource.set_resource_name(node.substr(colon + 1));
            }
            resource.set_description(error.what());
            details.add(resource);
            if (!error.details().empty()) add_problems(details, error, context);
            break;
        }
        case grpc::StatusCode::UNAVAILABLE:
            add_retry(details);
            break;
        default:
            if (!error.details().empty()) add_problems(details, error, context);
            break;
    }
    return details.status();
}

grpc::Status internal_status(const std::string& request_id) {
    return server_status(grpc::StatusCode::INTERNAL, fmt::format("internal error, request {}", request_id),
                         "INTERNAL", request_id);
}

grpc::Status server_status(grpc::StatusCode code, const std::string& message, const std::string& reason,
                           const std::string& request_id) {
    Details details(code, message);
    details.add_info(reason, request_id);
    const bool passes = code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::RESOURCE_EXHAUSTED;
    if (passes && reason != "TOO_LARGE") add_retry(details);
    return details.status();
}

Error to_error(const grpc::Status& status) {
    google::rpc::Status full;
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    if (full.ParseFromString(status.error_details()))
        for (const auto& any : full.details()) {
            any.UnpackTo(&info);
            any.UnpackTo(&bad);
        }
    const auto metadata = [&](const char* key) {
        const auto found = info.metadata().find(key);
        return found == info.metadata().end() ? std::string() : found->second;
    };
    std::vector<ErrorDetail> problems;
    std::string codes = metadata("problem_codes");
    std::string_view rest = codes;
    for (const auto& violation : bad.field_violations()) {
        if (codes.empty()) break;  // a single plain error
        const std::size_t comma = std::min(rest.find(','), rest.size());
        ErrorDetail problem{violation.field(), 0, 0, violation.description()};
        const char* const end = problem.file.data() + problem.file.size();
        if (std::from_chars(problem.file.data(), end, problem.line).ptr == end && !problem.file.empty())
            problem.file = kRequestFile;
        else
            problem.line = 0;
        problem.code = parse_code(rest.substr(0, comma)).value_or(problem.code);
        rest.remove_prefix(std::min(comma + 1, rest.size()));
        problems.push_back(std::move(problem));
    }
    const ErrorCode code = parse_code(metadata("code")).value_or(guess(status.error_code()));
    std::string remedy = metadata("remedy");
    if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED)
        remedy = "name the file with your token in TURBOCI_AUTH_FILE";
    return Error(code, status.error_message(), remedy, std::move(problems)).because(info.reason());
}

std::string_view name_of(grpc::StatusCode code) noexcept {
    const auto index = static_cast<std::size_t>(code);
    return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

}  // namespace turboci::rpc
