# SPDX-License-Identifier: Apache-2.0
"""Measures of running: many short stages, and what the end of one costs."""
import subprocess

import plans
from context import Command
from programs import package_of
from table import Row
from writing import count

LIMITS = {"chain": (2.0, 1.5), "fan": (1.5, 1.3)}
MOST_COMPLETIONS = 2_000  # of a plan; each is a durable transaction
# What peers remember is set aside and not deleted, for the reason given at Context.scratch.
TIDY = ("aside=$(mktemp -d aside.XXXXXX); for f in .ninja_log .ninja_deps .doit.db* out .snakemake wireit/.wireit "
        'turbo/.turbo nx/.nx; do [ ! -e "$f" ] || mv "$f" "$aside"; done')
ROUNDS = {"doit": 3, "snakemake": 1, "wireit": 3, "turbo": 1, "nx": 3}  # of what takes long
NAMES = {"chain": "a chain", "fan": "fan-out and fan-in"}


def _steps(ctx, kind, n):
    directory = ctx.dir / f"{kind}-{n}"
    if not directory.exists():
        directory.mkdir()
        plans.write_steps(str(directory), kind, n)
        if ctx.has("nx"):  # it wants to be a part of what it runs
            (directory / "nx" / "node_modules").symlink_to(package_of("nx").parent)
    return directory, ctx.store_of(f"{kind}-{n}.db", str(directory / "plan.yaml"))


def _peers(n):
    """How each is told to run all steps, two at a time, whatever it remembers of an earlier run."""
    last = f"s{n - 1}"
    return {
        "ninja": ["ninja", "-j2"],
        "make": ["make", "-s", "-j2"],
        "doit": ["doit", "-n2", "s"],
        "snakemake": ["snakemake", "-q", "--cores", "2", "--forceall"],
        "wireit": ["env", "-C", "wireit", "WIREIT_PARALLEL=2", "WIREIT_CACHE=none", "npm", "run", "-s", last],
        "turbo": ["env", "-C", "turbo", "TURBO_TELEMETRY_DISABLED=1", "turbo", "run", last, "--concurrency=2",
                  "--no-update-notifier"],
        "nx": ["env", "-C", "nx", "NX_DAEMON=false", "NX_NO_CLOUD=true", "nx", "run", f"steps:{last}", "--parallel=2",
               "--skip-nx-cache", "--outputStyle=static"],
    }


def _why_not(ctx, name, argv, directory):
    """Why a peer cannot be measured, "" if it can; also warms its caches."""
    if not ctx.has(name):
        return "not installed"
    done = subprocess.run(["sh", "-c", TIDY + '; exec "$@"', "sh", *argv], cwd=directory, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return f"fails, exit {done.returncode}" if done.returncode else ""


def run(ctx, _curves):
    return [row for kind in ("chain", "fan") for row in _run(ctx, kind)]


def _run(ctx, kind):
    n = ctx.sizes.steps
    workers = 1 if kind == "chain" else 2
    directory, store = _steps(ctx, kind, n)
    bare = ctx.bare_database(ctx.sizes.small)
    commands = [
        Command("turboci", [ctx.turboci, "-s", ctx.path("run.db"), "run", "-j2"], ctx.scratch(store, "run.db")),
        Command("spawn", [ctx.program("spawn"), workers, n, "/bin/sh", "-c", "true"], reports=True),
        Command("commits", [ctx.program("one_transaction"), ctx.path("commits.db"), "x", n + 1],
                ctx.scratch(bare, "commits.db"), reports=True),
        Command("durable", [ctx.program("durable_steps"), ctx.path("durable.db"), workers, n, "/bin/sh", "-c", "true"],
                ctx.scratch(bare, "durable.db"), reports=True),
    ]
    peers = _peers(n)
    why_not = {name: _why_not(ctx, name, argv, directory) for name, argv in peers.items()}
    for name, argv in peers.items():
        if not why_not[name]:
            commands.append(Command(name, argv, ["sh", "-c", TIDY], rounds=ROUNDS.get(name, 0)))
    ctx.say(f"run of {count(n)} stages, {NAMES[kind]}")
    t = ctx.take(commands, ctx.sizes.rounds, warmup=0, cwd=directory)
    group = f"`run -j2` of {count(n)} × `true`"
    rows = []
    for name in peers:
        limit, stretch = LIMITS[kind] if name == "ninja" else (None, None) if name == "make" else (1.0, None)
        rows.append(Row(group, NAMES[kind], t["turboci"].us, name, t[name].us if name in t else None, limit, stretch,
                        note=why_not[name]))
    rows.append(Row(group, NAMES[kind], t["turboci"].us, "starting as many shells and waiting for them",
                    t["spawn"].us))
    rows.append(Row(group, NAMES[kind], t["turboci"].us, f"{count(n + 1)} durable transactions of one row",
                    t["commits"].us))
    durable = "the least with durable starts and ends"
    rows.append(Row(group, NAMES[kind], t["turboci"].us, durable, t["durable"].us))
    if "ninja" in t:
        rows.append(Row(group, f"{NAMES[kind]}: {durable}", t["durable"].us, "ninja", t["ninja"].us))
    return rows


def completions(ctx, _curves):
    program, group = ctx.program("completions"), "The end of one stage, in one process"
    if program is None:
        return [Row(group, "not measured", None, "libturboci.a", note="not found (see --library)")]
    rows = []
    for n in ctx.sizes.joins:
        commands, ended = [], min(n, MOST_COMPLETIONS)
        for kind in ("join", "chain"):
            _, store = _steps(ctx, kind, n)
            commands.append(Command(kind, [program, ctx.path("ends.db"), "bench", "s", ended],
                                    ctx.scratch(store, "ends.db"), reports=True))
        ctx.say(f"completions of {count(ended)} of {count(n)} stages")
        t = ctx.take(commands, 3, warmup=0)
        rows += _both(group, f"of {count(n)} that one waits for", t["join"], "of a chain as long", t["chain"])
    return rows + _in_plans(ctx, program, group)


def _in_plans(ctx, program, group):
    sizes = [ctx.sizes.small, ctx.sizes.huge or ctx.sizes.big]
    commands = [Command(str(n), [program, ctx.path("ends.db"), "bench", "ready-", plans.FINISHED_ROUNDS],
                        ctx.scratch(_unfinished(ctx, n), "ends.db"), reports=True) for n in sizes]
    t = ctx.take(commands, ctx.sizes.rounds)
    return _both(group, f"in a plan of {count(sizes[1])}", t[str(sizes[1])], f"in one of {count(sizes[0])}",
                 t[str(sizes[0])])


def _unfinished(ctx, n):
    """The one-node measures finish the stages of the busy store itself."""
    ready = ctx.made(f"ready-{n}.yaml", lambda path: plans.write_ready(path, n))
    return ctx.store_of(f"unfinished-{n}.db", ctx.plan_file(n, "json"), ready)


def _both(group, what, ours, against, theirs):
    return [Row(group, what, ours.us, against, theirs.us, 1.2),
            Row(group, what + ", processor time", ours.cpu_us, against, theirs.cpu_us, 1.2)]
