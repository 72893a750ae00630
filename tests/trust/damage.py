# SPDX-License-Identifier: Apache-2.0
"""Damaged stores: no crash, no hang; exit 9 or a sound answer; `store check` misses nothing that SQLite finds,
and finds states that no writer could have made."""
import concurrent.futures
import json
import os
import sqlite3

import trust

LIMIT = 5.0
COMMANDS = (("nodes", "query", "-o", "json"), ("log", "-o", "jsonl"), ("plan", "show", "-o", "json"),
            ("graph", "show", "--format", "json"), ("plan", "export"), ("nodes", "explain", "check:release", "-o", "json"),
            ("nodes", "write", "-"), ("plan", "tick", "-o", "json"), ("attempt", "claim", "-o", "json"),
            ("check", "report", "docs", "--fail", "x", "-o", "json"), ("stage", "cancel", "test", "-o", "json"))
# What a damaged store may answer: it is told to be damaged (9), or some id or state reads differently.
SOUND = {0, 3, 4, 5, 6, 8, 9}

HOSTILE = {
    "a trigger": "CREATE TRIGGER evil AFTER UPDATE ON plans BEGIN DELETE FROM nodes; END",
    "a view beside the tables": "CREATE VIEW evil AS SELECT * FROM plans",
    "a table too many": "CREATE TABLE evil(x)",
    "an index too many": "CREATE INDEX evil ON plans(labels)",
    "an index on an expression": "CREATE INDEX evil ON plans(json_extract(labels, '$.x'))",
    "a view in place of a table": "ALTER TABLE plans RENAME TO p2; CREATE VIEW plans AS SELECT * FROM p2",
    "an endless view in place of a table":
        "DROP TABLE progress; CREATE VIEW progress AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
        " SELECT n AS stage_key, n AS idx, n AS seq, 'x' AS message, n AS timestamp, '{}' AS details FROM r",
    "a generated column": "ALTER TABLE plans ADD COLUMN evil TEXT AS (printf('%.*c', 1000000000, 'x')) VIRTUAL",
    "a default that costs": "ALTER TABLE progress ADD COLUMN evil TEXT DEFAULT 'x'",
    "a table missing": "DROP TABLE operations",
    "an index missing": "DROP INDEX nodes_by_id",
    "a table without STRICT": "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '')"
                              " WHERE name = 'plans' AND sql NOT LIKE '%WITHOUT%'",
    "a schema that does not parse": "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE plans(' WHERE name = 'plans'",
    "two tables in one place": "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET rootpage ="
                               " (SELECT rootpage FROM sqlite_schema WHERE name = 'edges') WHERE name = 'goals'",
    "a table at page 1": "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'plans'",
    "a virtual table": "PRAGMA writable_schema=ON; INSERT INTO sqlite_schema VALUES('table', 'evil', 'evil', 0,"
                       " 'CREATE VIRTUAL TABLE evil USING fts5(x)')",
    "an application_id of others": "PRAGMA application_id = 7",
}

