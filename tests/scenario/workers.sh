#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Workers that die, and workers that are told to end.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh"

# await TRIES COMMAND...: until it succeeds.
await() {
    local tries=$1
    shift
    for ((; tries > 0; tries--)); do
        "$@" && return
        sleep 0.1
    done
    fail "'$*' did not come true"
}
is_begun() { [[ -s ran ]]; }
has_ended() { [[ $(for plan in a b; do turboci -p $plan nodes query --state FINAL -o name; done | wc -l) == 40 ]]; }

scenario 'what two of four workers leave behind when they are killed, the others do'
export TURBOCI_STORE=$PWD/ci.db
for plan in a b; do
    turboci plan create $plan >/dev/null
    for i in {1..20}; do
        echo "{\"id\": \"s$i\", \"args\": {\"command\": \"echo $plan/s$i >>'$PWD/ran'; sleep 0.2\"}}"
    done | jq -s '{stages: .}' | turboci -p $plan nodes write - >/dev/null
done
pids=()
for name in one two three four; do
    setsid turboci worker -j2 -q --name "$name" 2>"$name.log" &
    pids+=($!)
done
await 600 is_begun
kill -KILL "${pids[0]}" "${pids[1]}"
await 600 has_ended
for plan in a b; do
    expect_equal 20 "$(turboci -p $plan nodes query --outcome passed -o name | wc -l)"
done
expect_equal 40 "$(sort -u ran | wc -l)"
expect_exit 0 turboci worker list -o name
expect_in three "$out"
expect_exit 0 turboci worker drain three
kill -TERM "${pids[3]}"
expect_exit 0 wait "${pids[3]}"
expect_exit 0 wait "${pids[2]}"
expect_exit 0 turboci worker list -o name
[[ $out != *three* && $out != *four* ]] || fail "workers that have ended are listed: $out"
unset TURBOCI_STORE

done_testing
