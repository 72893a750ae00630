#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a build installs is complete and can be used: install.sh BUILD_DIRECTORY
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(mktemp -d "${TMPDIR:-/tmp}/turboci-install.XXXXXX")
trap 'rm -rf "$prefix"' EXIT
cmake --install "$1" --prefix "$prefix" >/dev/null
cd "$prefix"
for file in bin/turboci include/turboci/turboci.hpp share/man/man1/turboci-run.1 \
    share/man/man5/turboci-plan-file.5 share/bash-completion/completions/turboci \
    share/zsh/site-functions/_turboci share/fish/vendor_completions.d/turboci.fish \
    share/doc/turboci/README.md share/doc/turboci/docs/architecture.md \
    share/doc/turboci/examples/library/plan.yaml share/doc/turboci/examples/failure/mirror; do
    [[ -s $file ]] || { echo "install: $file is missing" >&2 && exit 1; }
done
[[ -x share/doc/turboci/examples/failure/mirror ]]
"$here/consumer.sh" "$prefix"

# What runs of the examples leave behind is not installed, and the examples are what the repository has. A copy of the
# tree shows it; it is configured, not built.
tree=$prefix/tree
mkdir "$tree"
tar -C "$here/../.." --exclude='./build*' --exclude=./.git -cf - . | tar -C "$tree" -xf -
cd "$tree"
find examples -name 'turboci.db*' -exec rm -rf {} +
rm -rf examples/library/build examples/failure/scratch examples/failure/outbox.txt
(cd examples && find . -type f | sort) >"$prefix/examples"
mkdir -p examples/library/{build,turboci.db.logs/plan} examples/failure/scratch
touch examples/library/{build/countwords.o,turboci.db,turboci.db.lock,turboci.db-journal,turboci.db.logs/plan/test.1.log} \
    examples/failure/{scratch/mirrored,outbox.txt,other.db}
unset CMAKE_GENERATOR
if cmake -S . -B without -DCMAKE_DISABLE_FIND_PACKAGE_Catch2=ON >"$prefix/log" 2>&1; then
    echo "install: configured with tests and without Catch2" >&2
    exit 1
fi
for word in 'need Catch2' '-DTURBOCI_TESTS=OFF'; do
    tr -s ' \n' ' ' <"$prefix/log" | grep -q -e "$word" || { cat "$prefix/log" >&2 && exit 1; }
done
cmake -S . -B without -DTURBOCI_TESTS=OFF -DCMAKE_DISABLE_FIND_PACKAGE_Catch2=ON >"$prefix/log" 2>&1 ||
    { cat "$prefix/log" >&2 && exit 1; }
cmake --install without --prefix "$prefix/documents" --component documents >/dev/null
(cd "$prefix/documents/share/doc/turboci/examples" && find . -type f | sort) | diff -u "$prefix/examples" - >&2 ||
    { echo "install: other examples are installed than there are" >&2 && exit 1; }
echo "install: complete, usable, and nothing else"
