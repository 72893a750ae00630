# SPDX-License-Identifier: Apache-2.0
"""A clock a year behind, ten years ahead, or jumping: versions and times in the log keep their order, and no
timeout, heartbeat, backoff or wait is shorter or longer for it."""
import json
import os
import shutil
import struct
import subprocess
import time

import trust

YEAR = 365 * 86400
# Up to two seconds the program follows: so much is a clock that is being corrected.
SHIFTS = {"a year back": -YEAR, "ten years on": 10 * YEAR, "three seconds back": -3, "an hour on": 3600, "four seconds on": 4}
SLACK = 1.5


def shim(ctx, directory):
    if ctx.clock_shift:
        return ctx.clock_shift
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if not compiler:
        raise trust.Missing("no compiler for clock_shift.cpp, and no --clock-shift")
    path = directory / "clock_shift.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-std=c++20", "-o", path, trust.HERE / "clock_shift.cpp", "-ldl"], check=True)
    return str(path)


def is_dynamic(program):
    with open(program, "rb") as file:
        return b"/ld-linux" in file.read(4096) or b"/ld-musl" in file.read(0)


class World:
    """A store whose users live in a time of their own."""

    def __init__(self, ctx, directory, everything=False):
        self.ctx = ctx.with_program(ctx.shared or ctx.turboci)
        if not is_dynamic(self.ctx.turboci):
            raise trust.Missing("the program is linked statically; give a dynamically linked one with --shared-turboci")
        self.store = str(directory / "s.db")
        self.file = directory / "shift"
        self.env = self.ctx.environment(LD_PRELOAD=shim(ctx, directory), CLOCK_SHIFT_FILE=str(self.file))
        if self.ctx.sanitized:
            self.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        if everything:
            self.env["CLOCK_SHIFT_ALL"] = "1"
        self.shift(0)
        self.n = 0

    def shift(self, seconds):
        new = self.file.with_suffix(".new")
        new.write_bytes(struct.pack("<q", int(seconds * 1e9)))
        new.rename(self.file)

    def run(self, *args, **kwargs):
        return self.ctx.run("-s", self.store, *args, env=self.env, **{"timeout": 30, **kwargs})

    def must(self, *args, **kwargs):
        result = self.run(*args, **kwargs)
        if result.code:
            raise RuntimeError(f"{args}: exit {result.code}: {result.said}")
        return result

    def plan(self, text):
        """A new plan."""
        self.n += 1
        name = f"p{self.n}"
        self.must("plan", "create", name, "-f", "-", stdin=text.encode())
        return ("-p", name)

    def attempts(self, p, stage):
        return self.must(*p, "nodes", "query", f"stage:{stage}", "-o", "json").json()["stages"][0]["attempts"]


def preloaded(world):
    """Does the shift arrive?"""
    world.shift(-YEAR)
    created = world.must("plan", "create", "past", "-o", "json").json()["plan"]["created_at"]
    world.shift(0)
    return int(created[:4]) < time.gmtime().tm_year


def order(world, t, rng, jumps):
    """Writes while the clock jumps: versions without gaps, times that never go back."""
    p = world.plan("checks: [{id: c}]")
    for i in range(jumps):
        world.shift(rng.choice((-1, 1)) * rng.choice((0.001, 1, 3600, YEAR, 9 * YEAR)))
        world.must(*p, "nodes", "write", "-", "-q", stdin=f"checks: [{{id: n{i}}}]".encode())
        t.count("jumps")
    log = [json.loads(line) for line in world.must(*p, "log", "-o", "jsonl").out.splitlines()]
    pairs = [(e["version"], e["time"]) for e in log]
    t.expect(pairs == sorted(pairs) and sorted({v for v, _ in pairs}) == list(range(1, jumps + 2)), "wrong", f"the log is out of order: {pairs}")
    nodes = world.must(*p, "nodes", "query", "-o", "json").json()["checks"]
    t.expect(all(n["created_at"] <= n["updated_at"] for n in nodes), "wrong", "a node was changed before it was created")
    world.shift(0)
    check = world.run("store", "check")
    t.expect(check.code == 0, "wrong", f"store check: {check.said}{check.text}")


