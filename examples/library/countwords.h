// SPDX-License-Identifier: Apache-2.0
#ifndef COUNTWORDS_H
#define COUNTWORDS_H
#include <stddef.h>

/// size_t countwords(const char *text)
///     The number of words in a text: runs of bytes that are not white space.
size_t countwords(const char *text);

#endif
