# SPDX-License-Identifier: Apache-2.0
# bash completion for turboci

# Flags that all commands share; those that take a value are in _turboci_value.
_turboci_globals='-s --store -p --plan -o --output --lock-timeout -q --quiet -v --verbose --color -h --help'
_turboci_write='--reason --actor --op-id'

# Prints the flags of the command "$1".
_turboci_flags() {
    case $1 in
        'plan create') echo "--label -f --file $_turboci_write" ;;
        'plan show') echo '--format' ;;
        'plan rerun') echo "-f --file --id --fork --if-version $_turboci_write" ;;
        'plan list') echo '--label' ;;
        'plan label') echo "$_turboci_write" ;;
        'plan delete') echo '--force --yes' ;;
        'plan prune') echo '--keep --older-than --dry-run --yes' ;;
        'plan tick') echo "--lost-after $_turboci_write" ;;
        'plan cancel' | 'stage cancel' | 'stage skip') echo "$_turboci_write" ;;
        'nodes write') echo "$_turboci_write --if-version --dry-run" ;;
        'nodes query')
            echo '--type --kind --state --outcome --match --ready --blocked --waiting-for --deps --dependents --edges'
            ;;
        'graph show') echo '--format --collapse --merge --reduce --rankdir --deps --dependents --edges' ;;
        'attempt claim') echo "--match --process --runner --wait $_turboci_write" ;;
        'attempt exec') echo '--lost-after --actor' ;;
        'attempt heartbeat' | 'attempt release') echo "--attempt --process $_turboci_write" ;;
        'attempt progress' | 'attempt complete') echo "--details --attempt --process $_turboci_write" ;;
        'attempt fail') echo "--message --no-retry --details --attempt --process $_turboci_write" ;;
        'check report') echo "--pass --fail --skip --data --junit --final $_turboci_write" ;;
        run)
            echo '-j --jobs --runner --fail-fast -k --max-failures --timeout --cleanup-timeout --on-interrupt --report' \
                '-n --dry-run --lost-after --actor'
            ;;
        worker) echo '-j --jobs --runner --plans --name --once --lost-after --actor' ;;
        wait) echo '--any --timeout' ;;
        watch) echo '--since --follow' ;;
        gate)
            echo '--type --kind --state --outcome --match --ready --blocked --waiting-for --allow-skipped'
            ;;
        log) echo '--since' ;;
        logs) echo '--failed --attempt --tail -f --follow --raw' ;;
    esac
}

# Sets `words` to the values of the flag "$2" of the command "$1"; fails if it takes none. `files` is set
# where a file is wanted.
_turboci_value() {
    case $2 in
        -s | --store | -f | --file | --junit)
            [[ $1 == logs && $2 == -f ]] && return 1
            files=1
            ;;
        -p | --plan) words=$(_turboci_ids plans) ;;
        -o | --output) words='table json jsonl yaml name' ;;
        --color) words='auto always never' ;;
        --type) words='check stage' ;;
        --kind) words='source build test analysis kickoff' ;;
        --state) words='PLANNING PLANNED WAITING ATTEMPTING AWAITING_GROUP FINAL' ;;
        --outcome) words='passed failed skipped cancelled' ;;
        --waiting-for) words='person' ;;
        --older-than) words='24h 168h' ;;
        --edges) words='all satisfied' ;;
        --format)
            words='dot mermaid json tree'
            [[ $1 == plan* ]] && words='table markdown junit html trace'
            ;;
        --collapse) words='kind' ;;
        --on-interrupt) words='leave cancel' ;;
        --report) words='markdown= markdown=auto junit= html= trace=' ;;
        --rankdir) words='LR TB' ;;
        --lock-timeout | --wait | --timeout | --cleanup-timeout | --lost-after) words='30s 10m 2h' ;;
        -j | --jobs | -k | --max-failures | --runner | --plans | --name | --skip | --label | --reason | --actor | --op-id | --if-version | --match | --process | --attempt | --details | \
            --message | --fail | --data | --since | --keep | --tail) words='' ;;
        *) return 1 ;;
    esac
    return 0 # whatever a branch ended with: the flag takes a value, even if none is known
}

