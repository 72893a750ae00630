#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command-line tests through PgBouncer in transaction mode, and after each of them a look at the connection to the
# server that it has used: nothing of a session is left there. pooled.sh TURBOCI TEST_CLI [FILTER...]
# Exits with 77 (skipped) where PostgreSQL or PgBouncer is not installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
support=$here/../support
if [[ $1 == drop ]]; then
    # As TURBOCI_DROP_STORE: looks, then deletes.
    name=$(cat "$2/.postgresql-database" 2>/dev/null) || exit 0
    # shellcheck disable=SC2153 # with-postgresql sets it
    "$0" look "${TURBOCI_TEST_SERVER/\/postgres?//$name?}&port=$TURBOCI_TEST_POOL" >>"$TURBOCI_LEFT_BEHIND"
    "$support/drop-postgresql-store" "$2"
    exit
fi
if [[ $1 == look ]]; then
    # The server connection that was used last is the one that PgBouncer gives next.
    psql -qAtX -v ON_ERROR_STOP=1 -d "$2" -c "
        SELECT 'statement ' || name FROM pg_prepared_statements
        UNION ALL SELECT 'channel ' || c FROM pg_listening_channels() AS c
        UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory'
        UNION ALL SELECT 'setting ' || name || ' ' || setting FROM pg_settings WHERE source = 'session'
            AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone',
                'standard_conforming_strings', 'IntervalStyle')
        UNION ALL SELECT 'cursor ' || name FROM pg_cursors
        UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't'
        UNION ALL SELECT 'looked'" || echo "could not look"
    exit
fi
if [[ $1 == inside ]]; then
    shift
    # The control: what a session leaves must be seen.
    pool="$TURBOCI_TEST_SERVER&port=$TURBOCI_TEST_POOL"
    psql -qAtX -d "$pool" -c "SELECT pg_advisory_lock(7)" -c "PREPARE left_behind AS SELECT 1" -c "LISTEN left_behind" \
        -c "SET lock_timeout = 7" -c "CREATE TEMPORARY TABLE left_behind(i int)" >/dev/null
    seen=$("$0" look "$pool")
    for what in 'statement left_behind' 'channel left_behind' 'lock 7' 'setting lock_timeout 7' 'table left_behind' looked; do
        grep -qx "$what" <<<"$seen" || {
            echo "pooled: did not see what was left: $what" >&2
            exit 1
        }
    done
    # It must not stand beside the tests.
    psql -qAtX -d "$TURBOCI_TEST_SERVER" -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'" >/dev/null
    "$@"
    exit
fi
command -v pgbouncer >/dev/null || {
    echo "skipped: there is no pgbouncer (Debian: pgbouncer)" >&2
    exit 77
}
turboci=$(realpath "$1") tests=$(realpath "$2")
shift 2
export TURBOCI_MODEL_BY=$turboci TURBOCI_BINARY_UNDER_TEST=$turboci TURBOCI_TEST_POOLED=yes
export TURBOCI_NEW_STORE=$support/new-postgresql-store TURBOCI_DROP_STORE=$here/pooled-drop
TURBOCI_LEFT_BEHIND=$(mktemp)
export TURBOCI_LEFT_BEHIND
trap 'rm -f "$TURBOCI_LEFT_BEHIND"' EXIT
"$support/with-postgresql" "$here/pooled.sh" inside "$tests" '~[file]' '~*help*' "$@"
looks=$(grep -cx looked "$TURBOCI_LEFT_BEHIND" || :)
left=$(grep -vx looked "$TURBOCI_LEFT_BEHIND" | sort | uniq -c || :)
echo "pooled: looked $looks times, left behind: ${left:-nothing}"
((looks > 0)) && [[ -z $left ]]
