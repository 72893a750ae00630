// SPDX-License-Identifier: Apache-2.0
// The control of the tests under ThreadSanitizer: keeps the rule of Committer, or breaks it.
#include <cstdio>
#include <string_view>

#include "runner/committer.hpp"

int main(int argc, char** argv) {
    const bool breaks = argc == 2 && std::string_view(argv[1]) == "break";
    int works_on = 0;
    turboci::Committer committer([] {});
    committer.submit([&] { works_on = 1; });
    if (!breaks) committer.finish();
    const int seen = works_on;
    if (breaks) committer.finish();
    std::printf("seen %s\n", seen == 0 || seen == 1 ? "something" : "nonsense");
    return 0;
}