# Rows as no writer makes them. `n('ID')` is the key of a node of plan main.
IMPOSSIBLE = {
    "a FINAL check without outcome": "UPDATE nodes SET outcome = NULL WHERE id = 'src'",
    "an outcome before FINAL": "UPDATE nodes SET outcome = 1 WHERE id = 'build'",
    "a state that does not exist": "UPDATE nodes SET state = 35 WHERE id = 'build'",
    "a type that does not exist": "UPDATE nodes SET type = 7 WHERE id = 'build'",
    "an attempt RUNNING on a FINAL stage": "UPDATE attempts SET state = 30 WHERE stage_key = n('write-docs')",
    "an ATTEMPTING stage with ended attempts": "UPDATE attempts SET state = 50 WHERE stage_key = n('compile')",
    "a RUNNING attempt that nobody holds": "UPDATE attempts SET process_uid = '' WHERE stage_key = n('compile')",
    "an attempt that does not exist in between": "UPDATE attempts SET idx = 7 WHERE stage_key = n('compile') AND idx = 1",
    "two live attempts": "UPDATE attempts SET state = 30 WHERE stage_key = n('compile')",
    "a PLANNED stage with an attempt": "UPDATE nodes SET state = 10 WHERE id = 'compile'",
    "a passed stage whose attempt failed": "UPDATE attempts SET state = 50 WHERE stage_key = n('write-docs')",
    "a root group that counts wrong": "UPDATE nodes SET unresolved = unresolved + 1 WHERE id = 'release'",
    "a root group that is satisfied too early": "UPDATE nodes SET satisfied = satisfied + 1 WHERE id = 'release'",
    "a group that counts wrong": "UPDATE predicate_groups SET unresolved = unresolved + 1 WHERE owner_key = n('release')",
    "a group resolved wrong": "UPDATE predicate_groups SET resolution = CASE resolution WHEN 1 THEN 2 ELSE 1 END"
                              " WHERE owner_key = n('release')",
    "a threshold above the members": "UPDATE nodes SET threshold = 9 WHERE id = 'release'",
    "wrong counts of the plan": "UPDATE plan_counts SET count = count + 1 WHERE state = 40",
    "counts of the plan missing": "DELETE FROM plan_counts WHERE state = 40",
    "a node later than its plan": "UPDATE nodes SET version = 999 WHERE id = 'docs'",
    "a node without its plan": "UPDATE nodes SET plan_key = 77 WHERE id = 'docs'",
    "a check PLANNED though its dependencies are satisfied": "UPDATE nodes SET state = 20 WHERE id = 'build' AND type = 1",
    "a check WAITING though its dependencies are not": "UPDATE nodes SET state = 30 WHERE id = 'release'",
    "a history that ends elsewhere": "UPDATE nodes SET history = (SELECT history FROM nodes WHERE id = 'release') WHERE id = 'src'",
    "a history that is not one": "UPDATE nodes SET history = x'ffffffff' WHERE id = 'src'",
    "no history": "UPDATE nodes SET history = x'' WHERE id = 'src'",
    "goals that do not agree": "UPDATE goals SET open = open + 1",
    "an edge to nowhere": "UPDATE edges SET target_key = 4711 WHERE owner_key = n('build')",
    "an edge by nobody": "UPDATE edges SET owner_key = 4711 WHERE owner_key = n('build')",
    "an edge to another plan": "UPDATE edges SET target_key = (SELECT node_key FROM nodes WHERE id = 'docs2') WHERE owner_key = n('build')",
    "an assignment to nowhere": "UPDATE assignments SET check_key = 4711 WHERE stage_key = n('compile')",
    "an open result of a FINAL check": "INSERT INTO results VALUES(n('src'), 9, 2, 'x', 0, 0, '{}', NULL, 1, NULL)",
    "a passed check with a failure": "UPDATE results SET failure = 'no' WHERE check_key = n('src')",
    "a result before WAITING": "INSERT INTO results VALUES(n('release'), 9, 2, 'x', 0, 0, '{}', NULL, 1, NULL)",
    "a result of no check": "INSERT INTO results VALUES(4711, 9, 2, 'x', 0, 0, '{}', NULL, 1, NULL)",
    "a result by no attempt": "INSERT INTO results VALUES(n('build'), 9, 1, 'main:test:5', n('test'), 5, '{}', NULL, 1, NULL)",
    "a recorded write missing": "DELETE FROM writes WHERE version = 3 AND plan_key = 1",
    "a change missing": "DELETE FROM changes WHERE change_key = 3",
    "a change of no node": "UPDATE changes SET node_key = 4711 WHERE change_key = 3",
    "a counter that goes back": "UPDATE counters SET next_node = 2",
    "no counters": "DELETE FROM counters",
    "time going back in the log": "UPDATE writes SET time = 5 WHERE version = 4 AND plan_key = 1",
    "an idempotency key of the future": "UPDATE operations SET version = 999",
    "args that are not JSON": "UPDATE node_bodies SET json = '{' WHERE node_key = n('test')",
    "args that are not an object": "UPDATE node_bodies SET json = '[]' WHERE node_key = n('test')",
    "data that is not JSON": "UPDATE results SET data = '{\"a\":' WHERE check_key = n('build')",
    "changes that are not JSON": "UPDATE changes SET changes = 'x' WHERE change_key = 3",
    "labels that are not JSON": "UPDATE plans SET labels = '[' WHERE plan_key = 1",
    "an id with a line break": "UPDATE nodes SET id = 'a' || char(10) || 'b' WHERE id = 'docs' AND type = 1",
    "an id that is not UTF-8": "UPDATE nodes SET id = CAST(x'ff61' AS TEXT) WHERE id = 'docs' AND type = 1",
    "an empty id": "UPDATE nodes SET id = '' WHERE id = 'docs' AND type = 1",
    "an id of another plan's form": "UPDATE plans SET id = '../x' WHERE plan_key = 1",
    "a stage with a kind": "UPDATE nodes SET kind = 'x' WHERE id = 'test'",
    "a negative backoff": "UPDATE node_bodies SET backoff = -5 WHERE node_key = n('compile')",
    "retries below zero": "UPDATE node_bodies SET max_retries = -1 WHERE node_key = n('compile')",
    "a value of 60 MB": "UPDATE node_bodies SET json = '{\"x\":\"' || replace(hex(zeroblob(30000000)), '0', 'x') || '\"}'"
                        " WHERE node_key = n('compile')",
}
# A huge value is sound; whether it is over the limit is the program's affair.
ALLOWED = {"a value of 60 MB"}


