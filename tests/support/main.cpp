// SPDX-License-Identifier: Apache-2.0
// For a Catch2 of version 2 that is headers alone.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
