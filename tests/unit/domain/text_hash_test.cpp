// SPDX-License-Identifier: Apache-2.0
#include "domain/text_hash.hpp"

#include <array>
#include <set>
#include <string>

#include "support/catch.hpp"

using namespace turboci;

TEST_CASE("a hash follows from every byte of a text and from its length alone") {
    std::set<std::uint64_t> seen;
    for (std::size_t length = 0; length <= 40; ++length) {
        const std::string zeros(length, '\0');
        CHECK(hash_text(zeros) == hash_text(std::string(length, '\0')));
        REQUIRE(seen.insert(hash_text(zeros)).second);
        for (std::size_t i = 0; i < length; ++i) {
            for (const char c : {'\x01', '\x80', '\xff'}) {
                std::string text = zeros;
                text[i] = c;
                REQUIRE(seen.insert(hash_text(text)).second);
            }
        }
    }
}

TEST_CASE("a hash is good in all bits") {
    // Of 4,096 names, each bit is set in about half: 32 standard deviations of a coin are 1,024.
    std::array<int, 64> set{};
    for (int i = 0; i < 4096; ++i) {
        const std::uint64_t h = hash_text("stage-" + std::to_string(i));
        for (std::size_t bit = 0; bit < 64; ++bit) set.at(bit) += static_cast<int>(h >> bit & 1);
    }
    for (const int count : set) {
        CHECK(count > 1024);
        CHECK(count < 3072);
    }
}
