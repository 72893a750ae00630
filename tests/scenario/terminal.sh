#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a person sees: a real terminal, with tmux for the person.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

terminal=(tmux -f /dev/null -L "turboci-$$")
trap '"${terminal[@]}" kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
unset TMUX
export TERM=xterm-256color

# open_terminal COLUMNS LINES COMMAND
open_terminal() { "${terminal[@]}" new-session -d -s t -x "$1" -y "$2" "$3; echo \"status \$?\"; sleep 1000"; }
screen() { "${terminal[@]}" capture-pane -p -t t; }

# await TEXT: until it is on the screen, for a minute.
await() {
    local i
    for ((i = 0; i < 600; i++)); do
        [[ $(screen) == *"$1"* ]] && return
        sleep 0.1
    done
    fail "'$1' never came; the screen: $(screen)"
}

scenario 'a run shows what it does in place, keeps failures, and follows the size of the terminal'
cat >plan.yaml <<'PLAN'
stages:
  - {id: quick, args: {command: ["true"]}}
  - {id: broken, args: {command: 'echo the last words; exit 3'}}
  - {id: slow, args: {command: 'until [ -e go ]; do sleep 0.1; done'}}
PLAN
expect_exit 0 turboci plan create p -f plan.yaml
open_terminal 70 20 'turboci run -j3'
await 'failed stage:broken: exit status 3'
await '2/3'
expect_in 'the last words' "$(screen)"
expect_in 'slow' "$(screen)"
"${terminal[@]}" resize-window -t t -x 40 -y 12
sleep 0.3
await 'slow'
lines=$("${terminal[@]}" capture-pane -p -S - -t t | grep -c 'failed stage:broken' || true)
expect_equal 1 "$lines"
touch go
await 'status 1'
expect_in '2 passed, 1 failed, 0 skipped, 0' "$(screen)"
expect_in 'retried' "$(screen)"
"${terminal[@]}" kill-server

scenario 'a terminal that grows shows the view once, and nothing that was drawn before'
{
    printf 'stages:\n  - {id: broken, args: {command: "echo last words; exit 3"}}\n'
    for i in 1 2 3 4 5; do
        printf '  - {id: slow%s, args: {command: "until [ -e go ]; do sleep 0.1; done"}}\n' "$i"
    done
} >plan.yaml
expect_exit 0 turboci plan create p -f plan.yaml
open_terminal 60 5 'turboci run -j6'
await '1 failed'
await 'and 3 more'
"${terminal[@]}" resize-window -t t -x 80 -y 24
await 'slow5'
await '1/6'
bars=$("${terminal[@]}" capture-pane -p -S - -t t | grep -c '^ *\[[.#]*\] ' || true)
expect_equal 1 "$bars"
expect_in 'last words' "$(screen)"
[[ $(screen) != *'more'* ]] || fail "the old view is still there: $(screen)"
touch go
await 'status 1'
"${terminal[@]}" kill-server

scenario 'Ctrl-C ends what runs, records it, and tells the signal in the status'
printf 'stages: [{id: long, args: {command: [sleep, "1000"]}}]\n' >plan.yaml
expect_exit 0 turboci plan create p -f plan.yaml
open_terminal 70 20 'turboci run'
await 'long'
"${terminal[@]}" send-keys -t t C-c
await 'status 130'
expect_in 'SIGINT' "$(screen)"
expect_in '"cause":"interrupted"' "$(turboci nodes query stage:long -o json)"
"${terminal[@]}" kill-server

scenario 'Ctrl-C reaches a stage as what turboci makes of it, and not by itself'
cat >plan.yaml <<'PLAN'
stages:
  - id: long
    args: {command: 'trap "echo int >>caught" INT; trap "echo term >>caught; exit 1" TERM; while :; do sleep 0.1; done'}
PLAN
expect_exit 0 turboci plan create p -f plan.yaml
open_terminal 70 20 'turboci run'
await 'long'
sleep 0.5
"${terminal[@]}" send-keys -t t C-c
await 'status 130'
expect_equal term "$(cat caught)"
"${terminal[@]}" kill-server

scenario 'a stage that wants the terminal fails at once, on a terminal as without one'
cat >plan.yaml <<'PLAN'
stages:
  - {id: asks, args: {command: 'if stty sane </dev/tty 2>/dev/null; then echo has one; else echo has none; fi; tty || exit 3'}}
PLAN
expect_exit 0 turboci plan create p -f plan.yaml
open_terminal 70 20 'turboci run'
await 'failed stage:asks: exit status 3'
expect_in 'has none' "$(screen)"
await 'status 1'
"${terminal[@]}" kill-server
expect_exit 0 turboci plan create q -f plan.yaml
turboci -p q run >out 2>&1 || true
expect_in 'has none' "$(cat out)"

scenario 'watch shows each change once as it comes'
printf 'checks: [{id: c, state: WAITING}]\n' >plan.yaml
expect_exit 0 turboci plan create p -f plan.yaml
open_terminal 100 20 'turboci watch'
await 'check:c'
expect_exit 0 turboci check report c --pass --final
await 'passed'

done_testing
