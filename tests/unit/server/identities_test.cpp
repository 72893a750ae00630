// SPDX-License-Identifier: Apache-2.0
#include "server/identities.hpp"

#include <sys/stat.h>

#include <fstream>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "turboci/error.hpp"

using namespace turboci;
using namespace turboci::server;
using Catch::Matchers::Contains;
using turboci::test::TempDir;

namespace {

std::string refusal(std::string_view text) {
    try {
        static_cast<void>(Identities::parse(text, "tokens"));
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("A token file names callers and what they may do") {
    const Identities ids = Identities::parse(
        "# who\n\nviewer read 0123456789abcdef\r\nci\twrite,work  fedcba9876543210\nboss admin,actor "
        "aaaaaaaaaaaaaaaaaaaa",
        "tokens");
    const auto viewer = ids.find("0123456789abcdef");
    REQUIRE(viewer);
    CHECK(viewer->name == "viewer");
    CHECK(viewer->may(Scope::read));
    CHECK_FALSE(viewer->may(Scope::write));
    const auto ci = ids.find("fedcba9876543210");
    REQUIRE(ci);
    CHECK(ci->may(Scope::write));
    CHECK(ci->may(Scope::work));
    CHECK(ci->may(Scope::read));
    CHECK_FALSE(ci->may(Scope::admin));
    CHECK_FALSE(ci->may(Scope::actor));
    CHECK(ids.find("aaaaaaaaaaaaaaaaaaaa")->may(Scope::actor));
    CHECK_FALSE(ids.find("0123456789abcdeg"));
    CHECK_FALSE(ids.find("0123456789abcde"));
    CHECK_FALSE(ids.find(""));
    CHECK(Identities::parse("", "tokens").empty());
}

TEST_CASE("A token file with a mistake is refused with its line") {
    CHECK_THAT(refusal("a read 0123456789abcdef\nb read"), Contains("tokens:2: a line has three words"));
    CHECK_THAT(refusal("a read 0123456789abcdef more"), Contains("tokens:1: a line has three words"));
    CHECK_THAT(refusal("a all 0123456789abcdef"), Contains("the scopes are"));
    CHECK_THAT(refusal("a read, 0123456789abcdef"), Contains("the scopes are"));
    CHECK_THAT(refusal("a read short"), Contains("shorter than 16"));
    CHECK_THAT(refusal("a read 0123456789abcdef\nb read 0123456789abcdef"), Contains("tokens:2"));
}

TEST_CASE("A token file that everybody may read is refused, and so is one that nobody can") {
    TempDir dir;
    const std::string path = dir / "tokens";
    std::ofstream(path) << "a read 0123456789abcdef\n";
    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    CHECK_THROWS_WITH(Identities::read(path), Contains("everybody may read"));
    REQUIRE(::chmod(path.c_str(), 0640) == 0);
    CHECK(Identities::read(path).find("0123456789abcdef"));
    CHECK_THROWS_WITH(Identities::read(dir / "none"), Contains("No such file"));
}
