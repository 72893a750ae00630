# SPDX-License-Identifier: Apache-2.0
"""Places that cannot be written: the right exit status, one line that says why and what to do, the store as it
was, and nothing left behind that would be in the way later."""
import os
import pathlib
import resource
import shutil
import subprocess
import sys

import trust

KIB = 1024


class Store:
    """A store with a plan, and what it says."""

    def __init__(self, ctx, path):
        self.ctx, self.path = ctx, str(path)

    def create(self):
        trust.sample_store(self.ctx, self.path)
        return self

    def content(self):
        return self.ctx.must("-s", self.path, "-p", "main", "plan", "export").out

    def args(self, *command):
        return ("-s", self.path, *(("-p", "main") if command[0] not in ("plan", "store") else ()), *command)


def big_plan(nodes=1200):
    return ("checks:\n" + "".join(f"  - {{id: big{i}, options: {{x: {'y' * 300}}}}}\n" for i in range(nodes))).encode()


def refuse(t, store, what, command, code, cause, stdin=b"", content=None, **how):
    """A command that must fail and change nothing."""
    result = store.ctx.run(*store.args(*command), stdin=stdin, **how)
    t.count("refusals")
    problem = trust.bad_error(result, code, cause)
    kind = "without remedy" if problem and problem.startswith(trust.NO_REMEDY) else "wrong"
    t.expect(not problem, kind, f"{what}: {' '.join(command[:3])}: {problem}")
    if content is not None:
        unharmed(t, store, what, content)
    return result


def unharmed(t, store, what, content):
    now = store.ctx.run(*store.args("store", "check"), timeout=20)
    t.expect(now.code == 0, "harmed", f"{what}: store check afterwards: exit {now.code}: {now.said}{now.text}")
    same = store.ctx.run("-s", store.path, "-p", "main", "plan", "export")
    t.expect(same.code == 0 and same.out == content, "harmed", f"{what}: the store says something else afterwards: {same.said}")


def mount(place, options):
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], capture_output=True)
    if done.returncode:
        raise RuntimeError(f"cannot mount: {done.stderr.decode().strip()}")
    return place


def fill(place, keep):
    """Leaves `keep` bytes of a file system."""
    info = os.statvfs(place)
    left = info.f_bavail * info.f_frsize - keep
    with open(place / "filler", "wb") as file:
        file.write(bytes(max(left, 0)))


def full_disk(ctx, t, directory):
    place = mount(directory / "full", "size=1536k")
    store = Store(ctx, place / "s.db").create()
    content = store.content()
    plan = big_plan()
    failed = 0
    for pages in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89][:: ctx.scale(3, 1)] + (list(range(4, 90, 3)) if ctx.long else []):
        fill(place, pages * 4 * KIB)
        for what, command, stdin in (("a big write", ("nodes", "write", "-"), plan), ("a backup", ("store", "backup", str(place / "copy.db")), b"")):
            result = ctx.run(*store.args(*command), stdin=stdin, timeout=20)
            t.count("refusals")
            failed += result.code == 9
            problem = trust.bad_error(result, 9, r"full|space")
            t.expect(result.code == 0 and command[0] == "store" or not problem, "wrong", f"{pages} pages free: {what}: {problem}")
            unharmed(t, store, f"{pages} pages free, {what}", content)
            if result.code:
                t.expect(not (place / "copy.db").exists(), "harmed", f"{pages} pages free: half a backup is left")
            (place / "copy.db").unlink(missing_ok=True)
        fresh = Store(ctx, place / "fresh.db")
        result = ctx.run(*fresh.args("plan", "create", "main"))
        problem = trust.bad_error(result, 9, r"full|space")
        t.expect(result.code == 0 or not problem, "wrong", f"{pages} pages free: plan create: {problem}")
        (place / "filler").unlink()
        if result.code:
            again = ctx.run(*fresh.args("plan", "create", "main"))
            t.expect(again.code == 0, "harmed", f"{pages} pages free: plan create cannot be repeated when there is room: {again.said}")
        for left in place.glob("fresh.db*"):
            left.unlink()
    t.expect(failed > 0, "wrong", "the disk was never full")
    t.expect(ctx.run(*store.args("nodes", "write", "-"), stdin=b"checks: [{id: later}]").code == 0, "harmed", "the store cannot be written when there is room again")


