// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "countwords.h"

static int failures = 0;

static void expect(const char *text, size_t words) {
    size_t got = countwords(text);
    if (got == words) return;
    fprintf(stderr, "countwords(\"%s\"): expected %zu, got %zu\n", text, words, got);
    ++failures;
}

int main(void) {
    expect("", 0);
    expect("   ", 0);
    expect("one", 1);
    expect("  two words  ", 2);
    expect("tabs\tand\nlines", 3);
    return failures != 0;
}
