# SPDX-License-Identifier: Apache-2.0
"""The writers' lock: whoever waits goes on within a second of the holder's death, gives up in time and says who
holds it, and is never held up by what dead or foreign processes left behind."""
import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import time

import trust

GRACE = 1.0


def holders(path):
    """Pids that hold an flock on a file, by the kernel's list."""
    info = os.stat(path)
    where = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    with open("/proc/locks") as locks:
        return [int(line.split()[4]) for line in locks if "FLOCK" in line and line.split()[5] == where and "->" not in line]


class Scene:
    """A store and writers around it."""

    def __init__(self, ctx, directory):
        self.ctx, self.directory = ctx, directory
        self.store = str(directory / "s.db")
        self.lock = self.store + ".lock"
        ctx.must("-s", self.store, "plan", "create", "main")
        self.n = 0
        self.big = directory / "big.yaml"
        self.big.write_text("checks:\n" + "".join(f"  - {{id: big{i}}}\n" for i in range(ctx.scale(4000, 8000))))

    def write(self, timeout="30s", **popen):
        self.n += 1
        child = self.ctx.start("-s", self.store, "--lock-timeout", timeout, "nodes", "write", "-", "-q", stdin=-1, stdout=-1, stderr=-1, **popen)
        child.stdin.write(f"checks: [{{id: n{self.n}}}]".encode())
        child.stdin.close()
        child.stdin = None
        return child

    def named(self, child):
        """Whether the lock file names a process; a holder writes its line an instant after it has the lock."""
        with open(self.lock, "rb") as lock:
            return lock.read().startswith(b"pid %d " % child.pid)

    def stopped_holder(self):
        """A writer of ours that was stopped while it holds the lock and has told so."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            child = self.ctx.start("-s", self.store, "nodes", "write", "--dry-run", "-q", self.big, stdout=-3, stderr=-3)
            while child.poll() is None:
                if child.pid in holders(self.lock):
                    os.kill(child.pid, signal.SIGSTOP)
                    time.sleep(0.02)
                    if child.pid in holders(self.lock) and self.named(child):
                        return child
                    os.kill(child.pid, signal.SIGCONT)
            child.wait()
        raise trust.Missing("no writer could be stopped while it holds the lock")


@contextlib.contextmanager
def killing(*children):
    try:
        yield
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.communicate()


def finish(child, timeout):
    try:
        out, err = child.communicate(timeout=timeout)
        return child.returncode, err.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return None, ""


def goes_on(ctx, t, scene, holder, end, what, waited=0.3):
    """A waiter must be done within a second of end()."""
    waiter = scene.write()
    with killing(waiter, holder):
        time.sleep(waited)
        t.expect(waiter.poll() is None, "wrong", f"{what}: the waiter did not wait")
        end()
        begun = time.monotonic()
        code, err = finish(waiter, 10)
        seconds = time.monotonic() - begun
        t.slowest = max(t.slowest, seconds)
        t.expect(code == 0, "wrong", f"{what}: exit {code}: {err}")
        t.expect(seconds < GRACE * ctx.slow, "late", f"{what}: {seconds:.2f} s after the end of the holder")
        t.count("waits")


def gives_up(ctx, t, scene, holder, pattern, what, form=()):
    begun = time.monotonic()
    result = ctx.run("-s", scene.store, "--lock-timeout", "1500ms", *form, "nodes", "write", "-", stdin=b"checks: [{id: x}]", timeout=10)
    t.count("timeouts")
    last = result.said.rstrip("\n").split("\n")[-1]
    t.expect(result.code == 7, "wrong", f"{what}: exit {result.code}: {result.said}")
    t.expect(1.45 <= time.monotonic() - begun < 2.5 * ctx.slow, "late", f"{what}: gave up after {result.seconds:.2f} s of 1.5")
    t.expect(re.search(pattern, last), "wrong", f"{what}: the holder is not named: {result.said!r}")
    t.expect(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.said), "wrong", f"{what}: control characters: {result.said!r}")
    if not form:
        t.expect(result.said.count("\n") == 2 and trust.ERROR_LINE.fullmatch(last + "\n"), "wrong", f"{what}: not a notice and an error: {result.said!r}")


def python_holder(scene, text=b"", child=False):
    """Another program with the lock; `child`: it dies at once and leaves the lock to one that it forked."""
    script = ("import fcntl, os, sys, time\nf = open(sys.argv[1], 'r+b')\nfcntl.flock(f, fcntl.LOCK_EX)\nf.truncate()\nf.write(bytes.fromhex(sys.argv[2]))\nf.flush()\n"
              + ("if os.fork() == 0:\n    print(os.getpid(), flush=True)\n    time.sleep(600)\nos._exit(0)\n" if child else "print(os.getpid(), flush=True)\ntime.sleep(600)\n"))
    holder = subprocess.Popen([sys.executable, "-c", script, scene.lock, text.hex()], stdout=-1)
    return holder, int(holder.stdout.readline())


def deaths(ctx, t, scene):
    for i in range(ctx.scale(2, 40)):
        holder = scene.stopped_holder()
        goes_on(ctx, t, scene, holder, holder.kill, f"killed holder {i}", 0.2 if i % 2 else 1.3)
    holder = scene.stopped_holder()
    with killing(holder):
        gives_up(ctx, t, scene, holder, rf"pid {holder.pid}\b.*nodes write", "stopped holder")
        if ctx.long:
            gives_up(ctx, t, scene, holder, rf"pid {holder.pid}\b", "stopped holder, JSON", ("-o", "json"))
        result = ctx.run("-s", scene.store, "--lock-timeout", "0s", "nodes", "write", "-", stdin=b"checks: [{id: x}]")
        t.expect(result.code == 7 and result.seconds < 1 * ctx.slow, "wrong", f"one try: exit {result.code} after {result.seconds:.2f} s")
        t.expect(ctx.run("-s", scene.store, "nodes", "query").code == 0, "wrong", "a reader waits for the lock")
        goes_on(ctx, t, scene, holder, lambda: os.kill(holder.pid, signal.SIGCONT), "stopped holder goes on", 0.5)


def stale(ctx, t, scene):
    for what, text in (("a dead pid", b"pid 4194000 (turboci run) since 2020-01-01T00:00:00Z\n"), ("nothing", b""), ("rubbish", bytes(range(256)) * 40),
                       ("the pid of init", b"pid 1 (init) since 2020-01-01T00:00:00Z\n")):
        with open(scene.lock, "wb") as file:
            file.write(text)
        begun = time.monotonic()
        code, err = finish(scene.write(), 10)
        t.count("stale locks")
        t.expect(code == 0 and time.monotonic() - begun < GRACE * ctx.slow, "wrong", f"a lock file with {what}: exit {code} after {time.monotonic() - begun:.2f} s: {err}")
    for what, text in (("rubbish", b"pid 7 (\x1b[2J\r\n::error::x\n\xff\x00) since" + b"x" * 50000), ("nothing", b"")):
        holder, _ = python_holder(scene, text)
        with killing(holder):
            gives_up(ctx, t, scene, holder, r"; ", f"a holder that wrote {what}")
    os.unlink(scene.lock)
    for what, make in (("a symbolic link", lambda: os.symlink("/dev/null", scene.lock)), ("a pipe", lambda: os.mkfifo(scene.lock)), ("a directory", lambda: os.mkdir(scene.lock))):
        make()
        result = ctx.run("-s", scene.store, "nodes", "write", "-", stdin=b"checks: [{id: x}]")
        t.count("stale locks")
        problem = trust.bad_error(result, 9, r"lock")
        t.expect(not problem, "wrong", f"{what} as lock file: {problem}")
        (os.rmdir if os.path.isdir(scene.lock) else os.unlink)(scene.lock)


def in_queue(path):
    """How many wait in the queue: locks of one byte, far behind the text of the lock file."""
    info = os.stat(path)
    where = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    with open("/proc/locks") as locks:
        return sum(1 for line in locks if "OFDLCK" in line and line.split()[5] == where)


def queue(ctx, t, scene):
    """Waiters that are stopped or killed where they wait: the others go on, and the stopped have their turn later."""
    finish(scene.write(), 10)  # makes the lock file
    for end in (signal.SIGSTOP, signal.SIGKILL):
        holder = scene.stopped_holder()
        waiters = []
        with killing(holder), contextlib.ExitStack() as stack:
            for place in range(5):
                waiters.append(scene.write())
                stack.enter_context(killing(waiters[-1]))
                deadline = time.monotonic() + 20 * ctx.slow
                while in_queue(scene.lock) < place + 1 and time.monotonic() < deadline:
                    time.sleep(0.005)
            t.expect(in_queue(scene.lock) == 5, "wrong", f"{in_queue(scene.lock)} of 5 wait in the queue")
            for waiter in waiters[:3]:
                os.kill(waiter.pid, end)
            holder.kill()
            begun = time.monotonic()
            for waiter in waiters[3:]:
                code, err = finish(waiter, 10)
                t.expect(code == 0 and time.monotonic() - begun < GRACE * ctx.slow, "late",
                         f"behind waiters with {end.name}: exit {code} after {time.monotonic() - begun:.2f} s: {err}")
            # Who comes later has to find out anew.
            code, err = finish(scene.write(), 10)
            t.expect(code == 0 and time.monotonic() - begun < 2 * GRACE * ctx.slow, "late", f"after waiters with {end.name}: exit {code}: {err}")
            for waiter in waiters[:3]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(waiter.pid, signal.SIGCONT)
                code, err = finish(waiter, 10)
                t.expect(code == (0 if end == signal.SIGSTOP else -end), "wrong", f"a waiter with {end.name}: exit {code}: {err}")
                t.count("waits")
        t.expect(in_queue(scene.lock) == 0, "wrong", "somebody is left in the queue")


def secrets(ctx, t, scene):
    """The lock file tells which command, and not with what."""
    ctx.must("-s", scene.store, "nodes", "write", "-", stdin=b"checks: [{id: told, state: WAITING}]")
    ctx.must("-s", scene.store, "check", "report", "told", "--data", '{"token": "hunter2"}', "--pass", "--reason", "hunter3")
    with open(scene.lock, "rb") as lock:
        text = lock.read()
    t.expect(re.fullmatch(rb"pid \d+ \(check report\) since \S+Z\n", text), "wrong", f"the lock file says {text!r}")
    other = scene.directory / "other"
    other.write_text("precious")
    os.unlink(scene.lock)
    os.link(other, scene.lock)
    problem = trust.bad_error(ctx.run("-s", scene.store, "nodes", "write", "-", stdin=b"checks: [{id: x}]"), 9, r"lock file.*2 names")
    t.expect(not problem and other.read_text() == "precious", "wrong", f"a lock file with two names: {problem}, {other.read_text()!r}")
    os.unlink(scene.lock)


def children(ctx, t, scene):
    """A command under `run` inherits neither lock nor database, and writers go on while it runs."""
    mark = scene.directory / "fds"
    script = f"ls -l /proc/self/fd > {mark}.new; mv {mark}.new {mark}; sleep 600 & sleep 600"
    plan = f"stages: [{{id: held, args: {{command: {script!r}}}}}]"
    ctx.must("-s", scene.store, "nodes", "write", "-", stdin=plan.encode())
    runner = ctx.start("-s", scene.store, "run", stdout=-3, stderr=-3)
    with killing(runner):
        deadline = time.monotonic() + 10 * ctx.slow
        while not mark.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        seen = mark.read_text() if mark.exists() else "nothing"
        t.expect("s.db" not in seen, "wrong", f"a command inherits files of the store: {seen}")
        code, err = finish(scene.write(timeout="1s"), 10)
        t.expect(code == 0, "wrong", f"a writer waits while a command runs: exit {code}: {err}")
        # A runner that is killed leaves its commands' processes; none of them may keep the lock.
        runner.kill()
        begun = time.monotonic()
        code, err = finish(scene.write(timeout="5s"), 10)
        t.expect(code == 0 and time.monotonic() - begun < GRACE * ctx.slow, "late", f"after a killed run: exit {code}, {time.monotonic() - begun:.2f} s: {err}")
        ctx.run("-s", scene.store, "plan", "tick", timeout=10)
        t.count("forked children")


def run(ctx, t):
    t.slowest = 0.0
    t.zero("waits", "timeouts", "stale locks", "forked children", "late", "wrong")
    with ctx.directory(fast=False) as directory:
        scene = Scene(ctx, directory)
        deaths(ctx, t, scene)
        stale(ctx, t, scene)
        queue(ctx, t, scene)
        secrets(ctx, t, scene)
        children(ctx, t, scene)
        check = ctx.run("-s", scene.store, "store", "check", timeout=60)
        t.expect(check.code == 0, "wrong", f"store check: {check.said}{check.text}")


def control(ctx):
    """A lock that its holder's child inherited does outlive the holder: the waiter is late, and that is seen."""
    with ctx.directory(fast=False) as directory:
        scene = Scene(ctx, directory)
        holder, child = python_holder(scene, child=True)
        timer = subprocess.Popen(["sh", "-c", f"sleep {1.6 * ctx.slow}; kill {child}"])
        tally = trust.Quiet("lock")
        tally.slowest = 0.0
        goes_on(ctx, tally, scene, holder, lambda: None, "control", 0.1)
        timer.wait()
        return tally.counts.get("late") == 1
