# SPDX-License-Identifier: Apache-2.0
# fish completion for turboci

# The words so far that are neither options nor their values: the command.
function __turboci_command
    set -l skip 0
    set -l found
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word -s --store -p --plan -o --output --lock-timeout --color
            set skip 1
        else if not string match -q -- '-*' $word
            set -a found $word
        end
    end
    string join ' ' $found
end

# Is the command one of these? (It may have arguments already.)
function __turboci_is
    set -l command (__turboci_command)
    for name in $argv
        # These two are commands of their own.
        test $name = worker; and string match -qr '^worker (list|drain)' $command; and continue
        test "$command" = $name; and return 0
        string match -q -- "$name *" $command; and return 0
    end
    return 1
end

function __turboci_at
    test "$(__turboci_command)" = "$argv"
end

# Ids of the store: plans, nodes, checks or stages.
function __turboci_ids
    set -l options
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        switch $words[$i]
            case -s --store -p --plan
                # The option that is being completed has no value yet.
                test $i -lt (count $words); and set -a options $words[$i] $words[(math $i + 1)]
            case '--store=*' '--plan=*' '-s?*' '-p?*'
                set -a options $words[$i]
        end
    end
    command $words[1] $options __complete $argv 2>/dev/null
end

complete -c turboci -f

# global options
complete -c turboci -s s -l store -r -F -d 'the store file'
complete -c turboci -s p -l plan -x -a '(__turboci_ids plans)' -d 'the plan'
complete -c turboci -s o -l output -x -a 'table json jsonl yaml name' -d 'output format'
complete -c turboci -l lock-timeout -x -a '30s 10m 2h' -d 'how long to wait for another writer'
complete -c turboci -s q -l quiet -d 'no confirmations, no notes'
complete -c turboci -s v -l verbose -d 'more detail'
complete -c turboci -l color -x -a 'auto always never' -d colours
complete -c turboci -s h -l help -d 'print help'
complete -c turboci -n '__turboci_at ""' -l version -d 'print the version'

# commands
complete -c turboci -n '__turboci_at ""' -a plan -d 'create, show, export, import and delete plans'
complete -c turboci -n '__turboci_at ""' -a nodes -d 'write, query and explain nodes'
complete -c turboci -n '__turboci_at ""' -a graph -d 'draw the graph'
complete -c turboci -n '__turboci_at ""' -a attempt -d 'work on stages from scripts and workers'
complete -c turboci -n '__turboci_at ""' -a stage -d 'cancel or skip stages'
complete -c turboci -n '__turboci_at ""' -a check -d 'answer a check'
complete -c turboci -n '__turboci_at ""' -a run -d 'execute ready stages until nothing can move'
complete -c turboci -n '__turboci_at ""' -a worker -d 'execute what is ready in any plan'
complete -c turboci -n '__turboci_at ""' -a wait -d 'wait until nodes are FINAL'
complete -c turboci -n '__turboci_at ""' -a watch -d 'print changes as they happen'
complete -c turboci -n '__turboci_at ""' -a gate -d 'succeed only if checks passed'
complete -c turboci -n '__turboci_at ""' -a log -d 'show the recorded changes'
complete -c turboci -n '__turboci_at ""' -a logs -d 'show what stages printed'
complete -c turboci -n '__turboci_at ""' -a validate -d 'check plan files without a store'
complete -c turboci -n '__turboci_at ""' -a schema -d 'print the JSON Schema of plan files'
complete -c turboci -n '__turboci_at ""' -a store -d 'check or copy the store'
complete -c turboci -n '__turboci_at ""' -a help -d 'print help'
complete -c turboci -n '__turboci_at plan' -a 'create list show rerun label diff delete prune cancel tick export import'
complete -c turboci -n '__turboci_at nodes' -a 'write query explain'
complete -c turboci -n '__turboci_at graph' -a show
complete -c turboci -n '__turboci_at attempt' -a 'claim heartbeat progress complete fail release exec'
complete -c turboci -n '__turboci_at stage' -a 'cancel skip'
complete -c turboci -n '__turboci_at check' -a 'report get'
complete -c turboci -n '__turboci_at worker' -a 'list drain'
complete -c turboci -n '__turboci_at store' -a 'check backup compact init migrate'

