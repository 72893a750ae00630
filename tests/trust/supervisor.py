# SPDX-License-Identifier: Apache-2.0
"""Commands that do not want to end, under `turboci run`: none survives, none holds the run up beyond the grace,
logs are capped."""
import concurrent.futures
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

import trust

GRACE = 10.0  # between SIGTERM and SIGKILL
LOG_LIMIT = 24 << 20  # what one attempt's log may take of the disk

# Modes whose command ends by itself at once, and ends well.
ENDING = ("daemon", "setsid", "own-group", "hold-output", "hold-output-and-ignore", "close-output-and-end", "fork-again-and-again", "many-children", "stopped-daemon",
          "without-environment", "flood", "one-long-line")
FAILING = ("killed", "kill-the-group")
# Modes whose command must be ended.
STAYING = ("for-ever", "ignore-term", "flood-for-ever", "stop-self", "stop-for-ever", "close-output", "many-that-ignore")
OWN = {"ignore-term", "setsid", "daemon", "hold-output", "close-output", "stop-self"}  # also in hostile_child.cpp


def survivors(mark):
    """Pids of processes that carry the mark."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "cmdline").read_bytes().split(b"\0") and b"State:\tZ" not in (entry / "status").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def settled(mark, seconds=1.0):
    """Survivors that are still there after a moment: what got SIGKILL needs one to be gone."""
    end = time.monotonic() + seconds
    while survivors(mark) and time.monotonic() < end:
        time.sleep(0.02)
    return survivors(mark)


def sweep(mark):
    for _ in range(50):
        pids = survivors(mark)
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Stage:
    """One hostile command in a store of its own."""

    def __init__(self, ctx, directory, mode, way, program=None):
        self.ctx, self.mode, self.way = ctx, mode, way
        self.mark = f"mark-{os.getpid()}-{directory.name}-{mode}-{way}"
        self.place = directory / f"{mode}-{way}"
        self.place.mkdir()
        self.store = str(self.place / "s.db")
        command = [program, mode, self.mark] if program else [sys.executable, "-B", str(trust.HERE / "hostile.py"), mode, self.mark]
        quoted = ", ".join(f'"{part}"' for part in command)
        ctx.must("-s", self.store, "plan", "create", "main", "-f", "-", stdin=f"stages: [{{id: bad, args: {{command: [{quoted}]}}}}]".encode())

    def start(self, *args):
        return self.ctx.start("-s", self.store, "run", *args, stdin=-3, stdout=open(self.place / "out", "wb"), stderr=open(self.place / "err", "wb"))

    def said(self):
        return (self.place / "err").read_text(errors="replace")[-400:]

    def wait_for_start(self):
        end = time.monotonic() + 10 * self.ctx.slow
        while not survivors(self.mark) and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)  # so that it can do its worst

    def state(self):
        return self.ctx.must("-s", self.store, "nodes", "query", "stage:bad", "-o", "json").json()["stages"][0]


def judge(t, stage, child, codes, limit):
    """Waits for a run and looks at what it left."""
    begun = time.monotonic()
    what = f"{stage.mode}, {stage.way}"
    try:
        code = child.wait(limit * stage.ctx.slow)
    except subprocess.TimeoutExpired:
        t.fail("hangs", f"{what}: not over after {limit * stage.ctx.slow:.0f} s: {stage.said()}\n{autopsy(child)}")
        child.kill()
        child.wait()
        code = None
    seconds = time.monotonic() - begun
    left = settled(stage.mark)
    t.expect(not left, "survivors", lambda: f"{what}: {len(left)} processes are left after exit {code}: {describe(left)}")
    sweep(stage.mark)
    if code is not None:
        t.expect(code in codes, "wrong", f"{what}: exit {code}, not one of {codes}: {stage.said()}")
    for log in stage.place.rglob("*.log"):
        size = log.stat().st_blocks * 512
        t.expect(size <= LOG_LIMIT, "uncapped logs", f"{what}: {size >> 20} MiB")
    attempt = stage.state()["attempts"][-1] if code is not None else {"state": None}
    t.expect(code is None or attempt["state"] in ("COMPLETE", "INCOMPLETE", "PENDING"), "wrong", f"{what}: the attempt is left {attempt['state']}")
    t.count("runs")
    return code, seconds, attempt


def autopsy(child):
    """What a run that should be over is doing, what is left of its commands, and whether it is only late."""
    lines = []
    for pid in (child.pid, *children_of(child.pid)):
        for name in ("stat", "wchan", "syscall"):
            try:
                lines.append(f"{pid} {name}: " + pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace").strip())
            except OSError as error:
                lines.append(f"{pid} {name}: {error.strerror}")
    lines.append("load: " + pathlib.Path("/proc/loadavg").read_text().strip())
    begun = time.monotonic()
    try:
        code = child.wait(20)
        lines.append(f"it ended {time.monotonic() - begun:.1f} s later, exit {code}")
    except subprocess.TimeoutExpired:
        lines.append("it had not ended 20 s later")
    return "\n".join(lines)


def children_of(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def describe(pids):
    lines = []
    for pid in pids[:5]:
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            lines.append(f"{pid} " + " ".join(line.replace("\t", "") for line in status.splitlines() if line.split(":")[0] in ("State", "PPid")))
        except OSError:
            continue
    return "; ".join(lines)


def by_itself(ctx, t, directory, mode, program=None):
    stage = Stage(ctx, directory, mode, "by itself" if not program else "by itself, compiled", program)
    child = stage.start()
    code, seconds, attempt = judge(t, stage, child, (1,) if mode in FAILING else (0,), 8 + (25 if "flood" in mode or "line" in mode else 0))
    if code is not None and attempt["state"] != ("INCOMPLETE" if mode in FAILING else "COMPLETE"):
        t.fail("wrong", f"{mode}: the attempt is {attempt['state']}: {attempt['failure']}")


def by_timeout(ctx, t, directory, mode, program=None):
    stage = Stage(ctx, directory, mode, "timeout" if not program else "timeout, compiled", program)
    judge(t, stage, stage.start("--timeout", "1s"), (1, 8), 1 + GRACE + 3)


def by_signal(ctx, t, directory, mode, signals):
    """SIGINT or SIGTERM; a second one stops at once."""
    stage = Stage(ctx, directory, mode, "+".join(s.name for s in signals))
    child = stage.start()
    stage.wait_for_start()
    for i, number in enumerate(signals):
        if i:
            time.sleep(0.3)
        child.send_signal(number)
    judge(t, stage, child, {128 + s for s in signals} | {1, 8}, 3 if len(signals) > 1 else GRACE + 3)


def by_murder(ctx, t, directory, mode):
    """The runner itself is killed: the next tick says that the attempt is lost, the next run ends what is left."""
    stage = Stage(ctx, directory, mode, "murder")
    child = stage.start()
    stage.wait_for_start()
    child.kill()
    child.wait()
    begun = time.monotonic()
    tick = ctx.run("-s", stage.store, "plan", "tick", timeout=15)
    t.expect(tick.code == 0, "wrong", f"{mode}, murder: plan tick: exit {tick.code}: {tick.said}")
    ctx.run("-s", stage.store, "stage", "cancel", stage.state()["id"])  # else the next run takes it up again
    again = ctx.run("-s", stage.store, "run", timeout=15)
    t.expect(not again.hung, "hangs", f"{mode}, murder: the next run")
    left = settled(stage.mark)
    if mode != "without-environment":  # documented: who changes its environment is not found
        t.expect(not left, "survivors", lambda: f"{mode}, murder: {len(left)} processes are left after the next run: {describe(left)}")
    sweep(stage.mark)
    attempt = stage.state()["attempts"][0]
    lost = attempt["state"] == "INCOMPLETE" and "lost" in (attempt["failure"] or {}).get("message", "")
    t.expect(lost or mode in ENDING, "wrong", f"{mode}, murder: the attempt is {attempt['state']}, {attempt['failure']}, {time.monotonic() - begun:.1f} s after the end of its runner")
    t.count("runs")


UNSHARE = (("--pid", "--fork", "--mount-proc"), ("--pid", "--fork"), ("--uts", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh"),
           ("--time", "--boottime", "100000", "--fork"), ("--time", "--boottime", "-1", "--pid", "--fork", "--mount-proc"))


def in_namespace(ctx, t, directory, i):
    """A runner in a container of its own is not taken for dead from outside, and the plan's clock is the machine's."""
    unshare = ("unshare", *UNSHARE[i])
    if subprocess.run([*unshare, "true"], stdout=-3, stderr=-3).returncode:
        print(f"supervisor: not permitted here: {' '.join(unshare)}", file=sys.stderr)
        t.count("not permitted")
        return
    place = directory / f"namespace{i}"
    place.mkdir()
    store, go, begun = str(place / "s.db"), place / "go", place / "begun"
    command = f"touch {begun}; until [ -e {go} ]; do sleep 0.02; done"
    ctx.must("-s", store, "plan", "create", "main", "-f", "-", stdin=f"stages: [{{id: s, timeout: 1h, args: {{command: '{command}'}}}}]".encode())
    child = subprocess.Popen([*unshare, ctx.turboci, "-s", store, "run"], env=ctx.environment(), stdin=-3, stdout=-3, stderr=-1)
    end = time.monotonic() + 20 * ctx.slow
    while not begun.exists() and child.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    ctx.must("-s", store, "plan", "tick")
    attempts = ctx.must("-s", store, "nodes", "query", "s", "-o", "json").json()["stages"][0]["attempts"]
    t.expect([a["state"] for a in attempts] == ["RUNNING"], "wrong", f"{unshare}: a live runner's attempts: {[(a['state'], a['failure']) for a in attempts]}")
    go.touch()
    _, said = child.communicate(timeout=30 * ctx.slow)
    t.expect(child.returncode == 0, "wrong", f"{unshare}: exit {child.returncode}: {said}")
    log = [json.loads(line) for line in ctx.must("-s", store, "log", "-o", "jsonl").out.splitlines()]
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3))
    t.expect(all(entry["time"] <= now for entry in log), "wrong", f"{unshare}: the plan's clock is ahead: {log[-1]['time']}, and it is {now}")
    t.count("namespaces")


def limits(ctx, t, directory):
    """Without a thread `run` does with one; without a process, or without memory, it is exit 9 and nobody's bug."""
    place = directory / "limits"
    place.mkdir()
    place.chmod(0o777)
    directory.chmod(0o711)
    plan = b"stages: [{id: a, args: {command: 'true'}}, {id: b, args: {command: 'true'}}]"
    user = {"user": trust.NOBODY, "group": trust.NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    own = ctx.with_copy(place / "turboci")  # where nobody can run it
    one = str(place / "one.db")
    own.must("-s", one, "plan", "create", "main", "-f", "-", stdin=plan, cwd=place, **user)
    alone = own.run("-s", one, "run", cwd=place, timeout=20, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)), **user)
    problem = trust.bad_error(alone, 9, r"cannot start a process.*ulimit -u")
    t.expect(not problem, "wrong", f"with one process: {problem}")
    t.count("limits")
    if ctx.sanitized:
        return
    seen = set()
    for kilobytes in range(8192, 65536, 2048 if ctx.long else 4096):
        def limit(bytes_=kilobytes * 1024):
            resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_))
        if own.run("--version", preexec_fn=limit).code != 0:
            continue  # the loader had not enough
        store = str(place / f"{kilobytes}.db")
        own.must("-s", store, "plan", "create", "main", "-f", "-", stdin=plan)
        result = own.run("-s", store, "run", preexec_fn=limit, timeout=20)
        seen.add(result.code)
        t.expect(result.code == 0 or not trust.bad_error(result, 9, r"memory|process|thread", last=True), "wrong", f"with {kilobytes} KiB: exit {result.code}: {result.said}")
        t.count("limits")
    t.expect(0 in seen, "wrong", f"no run with little memory passed: {seen}")


