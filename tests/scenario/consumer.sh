#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a program against an installation, by its CMake package and by pkg-config: consumer.sh PREFIX
set -euo pipefail
prefix=$(realpath "$1")
source=$(cd "$(dirname "$0")/consumer" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/turboci-consumer.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

pc=$(find "$prefix" -name turboci.pc)
version=$("$prefix/bin/turboci" --version)
[[ "turboci $(PKG_CONFIG_PATH=${pc%/*} pkg-config --modversion turboci)" == "$version" ]]

# With bytecode in it, whoever links the archive would wait for the optimiser.
if readelf --sections --wide "$(find "$prefix" -name libturboci.a)" | grep -F .gnu.lto >/dev/null; then
    echo "consumer: the archive has bytecode in it" >&2
    exit 1
fi

expect_output() {
    local got
    got=$("$1" "$work/$2.db")
    if [[ $got != $'nightly\na FINAL\nb WAITING' ]]; then
        printf 'consumer: %s printed: %s\n' "$1" "$got" >&2
        exit 1
    fi
}

cmake -S "$source" -B cmake -DCMAKE_PREFIX_PATH="$prefix" >cmake.log || { cat cmake.log && exit 1; }
cmake --build cmake >>cmake.log || { cat cmake.log && exit 1; }
expect_output cmake/consumer cmake

# An installation that was moved, or made under another prefix than the configured one, says where it is now.
read -r -a flags < <(PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags --libs turboci)
said=$(realpath "$(PKG_CONFIG_PATH=${pc%/*} pkg-config --variable=prefix turboci)")
if [[ $said != "$prefix" ]]; then
    echo "consumer: turboci.pc names $said as the prefix, not $prefix" >&2
    exit 1
fi
read -r -a more <<<"${LDFLAGS:-}"
"${CXX:-c++}" -std=c++20 -o with-pkg-config "$source/consumer.cpp" "${flags[@]}" "${more[@]}"
expect_output ./with-pkg-config pkg-config
echo "consumer: built and ran with CMake and pkg-config"
