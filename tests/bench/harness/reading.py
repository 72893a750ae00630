# SPDX-License-Identifier: Apache-2.0
"""Measures of reading: one node, all nodes, graphs, and the start of the program."""
import plans
from context import Command
from table import Row
from writing import count, megabytes


def start(ctx, _curves):
    t = ctx.take([Command("turboci", [ctx.turboci, "--version"]), Command("true", ["/bin/true"])],
                 ctx.sizes.quick_rounds * 4, warmup=5)
    return [Row("Starting", "`turboci --version`", t["turboci"].us, "`/bin/true`", t["true"].us, 1.3, 1.0)]


def query(ctx, curves):
    rows, group = [], "Reading"
    missing = "" if ctx.has("sqlite3") else "not installed"
    for n in ctx.sizes.all():
        name = plans.node_id(n // 2 + 1)
        commands = [Command("one", [ctx.turboci, "-s", ctx.bulk_store(n), "nodes", "query", name])]
        if not missing:
            commands.append(Command("shell", ["sqlite3", ctx.bare_database(n),
                                              f"SELECT * FROM node WHERE id = '{name}'"]))
        t = ctx.take(commands, ctx.sizes.quick_rounds, warmup=3)
        curves.setdefault("nodes query, one node", []).append((n, t["one"].us))
        if n == ctx.sizes.big:
            rows.append(Row(group, f"`nodes query REF` in {count(n)}", t["one"].us, "sqlite3 shell, one SELECT",
                            t["shell"].us if not missing else None, 0.9, 0.65, note=missing))
    n = ctx.sizes.big
    commands = [Command("all", [ctx.turboci, "-s", ctx.bulk_store(n), "nodes", "query", "-o", "jsonl"])]
    if not missing:
        columns = "id, type, kind, state, outcome, version, updated_at"
        commands.append(Command("shell", ["sqlite3", "-json", ctx.bulk_store(n), f"SELECT {columns} FROM nodes"]))
        commands.append(Command("rows", ["sqlite3", "-json", ctx.bulk_store(n), "SELECT * FROM nodes"]))
    ctx.say(f"query of {count(n)}")
    t = ctx.take(commands, ctx.sizes.rounds * 2)
    for what, name, limit in (("7 columns", "shell", 1.5), ("all columns", "rows", None)):
        rows.append(Row(group, f"`nodes query -o jsonl` of {count(n)} with dependencies", t["all"].us,
                        f"sqlite3 -json, the nodes alone, {what}", t[name].us if not missing else None, limit,
                        note=missing))
    rows.append(Row(group, "its peak memory", megabytes(t["all"]), "", unit="MB", absolute=True))
    return rows


def graph(ctx, _curves):
    n = ctx.sizes.graph
    build = ctx.made("graph.ninja", lambda path: plans.write_ninja_graph(path, n))
    commands = [Command("turboci", [ctx.turboci, "-s", ctx.bulk_store(n), "graph", "show"])]
    if ctx.has("ninja"):
        commands.append(Command("ninja", ["ninja", "-f", build, "-t", "graph"]))
    ctx.say(f"graph of {count(n)}")
    t = ctx.take(commands, ctx.sizes.rounds * 3)
    return [Row("Reading", f"`graph show` of {count(n)} nodes, {count(plans.edge_count(n))} edges", t["turboci"].us,
                "`ninja -t graph`", t["ninja"].us if "ninja" in t else None, 0.35,
                note="" if "ninja" in t else "not installed")]


def _deep_commands(ctx, n):
    def store(name, writer):
        return ctx.store_of(f"{name}-{n}.db", ctx.made(f"{name}-{n}.yaml", lambda path: writer(path, n)))
    checks, stages = store("checks", plans.write_deep_chain), store("stages", plans.write_stage_chain)
    fresh = ctx.path(f"deep-{n}.db")
    last = f"c{n - 1}"
    return {
        "write": Command("", [ctx.turboci, "-s", fresh, "nodes", "write", ctx.path(f"checks-{n}.yaml")],
                         ctx.scratch(ctx.empty_store(), f"deep-{n}.db")),
        "resolve": Command("", [ctx.turboci, "-s", fresh, "check", "report", "c0", "--fail", "x", "--final"],
                           ctx.scratch(checks, f"deep-{n}.db")),
        "query --deps": Command("", [ctx.turboci, "-s", checks, "nodes", "query", last, "--deps", "-o", "name"]),
        "graph show": Command("", [ctx.turboci, "-s", checks, "graph", "show"]),
        "run -n": Command("", [ctx.turboci, "-s", stages, "run", "-n"]),
    }


def deep(ctx, _curves):
    n = ctx.sizes.big
    commands = []
    for size in (n // 10, n):
        for name, command in _deep_commands(ctx, size).items():
            command.name = f"{name} {size}"
            commands.append(command)
    ctx.say(f"a chain {count(n)} deep")
    t = ctx.take(commands, ctx.sizes.rounds)
    rows = []
    for name in ("write", "resolve", "query --deps", "graph show", "run -n"):
        rows.append(Row(f"A chain {count(n)} deep, a node of it", f"`{name}`", t[f"{name} {n}"].us / n,
                        f"a node of one {count(n // 10)} deep", t[f"{name} {n // 10}"].us / (n // 10), 1.3))
    return rows
