#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs for a program with ThreadSanitizer, which exits 66 if it has seen a race: what ends, fails, is tried again,
# waits for the lock and is interrupted while the store's thread is at work; and a large plan read by several.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export TSAN_OPTIONS=exitcode=66

# plan_of N COMMAND: N stages in ten chains; each fifth fails at its first attempt, each eleventh always.
plan_of() {
    local i
    echo 'stages:'
    for ((i = 0; i < $1; i++)); do
        printf '  - {id: s%d, args: {command: "%s"}' "$i" "$2"
        if ((i % 11 == 10)); then
            printf ', retry: {max_retries: 1}, assignments: [broken]}\n'
            continue
        fi
        ((i < 10)) || printf ', dependencies: {all: [{node: "stage:s%d", when: always}]}' $((i - 10))
        printf ', retry: {max_retries: 1, backoff: 1ms}}\n'
    done
    echo 'checks: [{id: broken, state: PLANNED}]'
}
# shellcheck disable=SC2016 # a stage's shell expands it
command='n=${TURBOCI_STAGE#s}; echo $n; [ $((n % 11)) != 10 ] && { [ $((n % 5)) != 4 ] || [ $TURBOCI_ATTEMPT = 2 ]; }'

scenario 'a run with failures, retries and progress beside other writers'
plan_of 44 "$command" >plan.yaml
expect_exit 0 turboci plan create p -f plan.yaml
{ for ((i = 0; i < 20; i++)); do turboci nodes write - <<<"checks: [{id: n$i}]" || exit; done; } >writes 2>&1 &
writer=$!
expect_exit 1 turboci run -j2
wait "$writer" || fail "a writer beside the run failed: $(cat writes)"
expect_in '40 passed, 4 failed' "$err"

scenario 'a run that is interrupted, and the next one'
plan_of 24 'sleep 0.1' >plan.yaml
expect_exit 0 turboci plan create p -f plan.yaml
env --default-signal=INT turboci run -j2 >"$work/out" 2>&1 </dev/null & # the shell has it ignored
runner=$!
until grep -q '^passed' "$work/out"; do
    kill -0 "$runner" 2>/dev/null || break
    sleep 0.05
done
status=0
kill -INT "$runner"
wait "$runner" || status=$?
expect_equal 130 "$status"
status=0
turboci run -j2 >"$work/out" 2>&1 || status=$?
((status == 0 || status == 1)) || fail "the next run exited $status: $(cat "$work/out")"

scenario 'a large plan, read by several threads'
{
    echo 'checks:'
    for ((i = 0; i < 5000; i++)); do echo "  - {id: n$i, state: PLANNED, options: {i: $i}}"; done
    echo 'stages: [{id: last, args: {command: "true"}, dependencies: [n0, n4999]}]'
} >large.yaml
expect_exit 0 turboci plan create large -f large.yaml
expect_exit 0 turboci -p large nodes query -o jsonl
together=$out
expect_exit 0 turboci -p large nodes query --match '*' -o jsonl
[[ $out == "$together" ]] || fail 'several threads answer otherwise than one'

done_testing
