# SPDX-License-Identifier: Apache-2.0
"""Malformed plan files: refused within a second and 128 MB with positions, or taken where they are still plan
files; the store keeps its bytes."""
import os
import re

import mutate
import trust

SECONDS = 1.0
BYTES = 128 << 20
ADVICE = ("s.db.lock", "s.db-journal")  # who wrote last, and an empty journal
POSITION = re.compile(r"(.*):(\d+):(\d+): (.+)")


def bad_report(said, path, data):
    """What is wrong with the lines of a refusal: each must be FILE:LINE:COL: WHAT, within the file."""
    lines = said.split("\n")
    if lines[-1] != "" or len(lines) < 2:
        return f"no whole line on stderr: {said[:200]!r}"
    text = data.replace(b"\0", b"") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data
    last = len(re.findall(rb"\r\n|\r|\n|\xc2\x85|\xe2\x80[\xa8\xa9]", text)) + 2  # libyaml sees a line after the end
    for line in lines[:-1]:
        if re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line):
            return f"a raw control character: {line[:200]!r}"
        if re.match(r"(turboci: )?(warning|note|… |and \d+ more|\d+ more)", line) or line.startswith("turboci: error: "):
            continue
        match = POSITION.fullmatch(line)
        if not match or match[1] != path:
            return f"no position: {line[:200]!r}"
        if not 1 <= int(match[2]) <= last or int(match[3]) < 1:
            return f"a position outside the file of {last} lines: {line[:200]!r}"
    if not any(POSITION.fullmatch(line) for line in lines):
        return f"no position at all: {said[:200]!r}"
    return None


def examine(ctx, t, store, before, path, data, what, must_fail):
    with open(path, "wb") as file:
        file.write(data)
    offline = ctx.run("validate", path, timeout=5)
    commands = [("validate", offline)]
    # What is a plan file is not really written, so that every case has the same store.
    flags = () if offline.code == 3 else ("--dry-run",)
    commands.append(("nodes write", ctx.run("-s", store, "nodes", "write", *flags, path, timeout=5)))
    for name, result in commands:
        def fail(kind, message):
            kept = os.path.join(os.environ.get("TURBOCI_TRUST_KEEP", "/nonexistent"), f"{t.counts['inputs']}-{kind}.yaml".replace(" ", "-"))
            if os.path.isdir(os.path.dirname(kept)):
                with open(kept, "wb") as file:
                    file.write(data)
            t.fail(kind, f"{what}: {name}: {message}; the input: {data[:120]!r} ({len(data)} bytes)")

        problem = result.crash()
        if problem:
            fail("hangs" if result.hung else "crashes", problem)
            continue
        if not ctx.sanitized and result.seconds > SECONDS:
            fail("slow", f"{result.seconds:.2f} s")
        if not ctx.sanitized and result.peak > BYTES:
            fail("fat", f"{result.peak >> 20} MB")
        t.slowest = max(t.slowest, result.seconds)
        t.fattest = max(t.fattest, result.peak)
        if result.code == 3:
            report = bad_report(result.said, path, data)
            if report:
                fail("without position", report)
        elif result.code not in ((0,) if name == "validate" else (0, 5, 6)):
            fail("wrong exits", f"exit {result.code}: {result.said[:200]}")
        elif must_fail:
            fail("wrong exits", f"exit {result.code}, and it is no plan file")
    t.count("refused" if offline.code == 3 else "taken")
    if offline.code == 3 and commands[1][1].code not in (3, 5, 6):
        t.fail("wrong exits", f"{what}: validate exits 3, nodes write {commands[1][1].code}")
    if trust.snapshot(os.path.dirname(store), ADVICE) != before:
        t.fail("stores changed", what)


def seeds():
    found = [path.read_bytes() for path in sorted(trust.EXAMPLES.rglob("*.yaml"))]
    return [*found, *mutate.VALID, *mutate.VALID]


def run(ctx, t):
    t.slowest, t.fattest = 0.0, 0
    t.zero("inputs", "refused", "taken", "crashes", "hangs", "slow", "fat", "wrong exits", "without position", "stores changed")
    with ctx.directory() as directory:
        (directory / "store").mkdir()
        store = str(directory / "store" / "s.db")
        ctx.must("-s", store, "plan", "create", "main")
        before = trust.snapshot(directory / "store", ADVICE)
        path = str(directory / "input.yaml")

        def look(data, what, must_fail):
            t.count("inputs")
            examine(ctx, t, store, before, path, data, what, must_fail)

        for what, data in mutate.corpus().items():
            look(data, what, what not in mutate.HARMLESS)
        rng, files = ctx.random("malformed"), seeds()
        for i in range(ctx.scale(600, 10000) - t.counts["inputs"]):
            look(mutate.mutation(rng, files), f"mutation {i}", False)


def control(ctx):
    """Readers that take everything, give no position, need too much, crash, or write first."""
    bad = {
        "wrong exits": "exit 0",
        "without position": "echo 'turboci: error: bad file; mend it' >&2; exit 3",
        "crashes": "kill -ABRT $$",
        "slow": "sleep 1.2; echo \"$(eval echo \\$$#):1:1: bad\" >&2; exit 3",
        "fat": "exec python3 -c 'import sys; x = bytearray(200 << 20); print(sys.argv[-1] + \":1:1: bad\", file=sys.stderr); sys.exit(3)' \"$@\"",
        "stores changed": "for f; do case $f in *.db) echo >> \"$f\";; esac; done; echo \"$f:1:1: bad\" >&2; exit 3",
    }
    caught = []
    for kind, body in bad.items():
        with ctx.directory() as directory:
            (directory / "store").mkdir()
            store = directory / "store" / "s.db"
            ctx.must("-s", store, "plan", "create", "main")
            other = ctx.with_program(trust.stand_in(directory, "reader", body))
            tally = trust.Quiet("malformed")
            tally.slowest, tally.fattest = 0.0, 0
            tally.zero("inputs")
            examine(other, tally, str(store), trust.snapshot(directory / "store", ADVICE), str(directory / "in.yaml"), b",", "control", True)
            caught.append(kind in tally.counts or (ctx.sanitized and kind in ("slow", "fat")))
    return all(caught)