def full_disk_under_run(ctx, t, directory):
    """A full disk under `run`: its log and its records cannot be written; it says so and ends."""
    place = mount(directory / "full-run", "size=1m")
    store = Store(ctx, place / "s.db")
    ctx.must("-s", store.path, "plan", "create", "main", "-f", "-", stdin=b"stages: [{id: s, args: {command: 'echo x; yes | head -c 3000000'}}]")
    result = ctx.run(*store.args("run"), timeout=20)
    t.count("refusals")
    t.expect(not result.crash() and result.code in (0, 1, 9), "wrong", f"run on a disk that fills up: {result.crash() or result.said}")
    check = ctx.run(*store.args("store", "check"))
    t.expect(check.code == 0, "harmed", f"run on a disk that fills up: {check.said}{check.text}")


def read_only_mount(ctx, t, directory):
    place = mount(directory / "ro", "size=4m")
    store = Store(ctx, place / "s.db").create()
    content = store.content()
    subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
    for command in (("nodes", "write", "-"), ("plan", "tick", "main"), ("attempt", "claim"), ("check", "report", "docs", "--pass"), ("run",), ("plan", "delete", "main")):
        refuse(t, store, "a read-only mount", command, 9, r"read-only", b"checks: [{id: x}]", content)
    refuse(t, Store(ctx, place / "new.db"), "a read-only mount", ("plan", "create"), 9, r"read-only")
    refuse(t, store, "a read-only mount", ("store", "backup", str(place / "copy.db")), 9, r"read-only", content=content)
    for command in (("nodes", "query"), ("plan", "list"), ("log",), ("gate",), ("graph", "show")):
        result = ctx.run(*store.args(*command))
        t.expect(result.code in (0, 1), "wrong", f"a read-only mount cannot be read: {command}: {result.said}")


def permissions(ctx, t, directory):
    """As somebody who may not; the superuser becomes nobody."""
    root = os.getuid() == 0
    if root and not shutil.which("setpriv"):
        raise trust.Missing("no setpriv to become nobody with")
    as_nobody = {"prefix": ("setpriv", f"--reuid={trust.NOBODY}", f"--regid={trust.NOBODY}", "--clear-groups")} if root else {}
    os.chmod(directory, 0o755)
    ctx = ctx.with_copy(directory / "turboci")  # where nobody can run it
    place = directory / "place"
    place.mkdir()
    store = Store(ctx, place / "s.db").create()
    content = store.content()
    writes = (("nodes", "write", "-"), ("plan", "tick", "main"), ("check", "report", "docs", "--pass"))

    def own(path, mode):
        if root:
            os.chown(path, trust.NOBODY, trust.NOBODY)
        os.chmod(path, mode)

    for path in [*place.iterdir(), place]:
        own(path, 0o700 if path == place else 0o600)
    for without_lock in (False, True):
        own(place, 0o500)
        for command in writes if without_lock else ():  # with a lock file and a journal there is nothing to create
            refuse(t, store, "a read-only directory", command, 9, r"permission|denied|cannot be written|not writable", b"checks: [{id: x}]", **as_nobody)
        result = ctx.run(*store.args("nodes", "query"), **as_nobody)
        t.expect(result.code == 0, "wrong", f"a read-only directory cannot be read: {result.said}")
        refuse(t, Store(ctx, place / "new.db"), "a read-only directory", ("plan", "create"), 9, r"permission|denied", **as_nobody)
        own(place, 0o700)
        (place / "s.db.lock").unlink(missing_ok=True)
        (place / "s.db-journal").unlink(missing_ok=True)
    own(place / "s.db", 0o400)
    for command in writes:
        refuse(t, store, "a read-only file", command, 9, r"permission|denied|read-only|cannot be written", b"checks: [{id: x}]", **as_nobody)
    own(place / "s.db", 0o000)
    for command in (*writes, ("nodes", "query"), ("plan", "list"), ("store", "check")):
        refuse(t, store, "a file of others", command, 9, r"permission|denied", b"checks: [{id: x}]", **as_nobody)
    own(place / "s.db", 0o600)
    own(place, 0o000)
    for command in (("nodes", "write", "-"), ("nodes", "query"), ("plan", "create")):
        refuse(t, store, "a directory of others", command, 9, r"permission|denied", b"checks: [{id: x}]", **as_nobody)
    own(place, 0o700)
    for left in place.glob("s.db?*"):
        left.unlink()
    if root:
        os.chown(place / "s.db", 0, 0)
    unharmed(t, store, "permissions", content)


