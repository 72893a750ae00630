# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What scenario tests share. Sourced; needs TURBOCI, the program's path. Each scenario has a directory of its
# own, a copy of the examples in it, and no store.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
TURBOCI=$(realpath "${TURBOCI:?the path of the turboci program}")
PATH=$(dirname "$TURBOCI"):$PATH
unset TURBOCI_STORE TURBOCI_PLAN TURBOCI_STAGE TURBOCI_ATTEMPT TURBOCI_TOKEN NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE
export PATH root LC_ALL=C.UTF-8 USER=tester

work=$(mktemp -d "${TMPDIR:-/tmp}/turboci-scenario.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
current=''

# Where the caller of a helper stands.
_caller() {
    local i=1
    while [[ ${BASH_SOURCE[i]} == */lib.sh ]]; do ((i++)); done
    printf '%s:%s' "${BASH_SOURCE[i]}" "${BASH_LINENO[i - 1]}"
}

fail() {
    printf '%s: %s: %s\n' "$(_caller)" "$current" "$1" >&2
    failures=$((failures + 1))
}

# scenario SENTENCE: begins one, in a fresh directory.
scenario() {
    current=$1
    local directory
    directory=$(mktemp -d "$work/XXXXXX")
    cp -r "$root/examples" "$directory/"
    rm -rf "$directory"/examples/library/build "$directory"/examples/failure/{scratch,outbox.txt} \
        "$directory"/examples/{monorepo/out,deployment/hosts,integration/out}
    cd "$directory"
    printf 'scenario: %s\n' "$1"
}

# expect_exit STATUS COMMAND...: runs it; leaves what it said in $out and $err.
expect_exit() {
    local want=$1 got=0
    shift
    "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
    if ((got != want)); then
        fail "'$*' exited $got, not $want; stdout: $out; stderr: $err"
    fi
}

# expect_in TEXT WHOLE: WHOLE contains TEXT.
expect_in() {
    [[ $2 == *"$1"* ]] || fail "'$1' is not in: $2"
}

# expect_equal WANT GOT
expect_equal() {
    [[ $1 == "$2" ]] || fail "expected '$1', got '$2'"
}

# outcome_of REF: its outcome, or its state while it is not FINAL.
outcome_of() {
    turboci nodes query "$1" -o json | jq -r '(.checks + .stages)[0] | .outcome // .state'
}

# expect_outcome OUTCOME REF...
expect_outcome() {
    local want=$1 ref
    shift
    for ref in "$@"; do
        [[ $(outcome_of "$ref") == "$want" ]] || fail "$ref is $(outcome_of "$ref"), not $want"
    done
}

# The last line of each test.
done_testing() {
    if ((failures)); then
        printf '%d failed\n' "$failures" >&2
        exit 1
    fi
    echo "all scenarios passed"
}