def limited(world, limit, shift):
    """A plan of which timeout (t), heartbeat (h) and backoff (b) of `limit` have just begun when the clock jumps."""
    p = world.plan(f"stages: [{{id: t, timeout: {limit}}}, {{id: h, heartbeat: {limit}}},"
                   f" {{id: b, retry: {{max_retries: 1, backoff: {limit}}}}}]")
    for stage in "thb":
        world.must(*p, "attempt", "claim", stage, "--process", "w")
    world.must(*p, "attempt", "fail", "b")
    world.shift(shift)
    return p


def judge_limits(world, t, p, figure, state, claimed, complaint):
    """Are the attempts of t and h in `state`, and does a claim of b exit with `claimed`?"""
    world.must(*p, "plan", "tick")
    for stage, what in (("t", "timeout"), ("h", "heartbeat")):
        found = world.attempts(p, stage)[-1]["state"]
        t.expect(found == state, figure, f"{complaint}: the {what}: {found}")
    code = world.run(*p, "attempt", "claim", "b", "--process", "w").code
    t.expect(code == claimed, figure, f"{complaint}: the backoff: exit {code}")
    t.count("limits", 3)
    world.shift(0)


def early(world, t, what, shift):
    """Right after a jump nothing may be due that is not."""
    p = limited(world, "1h", shift)
    judge_limits(world, t, p, "early", "RUNNING", 8, f"{what}: a limit of an hour is over at once")


def late(world, t, what, shift):
    """What is due soon must be so in spite of a jump."""
    p = limited(world, "1s", shift)
    time.sleep(1.2)
    judge_limits(world, t, p, "late", "INCOMPLETE", 0, f"{what}: a limit of a second is not over after 1.2")


def durations(world, t, what, shift):
    """run, wait and claim --wait measure their own time while the clock jumps."""
    p = world.plan("checks: [{id: c, state: PLANNED}]\nstages: [{id: s, args: {command: sleep 60}, timeout: 1s, assignments: [c]}]")
    jumper = subprocess.Popen(["sh", "-c", f"sleep 0.4; cp {world.file}.later {world.file}.x; mv {world.file}.x {world.file}"])
    (world.file.parent / (world.file.name + ".later")).write_bytes(struct.pack("<q", int(shift * 1e9)))
    busy = world.plan("checks: [{id: c}]\nstages: [{id: x, retry: {max_retries: 1}}]")
    world.must(*busy, "attempt", "claim", "x", "--process", "w")
    for args, codes, length in (((*p, "run"), (1,), 1.0), ((*p, "wait", "--timeout", "1s"), (1, 8), None),
                                ((*busy, "wait", "--timeout", "1s"), (8,), 1.0),
                                ((*busy, "attempt", "claim", "--wait", "1s"), (8,), 1.0)):
        result = world.run(*args)
        t.count("durations")
        t.expect(result.code in codes, "wrong", f"{what}: {args}: exit {result.code}: {result.said}")
        if length:
            t.expect(length - 0.05 <= result.seconds <= length + SLACK * world.ctx.slow, "early" if result.seconds < length else "late",
                     f"{what}: {args}: {result.seconds:.2f} s, not {length}")
    jumper.wait()
    world.shift(0)


def run(ctx, t):
    t.zero("jumps", "limits", "durations", "early", "late", "wrong")
    with ctx.directory() as directory:
        world = World(ctx, directory)
        if not preloaded(world):
            raise trust.Missing("the preloaded clock is not used")
        order(world, t, ctx.random("clock"), ctx.scale(25, 300))
        shifts = list(SHIFTS.items())[: ctx.scale(2, 5)] if not ctx.sanitized else list(SHIFTS.items())[:2]
        for what, shift in shifts:
            early(world, t, what, shift)
            late(world, t, what, shift)
            durations(world, t, what, shift)


def control(ctx):
    """When the clocks that nobody sets jump too, limits must be seen to end early and late."""
    tally = trust.Quiet("clock")
    with ctx.directory() as directory:
        world = World(ctx, directory, everything=True)
        early(world, tally, "control", 10 * YEAR)
        caught = tally.counts.get("early", 0) >= 2
    tally = trust.Quiet("clock")
    with ctx.directory() as directory:
        world = World(ctx, directory, everything=True)
        late(world, tally, "control", -600)
    return caught and tally.counts.get("late", 0) >= 1
