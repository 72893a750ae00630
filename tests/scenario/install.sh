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
