// SPDX-License-Identifier: Apache-2.0
#include "turboci/error.hpp"

#include <string>

#include "support/catch.hpp"
#include "turboci/problems.hpp"

using namespace turboci;

TEST_CASE("Each error code has its published name and exit code") {
    struct Row {
        ErrorCode code;
        const char* name;
        int exit;
    };
    for (const Row& row :
         {Row{ErrorCode::usage, "USAGE", 2}, Row{ErrorCode::invalid_argument, "INVALID_ARGUMENT", 3},
          Row{ErrorCode::invalid_dependency, "INVALID_DEPENDENCY", 3},
          Row{ErrorCode::cyclic_dependency, "CYCLIC_DEPENDENCY", 3},
          Row{ErrorCode::not_found, "NOT_FOUND", 4}, Row{ErrorCode::invalid_state, "INVALID_STATE", 5},
          Row{ErrorCode::conflict, "CONFLICT", 6}, Row{ErrorCode::locked, "LOCKED", 7},
          Row{ErrorCode::pending, "PENDING", 8}, Row{ErrorCode::store, "STORE", 9},
          Row{ErrorCode::output, "OUTPUT", 10}, Row{ErrorCode::internal, "INTERNAL", 70}}) {
        CHECK(error_info(row.code).code == row.code);
        CHECK(error_info(row.code).name == row.name);
        CHECK(error_info(row.code).exit_code == row.exit);
    }
}

TEST_CASE("Problems are reported together in the order of the files") {
    Problems problems;
    problems.add(ErrorCode::invalid_argument, {1, 2, 3}, "third");
    problems.add(ErrorCode::invalid_dependency, {0, 9, 1}, "second");
    problems.add(ErrorCode::invalid_argument, {0, 2, 5}, "first");
    try {
        problems.raise({"a.yaml", "b.yaml"});
        FAIL("raise() returned");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::invalid_argument);
        REQUIRE(e.details().size() == 3);
        CHECK(e.details()[0].message == "first");
        CHECK(e.details()[1].message == "second");
        CHECK(e.details()[2].file == "b.yaml");
        CHECK(e.details()[2].line == 2);
        CHECK(e.details()[2].column == 3);
    }
}

TEST_CASE("A flood of problems is counted, not kept") {
    Problems problems;
    for (std::uint32_t i = 1; i <= 1000; ++i) problems.add(ErrorCode::invalid_argument, {0, i, 1}, "bad");
    try {
        problems.raise({"a.yaml"});
        FAIL("raise() returned");
    } catch (const Error& e) {
        CHECK(std::string(e.what()) == "1000 problems found");
        REQUIRE(e.details().size() == Problems::kMaxKept + 1);
        CHECK(e.details().back().message == "and 900 more problems");
    }
}

TEST_CASE("What is said of one place twice is one problem") {
    Problems problems;
    for (int i = 0; i < 3; ++i) {
        problems.add(ErrorCode::invalid_argument, {0, 1, 1}, "bad");
        problems.add(ErrorCode::invalid_argument, {0, 1, 1}, "worse");
        problems.add(ErrorCode::invalid_argument, {1, 1, 1}, "bad");
    }
    CHECK(problems.size() == 3);
    // Without a place nobody can tell whether it is the same.
    problems.add(ErrorCode::invalid_argument, {}, "bad");
    problems.add(ErrorCode::invalid_argument, {}, "bad");
    CHECK(problems.size() == 5);
}

TEST_CASE("A problem that comes from no file is a plain error") {
    Problems problems;
    problems.add(ErrorCode::conflict, {}, "taken");
    try {
        problems.raise_if_any({});
        FAIL("raise_if_any() returned");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::conflict);
        CHECK(std::string(e.what()) == "taken");
        CHECK(e.details().empty());
    }
    Problems none;
    CHECK_NOTHROW(none.raise_if_any({}));
}