# arguments
complete -c turboci -n '__turboci_is "plan show" "plan label" "plan diff" "plan delete" "plan cancel" "plan tick"' -a '(__turboci_ids plans)'
complete -c turboci -n '__turboci_is "plan rerun" "nodes query" "nodes explain" "graph show" run wait watch log logs' -a '(__turboci_ids nodes)'
complete -c turboci -n '__turboci_is "attempt claim" "attempt heartbeat" "attempt progress" "attempt complete" "attempt fail" "attempt release" "attempt exec" "stage cancel" "stage skip"' -a '(__turboci_ids stages)'
complete -c turboci -n '__turboci_is "check report" "check get" gate' -a '(__turboci_ids checks)'
complete -c turboci -n '__turboci_is "nodes write" "plan import" validate "store backup"' -F

# options of commands
set -l writers '__turboci_is "plan create" "plan rerun" "plan label" "plan cancel" "plan tick" "nodes write" "attempt claim" "attempt heartbeat" "attempt progress" "attempt complete" "attempt fail" "attempt release" "stage cancel" "stage skip" "check report"'
complete -c turboci -n $writers -l reason -x -d 'why, for the log'
complete -c turboci -n $writers -l actor -x -d 'who writes'
complete -c turboci -n $writers -l op-id -x -d 'idempotency key'
complete -c turboci -n '__turboci_is "plan create" "plan list"' -l label -x -d 'a label, KEY=VALUE'
complete -c turboci -n '__turboci_is "plan create"' -s f -l file -r -F -d 'write this plan file too'
complete -c turboci -n '__turboci_is "plan rerun"' -s f -l file -r -F -d 'definitions of the new plan'
complete -c turboci -n '__turboci_is "plan rerun"' -l id -x -d 'its id'
complete -c turboci -n '__turboci_is "plan rerun"' -l fork -d 'although it was started again already'
complete -c turboci -n '__turboci_is "plan delete"' -l force -d 'even while an attempt is held'
complete -c turboci -n '__turboci_is "plan delete" "plan prune"' -l yes -d 'do not ask'
complete -c turboci -n '__turboci_is "plan prune"' -l keep -x -d 'keep the newest N'
complete -c turboci -n '__turboci_is "plan prune"' -l older-than -x -a '24h 168h' -d 'not changed for so long'
complete -c turboci -n '__turboci_is "plan prune"' -l dry-run -d 'say what would be deleted'
complete -c turboci -n '__turboci_is logs' -l failed -d 'only of stages that failed'
complete -c turboci -n '__turboci_is logs' -l attempt -x -d 'of this attempt'
complete -c turboci -n '__turboci_is logs' -l tail -x -d 'only the last lines'
complete -c turboci -n '__turboci_is logs' -s f -l follow -d 'go on until they are over'
complete -c turboci -n '__turboci_is logs' -l raw -d 'the bytes as they are'
complete -c turboci -n '__turboci_is "plan tick" "attempt exec" run worker' -l lost-after -x -a '30s 10m 2h' -d 'a silent runner elsewhere is gone after'
complete -c turboci -n '__turboci_is "plan show"' -l format -x -a 'table markdown junit html trace' -d language
complete -c turboci -n '__turboci_is "nodes write" "plan rerun"' -l if-version -x -d 'refuse unless the plan is at this version'
complete -c turboci -n '__turboci_is "nodes write"' -l dry-run -d 'do it all, show it, then roll back'
complete -c turboci -n '__turboci_is "nodes query" gate' -l type -x -a 'check stage' -d 'only this type'
complete -c turboci -n '__turboci_is "nodes query" gate' -l kind -x -a 'source build test analysis kickoff' -d 'only checks of this kind'
complete -c turboci -n '__turboci_is "nodes query" gate' -l state -x -a 'PLANNING PLANNED WAITING ATTEMPTING AWAITING_GROUP FINAL' -d 'only this state'
complete -c turboci -n '__turboci_is "nodes query" gate' -l outcome -x -a 'passed failed skipped cancelled' -d 'only this outcome'
complete -c turboci -n '__turboci_is "nodes query" gate "attempt claim"' -l match -x -d 'only ids that match'
complete -c turboci -n '__turboci_is "nodes query" gate' -l ready -d 'only what can be worked on now'
complete -c turboci -n '__turboci_is "nodes query" gate' -l blocked -d 'only what waits for dependencies'
complete -c turboci -n '__turboci_is "nodes query" gate' -l waiting-for -x -a person -d 'only what waits for somebody'
complete -c turboci -n '__turboci_is "nodes query" "graph show"' -l deps -d 'add dependencies'
complete -c turboci -n '__turboci_is "nodes query" "graph show"' -l dependents -d 'add dependents'
complete -c turboci -n '__turboci_is "nodes query" "graph show"' -l edges -x -a 'all satisfied' -d 'edges to follow'
complete -c turboci -n '__turboci_is "graph show"' -l format -x -a 'dot mermaid json tree' -d language
complete -c turboci -n '__turboci_is "graph show"' -l collapse -x -a kind -d 'one box for many'
complete -c turboci -n '__turboci_is "graph show"' -l merge -d 'a stage and its check are one box'
complete -c turboci -n '__turboci_is "graph show"' -l reduce -d 'leave out edges that follow from others'
complete -c turboci -n '__turboci_is "graph show"' -l rankdir -x -a 'LR TB' -d direction
complete -c turboci -n '__turboci_is "attempt claim" "attempt heartbeat" "attempt progress" "attempt complete" "attempt fail" "attempt release"' -l process -x -d 'who does the work'
complete -c turboci -n '__turboci_is "attempt claim" run worker' -l runner -x -d 'stages that need such a runner'
complete -c turboci -n '__turboci_is "attempt claim"' -l wait -x -a '30s 10m 2h' -d 'wait so long for something to become ready'
complete -c turboci -n '__turboci_is "attempt heartbeat" "attempt progress" "attempt complete" "attempt fail" "attempt release"' -l attempt -x -d 'refuse unless it is the turn of this attempt'
complete -c turboci -n '__turboci_is "attempt progress" "attempt complete" "attempt fail"' -l details -x -d 'an object, or @FILE'
complete -c turboci -n '__turboci_is "attempt fail"' -l message -x -d why
complete -c turboci -n '__turboci_is "attempt fail"' -l no-retry -d 'do not try again'
complete -c turboci -n '__turboci_is "check report"' -l pass -d 'the answer is yes'
complete -c turboci -n '__turboci_is "check report"' -l fail -x -d 'the answer is no, and why'
complete -c turboci -n '__turboci_is "check report"' -l skip -x -d 'the answer is not needed, and why'
complete -c turboci -n '__turboci_is "check report"' -l data -x -d 'an object, or @FILE'
complete -c turboci -n '__turboci_is "check report"' -l junit -r -F -d 'a JUnit report'
complete -c turboci -n '__turboci_is "check report"' -l final -d 'end the check with this answer'
complete -c turboci -n '__turboci_is run worker' -s j -l jobs -x -d 'so many stages at once'
complete -c turboci -n '__turboci_is run' -l fail-fast -d 'cancel what is left after the first failure'
complete -c turboci -n '__turboci_is run' -s k -l max-failures -x -d 'likewise after the Nth'
complete -c turboci -n '__turboci_is run' -l cleanup-timeout -x -a '30s 10m 2h' -d 'how long cleaning up may take'
complete -c turboci -n '__turboci_is run' -l on-interrupt -x -a 'leave cancel' -d 'what a signal does'
complete -c turboci -n '__turboci_is run' -l report -x -a 'markdown= markdown=auto junit= html= trace=' -d 'write a report at the end'
complete -c turboci -n '__turboci_is run' -l timeout -x -a '30s 10m 2h' -d 'cancel what is left after this time'
complete -c turboci -n '__turboci_is run' -s n -l dry-run -d 'say what would run'
complete -c turboci -n '__turboci_is "attempt exec" run worker' -l actor -x -d 'who runs it'
complete -c turboci -n '__turboci_is wait' -l any -d 'until one of them is FINAL'
complete -c turboci -n '__turboci_is wait' -l timeout -x -a '30s 10m 2h' -d 'give up after'
complete -c turboci -n '__turboci_is watch log' -l since -x -d 'only changes after this plan version'
complete -c turboci -n '__turboci_is watch' -l follow -d 'go on when everything is FINAL'
complete -c turboci -n '__turboci_is gate' -l allow-skipped -d 'take what was skipped as not needed for passed'
complete -c turboci -n '__turboci_is worker' -l plans -x -d 'only of plans that match'
complete -c turboci -n '__turboci_is worker' -l name -x -d 'what it is called'
complete -c turboci -n '__turboci_is worker' -l once -d 'end when nothing is ready'
