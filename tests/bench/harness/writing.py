# SPDX-License-Identifier: Apache-2.0
"""Measures of writing: many nodes at once, one node, many writers."""
import plans
from context import Command
from table import Row

KB_PER_MB = 1000 / 1.024  # the kernel counts in 1,024 bytes, we in 10^6


def megabytes(taken):
    return taken.peak_kb / KB_PER_MB


def count(n):
    return f"{n:,}"


def _bulk_commands(ctx, n, wide):
    """The writes of n nodes and their floors; `wide`: also what takes long and says little more."""
    fresh = ctx.scratch(ctx.empty_store(), f"w-{n}.db")
    new = ctx.path(f"floor-{n}.db")
    nothing = ["rm", "-f", new, new + "-journal"]
    def floor(name, template, *tables):
        return Command(name, [ctx.program("bulk_insert"), template, new, *tables], nothing, reports=True)
    write = [ctx.turboci, "-s", ctx.path(f"w-{n}.db"), "nodes", "write"]
    commands = [
        Command("json", [*write, ctx.plan_file(n, "json")], fresh),
        Command("yaml", [*write, ctx.plan_file(n, "yaml")], fresh),
        floor("all rows", ctx.bulk_store(n)),
    ]
    if wide:
        commands += [
            floor("nodes and edges", ctx.bulk_store(n), "nodes", "edges"),
            floor("fewest columns", ctx.bare_database(n)),
            Command("read_json", [ctx.program("read_json"), ctx.plan_file(n, "json")]),
            Command("read_yaml", [ctx.program("read_yaml"), ctx.plan_file(n, "yaml")]),
        ]
        if ctx.has("sqlite3"):
            commands.append(Command("shell", ["sh", "-c", 'exec sqlite3 "$1" < "$2"', "sh", new,
                                              ctx.plan_file(n, "sql")], nothing))
    return commands


def bulk(ctx, curves):
    rows = []
    for n in ctx.sizes.all():
        is_big, is_huge = n == ctx.sizes.big, n == ctx.sizes.huge
        ctx.say(f"bulk write of {count(n)} nodes")
        rounds = 3 if is_huge else ctx.sizes.rounds
        t = ctx.take(_bulk_commands(ctx, n, is_big), rounds, warmup=0 if is_huge else 1)
        curves.setdefault("nodes write, JSON", []).append((n, t["json"].us))
        curves.setdefault("nodes write, YAML", []).append((n, t["yaml"].us))
        curves.setdefault("raw SQLite, the same rows", []).append((n, t["all rows"].us))
        if is_big or is_huge:
            rows += _bulk_rows(ctx, n, t)
    return rows


def _bulk_rows(ctx, n, t):
    group = f"Writing {count(n)} nodes and {count(plans.edge_count(n))} edges"
    json, yaml = t["json"], t["yaml"]
    rows = [Row(group, "from JSON", json.us, "raw SQLite, all the same rows", t["all rows"].us, 1.5, 1.2),
            Row(group, "from YAML", yaml.us, "raw SQLite, all the same rows", t["all rows"].us, 2.0, 1.7)]
    if "nodes and edges" in t:
        for name, what in (("nodes and edges", "raw SQLite, nodes and edges alone"),
                           ("fewest columns", "raw SQLite, nodes and edges in the fewest columns")):
            rows.append(Row(group, "from JSON", json.us, what, t[name].us))
        rows += [Row(group, "from JSON", json.us, "reading the file, nothing kept", t["read_json"].us),
                 Row(group, "from YAML", yaml.us, "reading the file, nothing kept", t["read_yaml"].us)]
        for kind, taken in (("JSON", json), ("YAML", yaml)):
            what, missing = "sqlite3 shell, INSERT script", None if ctx.has("sqlite3") else "not installed"
            rows.append(Row(group, f"from {kind}", taken.us, what, None if missing else t["shell"].us, 0.6,
                            note=missing or ""))
    most = 64 if n == ctx.sizes.big else None
    for kind, taken in (("JSON", json), ("YAML", yaml)):
        rows.append(Row(group, f"peak memory, from {kind}", megabytes(taken), "", limit=most, unit="MB", absolute=True))
    return rows


