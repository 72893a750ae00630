# SPDX-License-Identifier: Apache-2.0
"""What follows a process waits until it is gone, whoever asks for its end and however many runners there are; and an
interruption is no failure.

Each process writes a line when it starts and one when it goes. Two lines of a kind in a row, or a line of the stage
behind it between them, are processes that must not meet."""
import concurrent.futures
import os
import signal
import subprocess
import time

import trust

STUBBORN = "trap 'sleep 0.1; sleep 0.1; echo gone >> trace; exit 1' TERM; echo start >> trace; sleep 15 & wait"
PLAN = """
checks: [{id: c, state: PLANNED}]
stages:
  - {id: test, args: {command: "%s"}, assignments: [c]%s}
  - {id: down, args: {command: "echo down >> trace"}, dependencies: [{node: stage:test, when: always}]}
  - {id: checked, args: {command: "echo down >> trace"}, dependencies: [{node: check:c, when: always}]}
"""


def lines(directory):
    try:
        return (directory / "trace").read_text().split()
    except FileNotFoundError:
        return []


def meetings(trace):
    """How often a process was there that must not be."""
    running, met = False, 0
    for line in trace:
        met += (line in ("start", "down")) and running
        running = line == "start" or (running and line != "gone")
    return met


def until(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def ended(child, seconds=60.0):
    try:
        child.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return False


def one_round(ctx, t, how, runners, retry):
    """A process is told to end in one of three ways while others look."""
    with ctx.directory() as directory:
        more = (", timeout: 300ms" if how == "timeout" else "") + (", retry: {max_retries: 1}" if retry else "")
        ctx.must("plan", "create", "p", cwd=directory)
        ctx.must("nodes", "write", "-", cwd=directory, stdin=(PLAN % (STUBBORN, more)).encode())
        quiet = dict(cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        runs = [ctx.start("run", "-j", "3", **quiet) for _ in range(runners)]
        begun = until(lambda: "start" in lines(directory))
        t.expect(begun, "not begun", f"{how}, {runners} runners: no process")
        ticks = [ctx.start("plan", "tick", "-q", **quiet) for _ in range(4)]
        for attempt in range(2 if retry else 1):
            until(lambda: lines(directory).count("start") > attempt)
            if how == "cancel" and attempt == 0:
                ctx.run("stage", "cancel", "test", cwd=directory)
            if how == "fail":
                ctx.run("attempt", "fail", "test", "--message", "gone", cwd=directory)
        for run in [*runs, *ticks]:
            t.expect(ended(run), "hung", f"{how}, {runners} runners")
        trace = lines(directory)
        t.count("ends asked for")
        t.expect(meetings(trace) == 0, "meetings", f"{how}, {runners} runners, retry {retry}: {trace}")
        t.expect(trace.count("down") == 2, "lost", f"{how}, {runners} runners, retry {retry}: {trace}")


def killed(ctx, t, kills):
    """`run` is killed again and again: what was complete is not run again, and nothing fails for it."""
    with ctx.directory() as directory:
        stages = "".join(f"  - {{id: s{i}, args: {{command: 'echo s{i} >> trace; sleep 0.1; echo e{i} >> trace'}}"
                         + (f", dependencies: [s{i - 1}]" if i else "") + "}\n" for i in range(30))
        ctx.must("plan", "create", "p", cwd=directory)
        ctx.must("nodes", "write", "-", cwd=directory, stdin=("stages:\n" + stages).encode())
        quiet = dict(cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        chance = ctx.random("killed")
        for _ in range(kills):
            run = ctx.start("run", **quiet)
            time.sleep(0.1 + chance.random() * 0.2)
            os.kill(run.pid, chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]))
            ended(run)
            t.count("runs killed")
        done = ctx.run("run", cwd=directory, timeout=60)
        t.expect(done.code == 0, "failures", f"the last run: exit {done.code}: {done.said}")
        stages = ctx.must("nodes", "query", "-o", "json", cwd=directory).json()["stages"]
        wrong = [s["id"] for s in stages if s["outcome"] != "passed" or any(a["cause"] not in (None, "lost", "interrupted") for a in s["attempts"])]
        t.expect(not wrong, "failures", f"failed or failing: {wrong}")
        again = [s["id"] for s in stages if sum(a["state"] == "COMPLETE" for a in s["attempts"]) != 1]
        t.expect(not again, "repeated", f"complete more than once, or never: {again}")


ELSEWHERE = {"another host": ("unshare", "-u", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"),
             "another pid namespace": ("unshare", "-p", "--fork", "--mount-proc", "--kill-child")}


def elsewhere(ctx, t, where):
    """A runner whose process cannot be looked for is alive while it beats, and lost when it does not any more."""
    with ctx.directory() as directory:
        ctx.must("plan", "create", "p", cwd=directory)
        ctx.must("nodes", "write", "-", cwd=directory, stdin=b"stages: [{id: s, args: {command: 'echo start >> trace; exec sleep 60'}}]")
        quiet = dict(cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run = ctx.start("run", "--lost-after", "1200ms", prefix=ELSEWHERE[where], **quiet)
        t.expect(until(lambda: lines(directory)), "not begun", where)

        def states():
            return [(a["state"], a["cause"]) for a in ctx.must("nodes", "query", "stage:s", "-o", "json", cwd=directory).json()["stages"][0]["attempts"]]

        end = time.monotonic() + 3
        while time.monotonic() < end:
            ctx.must("plan", "tick", "-q", "--lost-after", "1200ms", cwd=directory)
            time.sleep(0.1)
        t.count("runners elsewhere")
        t.expect(states() == [("RUNNING", None)], "taken for gone", f"{where}: {states()}")
        run.kill()
        run.wait()
        ctx.must("plan", "tick", "-q", cwd=directory)
        t.expect(states() == [("RUNNING", None)], "taken for gone", f"{where}, within a minute: {states()}")
        time.sleep(1.3)
        ctx.must("plan", "tick", "-q", "--lost-after", "1200ms", cwd=directory)
        t.expect(states() == [("INCOMPLETE", "lost"), ("PENDING", None)], "not found", f"{where}: {states()}")


def run(ctx, t):
    t.zero("ends asked for", "meetings", "lost", "hung", "runs killed", "repeated", "failures", "taken for gone", "not found")
    cases = [(how, runners, retry) for how in ("timeout", "cancel", "fail") for runners in (1, 2) for retry in (False, True)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda case: one_round(ctx, t, *case), cases * ctx.scale(1, 84)):
            pass
    killed(ctx, t, ctx.scale(10, 40))
    for where, prefix in ELSEWHERE.items():
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            elsewhere(ctx, t, where)
        else:
            print(f"overlap: {where}: unshare is not permitted here")


def control(ctx):
    """Traces of processes that met are seen as such, and others are not."""
    return (meetings(["start", "down", "gone"]) == 1 and meetings(["start", "start", "gone", "gone", "down"]) == 1
            and meetings(["start", "gone", "start", "gone", "down", "down"]) == 0)
