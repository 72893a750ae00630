// SPDX-License-Identifier: Apache-2.0
#include "store/postgresql/errors.hpp"

#include <fmt/core.h>

#include <array>

#include "turboci/error.hpp"

namespace turboci::postgresql {

namespace {

struct Meaning {
    std::string_view state;  ///< SQLSTATE, or how it begins
    ErrorCode code;
    std::string_view what;  ///< empty: what the server says
    std::string_view remedy;
    const char* reason = "";
};
// The first that fits.
constexpr std::array kMeanings{
    Meaning{kLockNotAvailable, ErrorCode::locked, "another transaction holds the plan",
            "wait until it is done, or raise --lock-timeout"},
    Meaning{"40", ErrorCode::locked, "another transaction was in the way", "run the command again"},
    Meaning{"25P03", ErrorCode::locked, "the transaction was idle for too long and was ended by the server",
            "run the command again"},
    Meaning{"57014", ErrorCode::store, "a statement took longer than it may",
            "see what the server is busy with, and run the command again"},
    Meaning{"3F000", ErrorCode::not_found, "there is no store in the database",
            "make it with 'turboci store init'"},
    Meaning{"42P01", ErrorCode::not_found, "there is no store in the database",
            "make it with 'turboci store init'"},
    Meaning{"42501", ErrorCode::store, {}, "let the owner of the store grant it, see 'turboci store init'"},
    Meaning{"22021", ErrorCode::invalid_argument, "a text has a character that PostgreSQL cannot keep",
            "leave out NUL (\\u0000) in it"},
    Meaning{"53100", ErrorCode::store, "the server's disk is full", "free some space and try again",
            "DISK_FULL"},
    Meaning{"53", ErrorCode::store, {}, "try again when the server has more room"},
    Meaning{"25006", ErrorCode::store, "the server takes no writes (a standby?)",
            "name the primary in the store's URL"},
    Meaning{
        "08", ErrorCode::store, {}, "see whether the server runs and can be reached", kReasonConnectionLost},
    Meaning{
        "57P", ErrorCode::store, {}, "see whether the server runs and can be reached", kReasonConnectionLost},
};

}  // namespace

void throw_failure(const Failure& failure, std::string_view location) {
    for (const Meaning& meaning : kMeanings) {
        if (!failure.state.starts_with(meaning.state)) continue;
        const std::string_view what = meaning.what.empty() ? failure.message : meaning.what;
        throw Error(meaning.code, fmt::format("'{}': {}", location, what), std::string(meaning.remedy))
            .because(meaning.reason);
    }
    throw Error(ErrorCode::store,
                fmt::format("'{}': {} (SQLSTATE {})", location, failure.message, failure.state),
                "run 'turboci store check', and see the server's log");
}

}  // namespace turboci::postgresql
