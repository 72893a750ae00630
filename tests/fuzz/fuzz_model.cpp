// SPDX-License-Identifier: Apache-2.0
// Any bytes as a sequence of requests: the product must do what the model of its rules does.
#include <cstdio>
#include <cstdlib>

#include "bench.hpp"

using namespace turboci::model;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Bench bench;
    ByteChoices choices({data, size});
    const Operations operations = generate(choices);
    if (!bench.run(operations)) return 0;
    static_cast<void>(
        std::fprintf(stderr, "the least that was found:\n%s", bench.explain(operations).c_str()));
    std::abort();
}
