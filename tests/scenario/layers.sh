#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No file includes what its layer must not know.
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A may=(
    # layer: the folders of src/ that it may include from, its own aside
    [domain]=""
    [engine]="domain"
    [os]=""
    [format]="domain"
    [store]="domain os"
    [service]="domain engine"
    [server]="domain os service"
    [grpc]="domain format google server service"
    [endpoint]="domain engine format service"
    [runner]="domain engine endpoint format os service"
    [cli]="engine endpoint format os runner service"
    [turbocid]="cli grpc os server store"
    [turboci-grpc]="cli grpc os"
    [turboci-postgresql]="cli os store"
)
declare -A owner=(
    # header of another project: the folder of src/ that alone includes it
    [sqlite3.h]=store
    [libpq-fe.h]=store
    [yaml.h]=format
    [yaml-cpp/]=format
    [pugixml.hpp]=format
    [CLI/]=cli
    [google/]=grpc
    [grpcpp/]=grpc
)
bad=0
complain() {
    echo "layers: $1" >&2
    bad=1
}

for layer in "${!may[@]}"; do
    [[ -d src/$layer ]] || complain "there is no src/$layer"
done
while IFS=: read -r file line text; do
    layer=${file#src/}
    layer=${layer%%/*}
    [[ -v may[$layer] ]] || complain "$file: src/$layer is no layer"
    header=${text#*[<\"]}
    header=${header%[>\"]*}
    other=${header%%/*}
    if [[ $text == *'"'* && $other != turboci && $other != "$layer" && " ${may[$layer]:-} " != *" $other "* ]]; then
        complain "$file:$line: $layer must not include $header"
    fi
    # The rules do not know where facts come from.
    if [[ $layer == engine && $header =~ ^turboci/(store|orchestrator|endpoint|service)\.hpp$ ]]; then
        complain "$file:$line: engine must not include $header"
    fi
    for foreign in "${!owner[@]}"; do
        if [[ $text == *'<'* && $header == "$foreign"* && $layer != "${owner[$foreign]}" ]]; then
            complain "$file:$line: only ${owner[$foreign]} may include $header"
        fi
    done
done < <(grep -nrE '^[[:blank:]]*#[[:blank:]]*include' src --include='*.cpp' --include='*.hpp')

# The public headers stand on the standard library alone.
while IFS= read -r line; do
    complain "${line%%:*}: a public header must not include ${line#*include }"
done < <(grep -rE '^#include' include | grep -vE '<[a-z_]+>|"turboci/')
((bad)) || echo "layers: every include is allowed"
exit "$bad"
