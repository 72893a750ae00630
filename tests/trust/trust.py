# SPDX-License-Identifier: Apache-2.0
"""What the trust tests share: running the program and watching it, stores, verdicts, controls.

A test is a module with `run(ctx, t)` and `control(ctx)`. run() looks at the program and tells the Tally what it
saw. control() does the same with something deliberately broken and returns whether the harness noticed.
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples"
INHERITED = ("PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
NOBODY = 65534


class Missing(Exception):
    """A facility of the machine that a case needs and does not have."""


@dataclasses.dataclass
class Result:
    code: int  # as a shell tells it; 128 + n if ended by signal n
    out: bytes
    err: bytes
    seconds: float
    peak: int  # bytes of resident memory; never below what this interpreter has, as the kernel counts
    hung: bool = False

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def said(self):
        return self.err.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def crash(self):
        """What no input may cause, in words; None if it did not happen."""
        if self.hung:
            return f"hung for {self.seconds:.1f} s"
        if self.code > 128 and self.code != 128 + signal.SIGPIPE:
            return f"ended by signal {self.code - 128}"
        if self.code == 70:
            return f"INTERNAL: {self.said.strip()[:300]}"
        if b"ERROR: AddressSanitizer" in self.err or b"runtime error:" in self.err or b"LeakSanitizer" in self.err:
            return f"sanitizer: {self.said.strip()[:600]}"
        return None


class Tally:
    """Counts what was seen. A failure is printed once with what is needed to see it again."""

    def __init__(self, name, printed=0):
        self.name = name
        self.printed = printed
        self.counts = {}
        self.failures = 0

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def fail(self, kind, message):
        """`kind` is a counter too, shown in the last line."""
        self.failures += 1
        self.count(kind)
        if self.failures <= self.printed:
            print(f"{self.name}: {kind}: {message}", file=sys.stderr)
        elif self.failures == self.printed + 1 and self.printed:
            print(f"{self.name}: … more of it is only counted", file=sys.stderr)

    def expect(self, holds, kind, message):
        if not holds:
            self.fail(kind, message() if callable(message) else message)
        return bool(holds)

    def zero(self, *kinds):
        """Makes counters appear in the last line when they stay at 0."""
        for kind in kinds:
            self.counts.setdefault(kind, 0)

    def line(self):
        return ", ".join(f"{n:,} {what}" for what, n in self.counts.items())


class Quiet(Tally):
    """The tally of a control: failures are what is hoped for."""

    def fail(self, kind, message):
        self.failures += 1
        self.count(kind)


class Context:
    """Where and how a test runs."""

    def __init__(self, options):
        self.turboci = os.path.realpath(options.turboci)
        self.shared = os.path.realpath(options.shared_turboci) if options.shared_turboci else None
        self.clock_shift = os.path.realpath(options.clock_shift) if options.clock_shift else None
        self.hostile_child = os.path.realpath(options.hostile_child) if options.hostile_child else None
        self.long = options.long
        self.sanitized = options.sanitized
        self.seed = options.seed
        self.slow = 3 if options.sanitized else 1
        self.work = None

    def scale(self, short, long):
        n = long if self.long else short
        return max(1, n // 4) if self.sanitized and not self.long else n

    def random(self, *salt):
        return random.Random(f"{self.seed}/{salt}")

    def with_program(self, path):
        """The same with a stand-in for the program."""
        other = object.__new__(Context)
        other.__dict__.update(self.__dict__)
        other.turboci = str(path)
        return other

    def with_copy(self, path):
        """The same with a copy of the program. Made by a process of its own: here another thread's child might have
        the file open for writing while it is executed."""
        subprocess.run(["cp", self.turboci, path], check=True)
        return self.with_program(path)

    @contextlib.contextmanager
    def directory(self, fast=True):
        """A fresh one; `fast` is in memory where there is such a place."""
        base = "/dev/shm" if fast and os.access("/dev/shm", os.W_OK) else None
        path = tempfile.mkdtemp(prefix="turboci-trust.", dir=base)
        try:
            yield pathlib.Path(path)
        finally:
            for root, _, _ in os.walk(path):
                with contextlib.suppress(OSError):
                    os.chmod(root, 0o700)
            shutil.rmtree(path, ignore_errors=True)

    def environment(self, **more):
        env = {k: os.environ[k] for k in INHERITED if k in os.environ}
        env.update(LC_ALL="C.UTF-8", USER="tester")
        if self.sanitized:
            env.setdefault("ASAN_OPTIONS", "detect_leaks=0:allocator_may_return_null=1")
        env.update(more)
        return env

    def start(self, *args, cwd=None, env=None, prefix=(), **popen):
        return subprocess.Popen([*prefix, self.turboci, *map(str, args)], cwd=cwd, env=env or self.environment(), **popen)

    def run(self, *args, cwd=None, env=None, timeout=5.0, stdin=b"", stdout=None, prefix=(), **popen):
        """The program with `args`, until it ends or `timeout` seconds (times three for a slow build) are over."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as source:
            if stdin:
                source.write(stdin)
                source.seek(0)
            begun = time.monotonic()
            child = self.start(*args, cwd=cwd, env=env, prefix=prefix, stdin=source,
                               stdout=out if stdout is None else stdout, stderr=err, **popen)
            hung, code, usage = reap(child, timeout * self.slow)
            seconds = time.monotonic() - begun
            out.seek(0)
            err.seek(0)
            return Result(code, out.read(), err.read(), seconds, usage.ru_maxrss * 1024, hung)

    def must(self, *args, **kwargs):
        """run() for what a test needs rather than looks at."""
        result = self.run(*args, **{"timeout": 60, **kwargs})
        if result.code != 0:
            raise RuntimeError(f"turboci {' '.join(map(str, args))}: exit {result.code}: {result.said}")
        return result