# Prints a word without its quotes, as the shell would hand it over.
_turboci_unquoted() {
    local word=${1//[\"\'\\]/}
    printf '%s\n' "${word/#\~\//"$HOME"/}"
}

# Prints the ids of the store: plans, nodes, checks or stages.
_turboci_ids() {
    command "${_turboci_options[@]}" __complete "$1" 2>/dev/null
}

# Prints what the arguments of the command "$1" may be.
_turboci_arguments() {
    case $1 in
        'plan show' | 'plan label' | 'plan diff' | 'plan delete' | 'plan cancel' | 'plan tick') _turboci_ids plans ;;
        'nodes query' | 'nodes explain' | 'graph show' | run | wait | watch | log | logs) _turboci_ids nodes ;;
        attempt\ * | stage\ *) _turboci_ids stages ;;
        'check report' | 'check get' | gate) _turboci_ids checks ;;
        '') echo 'plan nodes graph attempt stage check run worker wait watch gate log logs validate schema store help' ;;
        help) echo 'plan nodes graph attempt stage check run worker wait watch gate log logs validate schema store' ;;
        plan) echo 'create list show rerun label diff delete prune cancel tick export import' ;;
        nodes) echo 'write query explain' ;;
        graph) echo 'show' ;;
        attempt) echo 'claim heartbeat progress complete fail release exec' ;;
        stage) echo 'cancel skip' ;;
        check) echo 'report get' ;;
        worker) echo 'list drain' ;;
        store) echo 'check backup compact init migrate' ;;
    esac
}

_turboci() {
    local cur prev words='' files='' name='' word i
    local -a _turboci_options=("${COMP_WORDS[0]}")
    COMPREPLY=()

    # bash breaks words at ':' and '='; node references hold the one, long options the other.
    local -a line=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i > 0)) && [[ $word == [:=] || ${line[-1]} == *[:=] ]] && [[ -n ${COMP_WORDS[i - 1]} ]]; then
            line[-1]+=$word
        else
            line+=("$word")
        fi
    done
    cur=${line[-1]}
    prev=''
    ((${#line[@]} > 1)) && prev=${line[-2]}

    # The command, and the store and plan to look into.
    for ((i = 1; i < ${#line[@]} - 1; i++)); do
        word=${line[i]}
        case $word in
            -s | --store | -p | --plan)
                ((i + 1 < ${#line[@]} - 1)) && _turboci_options+=("$word" "$(_turboci_unquoted "${line[i + 1]}")")
                ((i++))
                ;;
            --store=* | --plan=* | -s?* | -p?*) _turboci_options+=("$(_turboci_unquoted "$word")") ;;
            -*) _turboci_value "$name" "$word" && ((i++)) ;;
            *)
                case $name in
                    '') name=$word ;;
                    plan | nodes | graph | attempt | stage | check | store) name+=" $word" ;;
                    worker) [[ $word == list || $word == drain ]] && name+=" $word" ;;
                esac
                ;;
        esac
    done
    words=''
    files=''

    if [[ $cur == --*=* ]]; then
        _turboci_value "$name" "${cur%%=*}"
        cur=${cur#*=}
    elif [[ $prev != -* ]] || ! _turboci_value "$name" "$prev"; then
        if [[ $cur == -* ]]; then
            words="$(_turboci_flags "$name") $_turboci_globals"
            [[ -z $name ]] && words+=' --version'
        else
            case $name in
                'nodes write' | 'plan import' | validate | 'store backup') files=1 ;;
                *) words=$(_turboci_arguments "$name") ;;
            esac
        fi
    fi

    if [[ -n $files ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return
    fi
    # Ids may hold blanks: one a line where they come from the store, else words.
    local IFS=$' \n'
    case $words in *$'\n'*) IFS=$'\n' ;; esac
    for word in $words; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
    done
    # What readline inserts begins after the last ':' that it breaks at.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local head=${cur%"${cur##*:}"}
        COMPREPLY=("${COMPREPLY[@]#"$head"}")
    fi
}

complete -F _turboci turboci