def command_line(store, command):
    return ("-s", store, "-p", "main", *command) if command[0] != "store" else ("-s", store, *command)


def look(ctx, store, command):
    return ctx.run(*command_line(store, command), timeout=LIMIT,
                   stdin=b"checks: [{id: new}]" if command[:2] == ("nodes", "write") else b"")


def unsound(result, command):
    """What is wrong with an answer from a damaged store, or None."""
    if result.crash():
        return result.crash()
    if result.code not in SOUND:
        return f"exit {result.code}: {result.said.strip()[:300]}"
    if result.code == 9 and "store" != command[0] and not trust.is_error(result.said):
        return f"exit 9 with {result.said!r}"
    if result.code == 0 and "json" in command:
        try:
            json.loads(result.out)
        except ValueError as e:
            return f"exit 0 and not JSON: {e}"
    return None


def sqlite_says(path):
    """What SQLite finds wrong with the file, or None."""
    db = sqlite3.connect(path)
    try:
        rows = [row[0] for row in db.execute("PRAGMA integrity_check")]
        db.execute("PRAGMA foreign_key_check").fetchall()
        return None if rows == ["ok"] else str(rows[0])
    except (sqlite3.Error, UnicodeError) as e:
        return str(e)
    finally:
        db.close()


def kind_of(result):
    """The counter of an unsound answer."""
    if result.hung:
        return "hangs"
    if result.code == 70:
        return "internal errors"
    return "crashes" if result.crash() else "unsound answers"


def examine(ctx, directory, name, data, what, commands):
    """One damaged store: what was wrong with how it was taken, as (kind, message) pairs."""
    found = []
    path = os.path.join(directory, name)
    check = ("store", "check")

    def put():
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, 0o600)

    put()
    result = look(ctx, path, check)
    problem = unsound(result, check)
    if problem:
        found.append((kind_of(result), f"{what}: store check: {problem}"))
    elif result.code != 9:
        damage = sqlite_says(path)
        if damage:
            found.append(("missed", f"{what}: store check exits {result.code}, SQLite says: {damage}"))
    for command in commands:
        if "query" not in command:
            put()
        result = look(ctx, path, command)
        problem = unsound(result, command)
        if problem:
            found.append((kind_of(result), f"{what}: {' '.join(command)}: {problem}"))
    for suffix in ("", "-journal", ".lock"):
        if os.path.exists(path + suffix):
            os.unlink(path + suffix)
    return found


def flips(rng, base):
    """A byte string with some bits flipped, and where; one bit in half of the cases."""
    data = bytearray(base)
    count = 1 if rng.random() < 0.5 else rng.randint(2, 30)
    pages = len(base) // 4096
    places = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.15:
            at = rng.randrange(100)  # the header of the file
        elif kind < 0.5:
            at = rng.randrange(pages) * 4096 + rng.randrange(60)  # the header and cell pointers of a page
        else:
            at = rng.randrange(len(base))
        bit = rng.randrange(8)
        data[at] ^= 1 << bit
        places.append(f"{at}.{bit}")
    return bytes(data), "bits " + ",".join(places[:8]) + ("…" if len(places) > 8 else "")