def file_size_limit(ctx, t, directory):
    store = Store(ctx, directory / "s.db").create()
    content = store.content()
    size = os.path.getsize(store.path)
    for limit in [0, 1, 512, 4096, size // 2, size - 1, size, size + 1, size + 4096, size + 65536] + (list(range(8192, size * 2, 8192)) if ctx.long else []):
        def lower(limit=limit):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        # stdout and stderr are pipes: a file would meet the limit too.
        child = subprocess.Popen([ctx.turboci, *store.args("nodes", "write", "-")], stdin=-1, stdout=-1, stderr=-1, env=ctx.environment(), preexec_fn=lower)
        try:
            out, err = child.communicate(big_plan(), timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            t.fail("wrong", f"a limit of {limit} bytes: hangs")
        code = child.returncode if child.returncode >= 0 else 128 - child.returncode
        t.count("refusals")
        problem = trust.bad_error(trust.Result(code, out, err, 0, 0), 9, r"limit|too large|size")
        t.expect(not problem, "wrong", f"a limit of {limit} bytes: {problem}")
        unharmed(t, store, f"a limit of {limit} bytes", content)


def outputs(ctx, t, directory):
    """stdout closed, full, or read by nobody: what was asked for is done, and exit status 10 says the rest."""
    store = Store(ctx, directory / "o.db").create()
    shell = {"closed": 'exec "$@" >&-', "full": 'exec "$@" >/dev/full'}
    reads = (("nodes", "query"), ("nodes", "query", "-o", "json"), ("plan", "list"), ("log",), ("graph", "show"), ("plan", "export", "-p", "main"), ("plan", "show", "main", "--format", "junit"),
             ("nodes", "explain", "check:release"), ("schema",), ("--help",), ("--version",), ("store", "check"), ("plan", "show", "main", "-o", "yaml"))
    for how, script in shell.items():
        prefix = {"prefix": ("sh", "-c", script, "sh")}
        content = store.content()
        for command in reads:
            refuse(t, store, f"stdout {how}", command, 10, r"output|stdout", content=content, **prefix)
        for i, (command, stdin) in enumerate(((("nodes", "write", "-", "-o", "json"), b"checks: [{id: %s%d}]"), (("check", "report", "build", "--pass", "--data", '{"n": %d}', "-o", "json"), b""),
                                              (("plan", "create", "%s-%d"), b""))):
            fill_in = [part % (how, i) if part == "%s-%d" else part % (len(how)) if "%d" in part else part for part in command]
            before = ctx.must("-s", store.path, "-p", "main", "plan", "show", "-o", "json").json()["plan"]["version"]
            refuse(t, store, f"stdout {how}", fill_in, 10, r"output|stdout", stdin % (how.encode(), i) if stdin else b"", **prefix)
            after = ctx.must("-s", store.path, "-p", "main", "plan", "show", "-o", "json").json()["plan"]["version"]
            done = after == before + 1 if command[0] != "plan" else f'"{how}-{i}"' in ctx.must("-s", store.path, "plan", "list", "-o", "json").text
            t.expect(done, "harmed", f"stdout {how}: exit 10, and {fill_in} was not done")
    # An error stays the error it is, whatever becomes of the words.
    for script in ('exec "$@" 2>&-', 'exec "$@" 2>/dev/full', 'exec "$@" >&- 2>&-', 'exec "$@" <&- >&- 2>&-', 'exec "$@" >/dev/full 2>/dev/full'):
        for command, code in ((("nodes", "query", "nobody"), 4), (("nodes", "qeury"), 2)):
            result = ctx.run(*store.args(*command), prefix=("sh", "-c", script, "sh"))
            t.count("refusals")
            t.expect(result.code == code, "wrong", f"{script}: {command}: exit {result.code}, not {code}")
    closed = ctx.run(*store.args("nodes", "write", "-"), prefix=("sh", "-c", 'exec "$@" <&-', "sh"))
    t.expect(not closed.crash() and closed.code in (0, 2, 3, 9), "wrong", f"stdin closed: {closed.crash() or closed.said}")
    # Who reads a line and goes is no misfortune, but no success either.
    broken = ctx.run(*store.args("log", "-o", "jsonl"), prefix=("bash", "-c", 'set -o pipefail; "$@" | true', "bash"))
    t.expect(broken.code in (0, 10, 128 + 13), "wrong", f"a reader that goes: exit {broken.code}: {broken.said}")


def mounts(ctx, t):
    with ctx.directory(fast=False) as directory:
        for part in (full_disk, full_disk_under_run, read_only_mount):
            try:
                part(ctx, t, directory)
            finally:
                subprocess.run(["umount", "-l", *map(str, directory.iterdir())], capture_output=True)


def run(ctx, t):
    t.zero("refusals", "wrong", "without remedy", "harmed")
    with ctx.directory(fast=False) as directory:
        permissions(ctx, t, directory)
    with ctx.directory() as directory:
        file_size_limit(ctx, t, directory)
        outputs(ctx, t, directory)
    # Mounts in a namespace of their own, in this script again.
    command = ["unshare", "--mount", *(() if os.getuid() == 0 else ("--map-root-user",)), sys.executable, "-B", __file__, ctx.turboci, *map(str, (int(ctx.long), int(ctx.sanitized), ctx.seed))]
    if not shutil.which("unshare") or subprocess.run([*command[:2 if os.getuid() == 0 else 3], "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode:
        if ctx.long:
            raise trust.Missing("no file system can be mounted here")
        print("disk: no file system can be mounted here: full and read-only ones are not looked at")
        return
    done = subprocess.run(command, stdout=-1, text=True)
    counts = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    for what, n in counts.items():
        t.count(what, int(n))
    t.failures += sum(int(counts.get(kind, 0)) for kind in ("wrong", "without remedy", "harmed"))
    t.expect(done.returncode == 0, "wrong", f"the mounts: exit {done.returncode}")


def control(ctx):
    """Programs that report success, or fail and write all the same, or say too little."""
    caught = []
    for body, kind in (('"$REAL" "$@" || exit 0', "wrong"), ('"$REAL" -s "$2" -p main nodes write - >/dev/null; echo "turboci: error: disk full; make room" >&2; exit 9', "harmed"),
                       ("echo 'No space left on device' >&2; exit 9", "wrong")):
        with ctx.directory() as directory:
            store = Store(ctx, directory / "s.db").create()
            content = store.content()
            bad = Store(ctx.with_program(trust.stand_in(directory, "bad", f"REAL={ctx.turboci}\n{body}")), store.path)
            tally = trust.Quiet("disk")
            result = bad.ctx.run(*bad.args("nodes", "write", "-"), stdin=b"checks: [{id: x}]" if kind == "harmed" else b",")
            if trust.bad_error(result, 9, "full|space"):
                tally.fail("wrong", "")
            unharmed(tally, store, "control", content)
            caught.append(set(tally.counts) == {kind})
    return all(caught)


if __name__ == "__main__":
    import argparse
    options = argparse.Namespace(turboci=sys.argv[1], shared_turboci=None, clock_shift=None, hostile_child=None, long=sys.argv[2] == "1", sanitized=sys.argv[3] == "1", seed=int(sys.argv[4]))
    tally = trust.Tally("disk", 25)
    mounts(trust.Context(options), tally)
    for name, n in tally.counts.items():
        print(name, n)
