// SPDX-License-Identifier: Apache-2.0
#include "countwords.h"

#include <ctype.h>
#include <stdbool.h>

size_t countwords(const char *text) {
    size_t words = 0;
    bool inside = false;
    for (; *text != '\0'; ++text) {
        bool blank = isspace((unsigned char)*text) != 0;
        if (!blank && !inside) ++words;
        inside = !blank;
    }
    return words;
}
