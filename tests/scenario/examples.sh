#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The examples do what their comments say.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/lib.sh"

# Draws the plan and has Graphviz accept it.
expect_drawable() {
    local graph
    turboci graph show >plan.dot
    expect_exit 0 dot -Tsvg -o plan.svg plan.dot
    expect_equal '' "$err"
    for graph in mermaid json tree; do
        expect_exit 0 turboci graph show --format "$graph"
    done
    expect_exit 0 turboci graph show --collapse kind
}

for file in "$root"/examples/*/plan.yaml "$root"/examples/*.yaml; do
    scenario "$(realpath --relative-to="$root" "$file") is a valid plan without warnings"
    expect_exit 0 turboci validate "$file"
    expect_equal '' "$err"
    expect_exit 0 turboci plan create -f "$file"
    expect_equal '' "$err"
    expect_exit 0 turboci nodes write "$file"
    expect_equal 1 "$(turboci plan show -o json | jq .plan.version)"
    expect_drawable
done

scenario 'the library is linted, built, tested and documented'
cd examples/library
expect_exit 0 turboci plan create -f plan.yaml
expect_equal $'stage:compile\nstage:make-docs\nstage:run-lint' \
    "$(turboci nodes query --type stage --ready -o name | sort)"
expect_exit 1 turboci gate
expect_exit 0 turboci run
expect_outcome passed check:lint check:build check:tests check:docs stage:run-tests
expect_exit 0 turboci gate
expect_exit 0 test -s build/countwords.txt
expect_drawable

scenario 'a library with a broken test fails the gate and says why'
cd examples/library
sed -i 's/expect("one", 1)/expect("one", 2)/' countwords_test.c
expect_exit 0 turboci plan create -f plan.yaml
expect_exit 1 turboci run
expect_outcome passed check:lint check:build check:docs
expect_outcome failed check:tests stage:run-tests
expect_equal 2 "$(turboci nodes query stage:run-tests -o json | jq '.stages[0].attempts | length')"
expect_exit 1 turboci gate
expect_in 'check:tests' "$err"
expect_exit 0 turboci nodes explain check:tests
expect_in 'stage:run-tests' "$out"

scenario 'a release waits for all variants and for a person'
cd examples/matrix
expect_exit 0 turboci plan create -f plan.yaml
expect_exit 8 turboci run
expect_in 'release-approved' "$err"
expect_outcome passed check:gcc/O0 check:gcc/O2 check:gcc/O3 check:gcc/sanitized check:packages
expect_outcome WAITING check:release-approved
expect_exit 1 turboci gate check:release
expect_exit 0 turboci check report release-approved --pass --final --actor maria
expect_exit 0 turboci run
expect_outcome passed check:release
expect_exit 0 turboci gate release
expect_exit 0 test -s ../library/build/release/countwords.tar.gz
expect_equal maria "$(turboci log check:release-approved -o jsonl | jq -r 'select(.by == "writer") | .actor' | tail -n 1)"

scenario 'a release is not published when one variant does not build'
cd examples/matrix
expect_exit 0 turboci plan create -f plan.yaml
sed -i 's/\[O0, O2, O3\]/[O0, O2, Onone]/' plan.yaml
rm turboci.db
expect_exit 0 turboci plan create -f plan.yaml
expect_exit 1 turboci run
expect_outcome passed check:gcc/O0 check:gcc/O2 check:gcc/sanitized
expect_outcome failed check:gcc/Onone
expect_outcome skipped check:packages check:release-approved check:release stage:publish
expect_exit 0 turboci nodes explain check:release
expect_in 'stage:build gcc/Onone' "${out#*root causes:}"

scenario 'after a failure the author is told, the deployment is skipped, and the scratch space is gone'
cd examples/failure
expect_exit 0 turboci plan create -f plan.yaml
expect_exit 1 turboci run
expect_outcome passed check:mirror/eu check:mirror/us check:mirrored stage:tell-the-author stage:clean-up
expect_outcome failed check:mirror/asia check:tested
expect_outcome skipped stage:deploy check:deployed
expect_equal 3 "$(turboci nodes query 'stage:sync asia' -o json | jq '.stages[0].attempts | length')"
expect_equal 'to: author; the tests failed' "$(cat outbox.txt)"
expect_exit 1 test -e scratch
expect_equal '{"tests":12,"failed":1}' "$(turboci nodes query check:tested -o json | jq -c '.checks[0].results[0].data')"

scenario 'without a failure nobody is told, and the deployment happens'
cd examples/failure
expect_exit 0 turboci plan create -f plan.yaml
export TESTS_PASS=1
expect_exit 1 turboci run # one mirror is down all the same
unset TESTS_PASS
expect_outcome passed check:tested check:deployed stage:clean-up
expect_outcome skipped stage:tell-the-author
expect_exit 1 test -e outbox.txt
expect_exit 1 turboci gate
expect_exit 0 turboci gate deployed mirrored tested

scenario 'with all mirrors down the threshold cannot be met any more'
cd examples/failure
printf '#!/bin/sh\nexit 69\n' >mirror
expect_exit 0 turboci plan create -f plan.yaml
expect_exit 1 turboci run
expect_outcome skipped check:mirrored check:tested check:deployed stage:run-tests stage:deploy stage:tell-the-author
expect_outcome passed stage:clean-up

scenario 'of a monorepo only what a change touches is built and tested'
cd examples/monorepo
expect_exit 0 turboci plan create -f plan.yaml
export CHANGED='web/cart.js web/index.html'
expect_exit 0 turboci run
expect_outcome passed check:changes check:build/web check:test/web
expect_outcome skipped check:build/api check:test/api check:build/docs check:together 'stage:build api' 'stage:test together'
expect_equal web "$(ls out)"
expect_exit 0 turboci gate --allow-skipped
expect_exit 1 turboci gate
expect_exit 0 turboci nodes explain check:build/api
expect_in '/api' "$out"

scenario 'what all packages share touches all of them'
cd examples/monorepo
expect_exit 0 turboci plan create -f plan.yaml
export CHANGED=shared/money.h
expect_exit 0 turboci run
expect_outcome passed check:build/api check:build/web check:build/docs check:test/api check:test/web check:together
expect_exit 0 turboci gate
unset CHANGED

scenario 'a deployment waits for a person, and takes one host after another'
cd examples/deployment
expect_exit 0 turboci plan create -f plan.yaml
expect_exit 8 turboci run
expect_exit 1 test -e hosts
expect_exit 0 turboci check report approved --pass --final --actor maria
expect_exit 0 turboci run -j8
expect_outcome passed check:deployed/alpha check:deployed/beta check:deployed/gamma check:reachable
expect_outcome skipped 'stage:roll back'
expect_equal $'new\nnew\nnew' "$(cat hosts/*)"
expect_exit 0 turboci gate
# However many slots there were, each deployment began after the one before it had ended.
turboci nodes query --match 'deploy *' -o json | jq -e '[.stages[].attempts[0] | [.started_at, .ended_at]] | sort |
    [range(1; length) as $i | .[$i][0] >= .[$i - 1][1]] | all' >/dev/null || fail 'two deployments ran at once'

scenario 'a deployment that fails on one host is rolled back'
cd examples/deployment
expect_exit 0 turboci plan create -f plan.yaml
expect_exit 0 turboci check report approved --pass --final --actor maria
export BROKEN_HOST=gamma
expect_exit 1 turboci run
unset BROKEN_HOST
expect_outcome failed check:deployed/gamma
expect_outcome skipped check:reachable
expect_outcome passed 'stage:roll back'
expect_equal $'old\nold' "$(cat hosts/*)"
expect_exit 1 turboci gate
# The next day: what a person has approved stays approved, what was deployed is rolled back and named, so deployed anew.
expect_exit 0 turboci plan rerun 'check:deployed/alpha' 'check:deployed/beta'
expect_exit 0 turboci run
expect_equal $'new\nnew\nnew' "$(cat hosts/*)"
expect_exit 0 turboci gate

scenario 'of an integration suite only what may be tried again is, and what is not required may fail'
cd examples/integration
expect_exit 0 turboci plan create -f plan.yaml
export SLOW_START=mariadb-current FAILING=postgresql-next
expect_exit 0 turboci run --runner containers
expect_equal 2 "$(turboci nodes query 'stage:test mariadb current' -o json | jq '.stages[0].attempts | length')"
expect_equal 1 "$(turboci nodes query 'stage:test postgresql next' -o json | jq '.stages[0].attempts | length')"
expect_outcome failed check:suite/postgresql-next
expect_exit 0 turboci gate
expect_exit 0 turboci plan rerun
expect_in 'nothing to do' "$err"
unset SLOW_START FAILING

scenario 'a suite that failed is started again, and nothing else'
cd examples/integration
expect_exit 0 turboci plan create -f plan.yaml
export FAILING=postgresql-old
expect_exit 1 turboci run --runner containers
unset FAILING
expect_exit 1 turboci gate
expect_exit 0 turboci logs --failed --tail 1
expect_in 'test_upsert: expected 1 row, got 2' "$out"
expect_exit 0 turboci plan rerun
expect_exit 0 turboci run --runner containers
expect_exit 0 turboci gate
expect_equal 2 "$(wc -l <out/postgresql-old.tries)"
expect_equal 1 "$(wc -l <out/mariadb-current.tries)"

scenario 'a worker in a job of Slurm drains when the allocation is about to end'
export TURBOCI_STORE=$PWD/ci.db TMPDIR=$PWD/job SLURM_CPUS_PER_TASK=1
mkdir job
turboci plan create -f - >/dev/null <<PLAN
stages:
  - {id: first, args: {command: "until [ -e '$PWD/go' ]; do sleep 0.05; done"}}
  - {id: second, args: {command: "true"}}
PLAN
examples/slurm/worker.sbatch 2>worker.log &
worker=$!
timeout 60 bash -c 'until turboci nodes query --state ATTEMPTING -o json | grep -q RUNNING; do sleep 0.05; done'
kill -TERM "$worker"
timeout 60 bash -c 'until grep -q "goes on to the end" worker.log; do sleep 0.05; done'
touch go
expect_exit 0 wait "$worker"
expect_outcome passed stage:first
expect_equal 'stage:second' "$(turboci nodes query --ready -o name)"
unset TURBOCI_STORE TMPDIR SLURM_CPUS_PER_TASK

scenario "each stage of turboci's own CI calls a stage that .ci/stage knows"
expect_exit 0 turboci plan create -f "$root/examples/turboci-ci.yaml"
for name in $(turboci nodes query --type stage -o json | jq -r '.stages[].args.command | ltrimstr(".ci/stage ")'); do
    grep -q "^stage_$name()" "$root/.ci/stage" || fail "no stage '$name' in .ci/stage"
done
while read -r name; do
    grep -q "stage $name}" "$root/examples/turboci-ci.yaml" || fail "stage '$name' is in no plan"
done < <(sed -n 's/^stage_\([a-z]*\)().*/\1/p' "$root/.ci/stage")

done_testing