def single(ctx, curves):
    sizes = [n for n in (ctx.sizes.small, ctx.sizes.big, ctx.sizes.huge) if n]
    rounds = min(ctx.sizes.quick_rounds, plans.FINISHED_ROUNDS - 10)
    warmup = 5
    (ctx.dir / "small").mkdir(exist_ok=True)
    plans.write_small(ctx.path("small"), rounds + warmup, ctx.sizes.small)
    commands = [Command("floor", [ctx.program("one_transaction"), ctx.bare_database(sizes[0]), "floor-{round}"])]
    for n in sizes:
        store = ["-s", ctx.busy_store(n)]
        for kind in ("alone", "tied"):
            commands.append(Command(f"{kind} {n}", [ctx.turboci, *store, "nodes", "write",
                                                    ctx.path("small/" + kind + "-{round}.json")]))
        commands.append(Command(f"finish {n}", [ctx.turboci, *store, "attempt", "complete", "ready-{round}"]))
        if ctx.has("sqlite3"):
            insert = "INSERT INTO node(id, state) VALUES('{}-{{round}}', 20);"
            edges = ("BEGIN; " + insert.format("tied") + " INSERT INTO edge SELECT key, p, t FROM (SELECT max(key) AS"
                     " key FROM node), (SELECT 0 AS p, 1 AS t UNION SELECT 1, 2 UNION SELECT 2, 3); COMMIT;")
            for kind, sql in (("alone", insert.format("shell")), ("tied", edges)):
                commands.append(Command(f"shell {kind} {n}", ["sqlite3", ctx.bare_database(n),
                                                              plans.SQL_DURABLE + sql]))
    ctx.say("one-node writes in plans of " + ", ".join(map(count, sizes)))
    t = ctx.take(commands, rounds, warmup)
    for n in sizes:
        curves.setdefault("nodes write, one node", []).append((n, t[f"alone {n}"].us))
    return _single_rows(ctx, sizes, t)


def _single_rows(ctx, sizes, t):
    group = "One write, the whole process"
    missing = "" if ctx.has("sqlite3") else "not installed"
    rows = []
    for n in sizes:
        for kind, what, against in (("alone", "one node", "sqlite3 shell, one INSERT"),
                                    ("tied", "one node with 3 dependencies", "sqlite3 shell, the node and 3 edges")):
            theirs = t[f"shell {kind} {n}"].us if not missing else None
            limit, stretch = (1.0, 0.85) if kind == "alone" else (None, None)
            rows.append(Row(group, f"{what}, into {count(n)}", t[f"{kind} {n}"].us, against, theirs, limit, stretch,
                            note=missing))
    rows.append(Row(group, f"one node, into {count(sizes[0])}", t[f"alone {sizes[0]}"].us,
                    "one transaction, program of our own", t["floor"].us))
    first, last = sizes[0], sizes[-1]
    rows.append(Row(group, f"one node, into {count(last)}", t[f"alone {last}"].us, f"into {count(first)}",
                    t[f"alone {first}"].us, 1.15))
    rows.append(Row(group, f"`attempt complete`, in {count(last)}", t[f"finish {last}"].us, f"in {count(first)}",
                    t[f"finish {first}"].us, 1.2))
    rows.append(Row(group, "peak memory of one node", megabytes(t[f"alone {last}"]), "", unit="MB", absolute=True))
    return rows


def crowd(ctx, _curves):
    total = ctx.sizes.crowd
    base = ctx.bulk_store(ctx.sizes.small)
    (ctx.dir / "small").mkdir(exist_ok=True)
    plans.write_small(ctx.path("small"), total, ctx.sizes.small)
    commands = []
    for workers in (1, 8):
        store = f"crowd-{workers}.db"
        commands.append(Command(str(workers), [ctx.program("spawn"), workers, total, ctx.turboci, "-s", ctx.path(store),
                                               "nodes", "write", ctx.path("small/alone-{}.json")],
                                ctx.scratch(base, store), reports=True))
    ctx.say(f"{total} writes by 8 processes at once")
    t = ctx.take(commands, ctx.sizes.rounds)
    found = ctx.run(ctx.turboci, "-s", ctx.path("crowd-8.db"), "nodes", "query", "--match", "alone-*", "-o", "name")
    lost = total - len(found.split())
    group = "Many writers"
    return [Row(group, f"one of {total} one-node writes by 8 processes at once", t["8"].us / total,
                "one after another", t["1"].us / total, 1.0),
            Row(group, "writes lost", lost, "", limit=0, unit="count", absolute=True)]
