#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two servers on one store in PostgreSQL: what one is told, the other knows. Run by tests/support/with-postgresql:
# two_servers.sh TURBOCID TURBOCI
set -euo pipefail
unset TURBOCI_STORE TURBOCI_PLAN TURBOCI_STAGE TURBOCI_ATTEMPT TURBOCI_TOKEN # those of a stage that runs this test
turbocid=$1 turboci=$2
support=$(cd "$(dirname "$0")/../support" && pwd)
dir=$(mktemp -d)
pids=()
end() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
    wait
    rm -rf "$dir"
}
trap end EXIT
cd "$dir"
url=$("$support/new-postgresql-store" "$dir")
for name in a b; do
    "$turbocid" --store "$url" --listen "unix:$dir/$name.sock" 2>"$name.log" &
    pids+=($!)
done
for name in a b; do
    timeout 60 bash -c "until grep -q listening $name.log; do sleep 0.05; done"
done
a=grpc+unix://$dir/a.sock b=grpc+unix://$dir/b.sock

"$turboci" --store "$a" plan create p >/dev/null
"$turboci" --store "$b" wait --timeout 60s >waited 2>&1 &
waiter=$!
"$turboci" --store "$b" nodes write - >/dev/null <<'PLAN'
checks: [{id: answer, state: PLANNED}]
stages:
  - {id: one, args: {command: "echo first"}, assignments: [answer]}
  - {id: two, args: {command: "echo second"}, dependencies: [one]}
PLAN
"$turboci" --store "$a" worker --once -q
[[ $("$turboci" --store "$b" logs two) == second ]]
[[ $("$turboci" --store "$url" logs one) == first ]]
"$turboci" --store "$b" gate -q
wait "$waiter"
[[ $("$turboci" --store "$url" nodes query -o json) == "$("$turboci" --store "$a" nodes query -o json)" ]]
for pid in "${pids[@]}"; do
    kill "$pid"
    wait "$pid"
done
"$support/drop-postgresql-store" "$dir" "$url"
echo "two_servers: both knew everything"