def cases(ctx):
    yield limits,
    for i in range(len(UNSHARE)):
        yield in_namespace, i
    for mode in ENDING + FAILING:
        yield by_itself, mode
    for mode in STAYING:
        yield by_timeout, mode
    signal_sets = ((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT))
    for i, mode in enumerate(STAYING):
        for signals in signal_sets if ctx.long else (signal_sets[i % 4],):
            yield by_signal, mode, signals
        if ctx.long or i % 2:
            yield by_murder, mode
    if ctx.hostile_child:
        for mode in sorted(OWN):
            yield (by_timeout if mode in STAYING else by_itself), mode, ctx.hostile_child
    if ctx.long:
        for mode in ENDING:
            yield by_murder, mode


def run(ctx, t):
    t.zero("runs", "survivors", "hangs", "uncapped logs", "wrong")
    with ctx.directory() as directory, concurrent.futures.ThreadPoolExecutor(8) as pool:
        todo = [pool.submit(case[0], ctx, t, directory, *case[1:]) for case in cases(ctx)]
        for i in range(3 if ctx.long else 0):
            (directory / f"again{i}").mkdir()
            todo += [pool.submit(case[0], ctx, t, directory / f"again{i}", *case[1:]) for case in cases(ctx)]
        for future in todo:
            future.result()


def control(ctx):
    """A runner that supervises nothing leaves survivors, and one that waits for output hangs."""
    caught = []
    for mode, kind, body in (("setsid", "survivors", '"$PY" -B "$SCRIPT" setsid "$MARK"; exit 0'), ("for-ever", "hangs", 'exec "$PY" -B "$SCRIPT" for-ever "$MARK"')):
        with ctx.directory() as directory:
            stage = Stage(ctx, directory, mode, "control")
            header = f'PY={sys.executable}\nSCRIPT={trust.HERE / "hostile.py"}\nMARK={stage.mark}\n'
            stage.ctx = ctx.with_program(trust.stand_in(directory, "runner", header + body))
            child = stage.start()
            stage.ctx = ctx
            tally = trust.Quiet("supervisor")
            judge(tally, stage, child, (0,), 1.0)
            caught.append(kind in tally.counts)
            sweep(stage.mark)
    return all(caught)