def cases(ctx, base):
    rng = ctx.random("damage")
    for i in range(ctx.scale(240, 10000)):
        data, what = flips(rng, base)
        yield "flips", data, f"flip {i}, {what}", rng.sample(COMMANDS, ctx.scale(2, 4))
    for i in range(ctx.scale(40, 1000)):
        length = rng.randrange(len(base)) if i % 2 else rng.randrange(len(base) // 512) * 512
        yield "truncations", base[:length], f"cut to {length} bytes", rng.sample(COMMANDS, ctx.scale(2, 4))


def edit(path, sql):
    db = sqlite3.connect(path)
    db.create_function("n", 1, lambda name: db.execute(
        "SELECT node_key FROM nodes WHERE id = ? AND plan_key = 1 ORDER BY type DESC", (name,)).fetchone()[0])
    keys = {name: key for key, name in db.execute("SELECT node_key, id FROM nodes WHERE plan_key = 1 ORDER BY type")}
    for name, key in keys.items():
        sql = sql.replace(f"n('{name}')", str(key))
    db.executescript(sql)
    db.commit()
    db.close()


def crafted(ctx, t, directory, base_path, table, kind):
    for what, sql in table.items():
        path = os.path.join(directory, "crafted.db")
        with open(base_path, "rb") as source, open(path, "wb") as copy:
            copy.write(source.read())
        os.chmod(path, 0o600)
        edit(path, sql)
        with open(path, "rb") as file:
            data = file.read()
        check = look(ctx, path, ("store", "check"))
        t.count(kind)
        if check.code != 9 and what not in ALLOWED:
            t.fail("missed", f"store check exits {check.code} for {what}: {sql}")
        commands = COMMANDS if ctx.long else COMMANDS[:6]
        for problem in examine(ctx, directory, "crafted.db", data, what, commands):
            t.fail(*problem)


def bytes_cases(ctx, t, directory, base):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = set()

        def settle(futures):
            for future in futures:
                for problem in future.result():
                    t.fail(*problem)

        for i, (kind, data, what, commands) in enumerate(cases(ctx, base)):
            t.count(kind)
            if len(waiting) > 8:
                done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
                settle(done)
            waiting.add(pool.submit(examine, ctx, directory, f"{i}.db", data, what, commands))
        settle(waiting)


def run(ctx, t):
    with ctx.directory() as directory:
        base_path = directory / "base.db"
        trust.sample_store(ctx, base_path)
        assert ctx.must("-s", base_path, "store", "check").code == 0
        base = base_path.read_bytes()
        t.zero("flips", "truncations", "hostile schemas", "impossible states", "crashes", "internal errors", "hangs", "unsound answers", "missed")
        bytes_cases(ctx, t, str(directory), base)
        crafted(ctx, t, str(directory), base_path, HOSTILE, "hostile schemas")
        crafted(ctx, t, str(directory), base_path, IMPOSSIBLE, "impossible states")


def control(ctx):
    """A `store check` that is always content, a program that crashes, and one that is slow must be noticed."""
    with ctx.directory() as directory:
        base_path = directory / "base.db"
        trust.sample_store(ctx, base_path)
        base = base_path.read_bytes()
        cut = base[: len(base) - 4096]
        content = ctx.with_program(trust.stand_in(directory, "content", "exit 0"))
        crashing = ctx.with_program(trust.stand_in(directory, "crashing", "kill -SEGV $$"))
        seen = [[kind for kind, _ in examine(c, str(directory), "x.db", cut, "control", COMMANDS[:1])]
                for c in (content, crashing, ctx)]
        slow = ctx.with_program(trust.stand_in(directory, "slow", "exec sleep 20"))
        hung = slow.run("store", "check", timeout=0.3)
        tally = trust.Quiet("damage")
        crafted(content, tally, str(directory), base_path,
                {k: IMPOSSIBLE[k] for k in ("a FINAL check without outcome", "wrong counts of the plan")}, "states")
        return ("missed" in seen[0] and "crashes" in seen[1] and not seen[2] and unsound(hung, ("store", "check"))
                and tally.counts.get("missed") == 2)
