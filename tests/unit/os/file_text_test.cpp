// SPDX-License-Identifier: Apache-2.0
#include "os/file_text.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "support/catch.hpp"

using namespace turboci;

namespace {

void append(FileText& text, std::string_view part, std::size_t room) {
    const std::span<char> there = text.room(room);
    REQUIRE(there.size() >= std::max(room, part.size()));
    std::memcpy(there.data(), part.data(), part.size());
    text.filled(part.size());
}

}  // namespace

TEST_CASE("the text of a file is empty at first, and then what it was filled with") {
    FileText text;
    CHECK(text.view().empty());
    CHECK(text.view().data() != nullptr);
    append(text, "some ", 100);
    append(text, "bytes", 5);
    CHECK(text.view() == "some bytes");
    CHECK(text.size() == 10);
}

TEST_CASE("the text of a file keeps what it has when it grows beyond huge pages") {
    FileText text;
    std::string expected;
    while (expected.size() < 20'000'000) {
        const std::string part(expected.size() / 3 + 1000, static_cast<char>('a' + expected.size() % 26));
        append(text, part, part.size());
        expected += part;
    }
    CHECK(text.view() == expected);
}