def reap(child, timeout):
    """Waits for a child, kills it after `timeout`. Returns (was it killed, its exit status, its rusage)."""
    hung = False
    fd = os.pidfd_open(child.pid)
    try:
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        if not poller.poll(timeout * 1000):
            hung = True
            child.kill()
    finally:
        os.close(fd)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return hung, child.returncode if child.returncode >= 0 else 128 - child.returncode, usage


NO_REMEDY = "no word on what to do"
ERROR_LINE = re.compile(r"turboci: error: .+; .+\n")


def is_error(text):
    """Does it begin with an error, in one of the two forms?"""
    if not text.startswith("{"):
        return ERROR_LINE.match(text) is not None
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return False
    return set(error) == {"code", "message", "details"} and "\n" not in text[:-1]


def bad_error(result, code, cause, last=False):
    """What is wrong with a refusal that must exit with `code` and say `cause` (a regular expression) and a
    remedy in one line; None if nothing is. `last`: other lines may stand before that one."""
    if result.crash():
        return result.crash()
    if result.code != code:
        return f"exit {result.code}, not {code}: {result.said.strip()[:300]}"
    said = "".join(result.said.splitlines(keepends=True)[-1:]) if last else result.said
    if said.count("\n") != 1 or not is_error(said) and not said.startswith("turboci: error: "):
        return f"not one line 'turboci: error: …': {result.said!r}"
    if not re.search(cause, said, re.I):
        return f"no {cause!r} in {said!r}"
    return None if is_error(said) and "; " in said else f"{NO_REMEDY}: {said!r}"


def snapshot(directory, but=()):
    """Everything in a directory that a change could show in: names, bytes, times, modes."""
    seen = {}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        if path.name in but:
            continue
        info = path.lstat()
        data = path.read_bytes() if stat.S_ISREG(info.st_mode) else b""
        seen[str(path.relative_to(directory))] = (info.st_mode, info.st_uid, info.st_nlink, info.st_size, info.st_mtime_ns, data)
    return seen


def stand_in(directory, name, body):
    """A broken program for controls: a shell script."""
    path = pathlib.Path(directory) / name
    path.write_text("#!/bin/sh\n" + body + "\n")
    path.chmod(0o755)
    return path


SAMPLE_PLAN = """\
plan: {team: trust}
checks:
  - {id: src, kind: source, state: FINAL, result: {data: {ref: main}}}
  - {id: build, kind: build, state: PLANNED, dependencies: [src], options: {arch: arm64}}
  - {id: unit, kind: test, state: PLANNED, dependencies: {any: [build, {node: "check:src", when: failure}]}}
  - {id: docs, state: PLANNED}
  - {id: never, state: PLANNED, dependencies: [{node: "check:src", when: failure}]}
  - {id: release, state: PLANNED, dependencies: {at_least: 2, of: [unit, docs, {all: [build, {node: "stage:compile", when: always}]}]}}
stages:
  - {id: compile, args: {command: make}, assignments: [build], retry: {max_retries: 2}, timeout: 1h, heartbeat: 10m}
  - {id: test, args: {command: [make, check]}, dependencies: ["check:build"], assignments: [unit]}
  - {id: write-docs, args: {command: make docs}, assignments: [docs]}
  - {id: lost, dependencies: ["check:never"], assignments: []}
"""


def sample_store(ctx, path):
    """A store with two plans that has something in each table."""
    s = ("-s", path)
    ctx.must(*s, "plan", "create", "main", "-f", "-", stdin=SAMPLE_PLAN.encode())
    p = (*s, "-p", "main")
    ctx.must(*p, "attempt", "claim", "compile", "--process", "w1")
    ctx.must(*p, "attempt", "progress", "compile", "halfway", "--details", '{"n": 1}')
    ctx.must(*p, "check", "report", "build", "--pass", "--data", '{"size": 12}', "--op-id", "op-1")
    ctx.must(*p, "attempt", "fail", "compile", "--message", "no space")
    ctx.must(*p, "attempt", "claim", "compile", "--process", "w2")
    ctx.must(*p, "check", "report", "build", "--fail", "warnings", "--actor", "linter")
    ctx.must(*p, "attempt", "claim", "write-docs", "--process", "w3")
    ctx.must(*p, "attempt", "complete", "write-docs")
    more = "stages:\n" + "".join(f"  - {{id: s{i}, args: {{command: 'echo {i}'}}, assignments: [docs2]}}\n" for i in range(40))
    ctx.must(*s, "plan", "create", "other", "--label", "a=b", "-f", "-", stdin=("checks: [{id: docs2}]\n" + more).encode())
