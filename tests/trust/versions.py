# SPDX-License-Identifier: Apache-2.0
"""Store files of other versions and of other programs: an older one is upgraded whole, everything else that is
not ours is refused and keeps its bytes and its times.

`versions.py dump STORE` prints a store as the SQL of a fixture."""
import os
import pathlib
import re
import sqlite3
import sys

import trust

FIXTURES = trust.HERE / "fixtures"
NEWEST = 4
APPLICATION_ID = 0x54434970
WRITES = (("plan", "create", "fresh"), ("nodes", "write", "-"), ("plan", "tick", "main"), ("plan", "delete", "main"), ("check", "report", "docs", "--pass"))
READS = (("plan", "list"), ("nodes", "query"), ("log",), ("plan", "export"), ("store", "check"), ("store", "backup", "copy.db"), ("wait", "--timeout", "0s"), ("run", "-n"))


def dump(path):
    """The store as SQL; the two numbers that iterdump() leaves out come first."""
    db = sqlite3.connect(path)
    numbers = [f"PRAGMA {name} = {db.execute(f'PRAGMA {name}').fetchone()[0]};" for name in ("page_size", "application_id", "user_version")]
    return "\n".join(["-- SPDX-License-Identifier: Apache-2.0", *numbers, *db.iterdump()]) + "\n"


def load(sql, path):
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(sql)
    db.close()
    os.chmod(path, 0o600)


def sql(path, text):
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(text)
    db.close()


def refused(ctx, t, path, what, cause, commands=WRITES + READS):
    """Each command must refuse the file and leave it, and the directory, untouched."""
    directory = pathlib.Path(path).parent
    os.utime(path, ns=(10**18, 10**18), follow_symlinks=False)
    before = trust.snapshot(directory)
    for command in commands:
        result = ctx.run("-s", path, *(() if command[0] in ("plan", "store") else ("-p", "main")), *command, cwd=directory, stdin=b"checks: [{id: new}]")
        t.count("refusals")
        problem = trust.bad_error(result, 9, cause)
        t.expect(not problem, "not refused", f"{what}: {' '.join(command)}: {problem}")
        after = trust.snapshot(directory)
        if after != before:
            changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            t.fail("touched", f"{what}: {' '.join(command)}: {changed}")
            before = after


def without_identities(text):
    """What is random, and made when a store is upgraded or a plan of format 1 imported."""
    return re.sub(rb'"(identity|holder)":"[0-9a-f]{32}"', rb'"\1":"random"', text)


def old_export(ctx, t):
    """An export of format 1 is read as the store that it was made of is upgraded."""
    expected = without_identities((FIXTURES / "v2.jsonl").read_bytes())
    with ctx.directory() as directory:
        path = directory / "s.db"
        ctx.run("-s", path, "plan", "create", "other")
        t.count("fixtures")
        read = ctx.run("-s", path, "plan", "import", FIXTURES / "format1.jsonl")
        t.expect(read.code == 0, "not read", f"an export of format 1 is not read: {read.said}")
        export = ctx.run("-s", path, "-p", "main", "plan", "export")
        t.expect(without_identities(export.out) == expected, "not read", f"an export of format 1 reads differently: {export.said}")
        check = ctx.run("-s", path, "store", "check")
        t.expect(check.code == 0, "not read", f"an export of format 1: store check: {check.said}{check.text}")


def upgraded(ctx, t, version):
    """A fixture says the same as its export, before and after a write, and is then of the newest version."""
    text = (FIXTURES / f"v{version}.sql").read_text()
    expected = (FIXTURES / f"v{version}.jsonl").read_bytes()
    with ctx.directory() as directory:
        path = directory / "s.db"
        load(text, path)
        t.count("fixtures")
        export = ctx.run("-s", path, "-p", "main", "plan", "export")
        t.expect(export.code == 0 and without_identities(export.out) == without_identities(expected), "not read", f"version {version} reads differently: {export.said}")
        check = ctx.run("-s", path, "store", "check")
        t.expect(check.code == 0, "not read", f"version {version}: store check: {check.said}{check.text}")
        write = ctx.run("-s", path, "-p", "main", "nodes", "write", "-", stdin=b"checks: [{id: new}]")
        t.expect(write.code == 0, "not read", f"version {version} cannot be written: {write.said}")
        db = sqlite3.connect(path)
        found = db.execute("PRAGMA user_version").fetchone()[0]
        t.expect(found == NEWEST, "not read", f"version {version} is {found} after a write")


def foreign_files(directory):
    """{what: (how to make it at a path, what the refusal must say)}"""
    base = directory / "base.db"
    data = base.read_bytes()

    def copy(text=None):
        def make(path):
            path.write_bytes(data)
            path.chmod(0o600)
            if text:
                sql(path, text)
        return make

    def wal(path):
        copy("PRAGMA journal_mode = WAL; CREATE TABLE x(y); DROP TABLE x;")(path)

    def header(at, value):
        return lambda path: path.write_bytes(data[:at] + value + data[at + len(value):])

    ours = r"not a turboci store|not turboci's|damaged|not as turboci made it|missing|empty|not in UTF-8"
    cases = {
        "user_version 0": (copy("PRAGMA user_version = 0"), r"schema|turboci store|version"),
        f"user_version {NEWEST + 1}": (copy(f"PRAGMA user_version = {NEWEST + 1}"), r"newer"),
        "user_version 2147483647": (copy("PRAGMA user_version = 2147483647"), r"newer"),
        "user_version -1": (copy("PRAGMA user_version = -1"), r"schema|turboci store|version|newer"),
        "another application": (copy("PRAGMA application_id = 77"), r"not a turboci store"),
        "no application": (copy("PRAGMA application_id = 0"), r"not a turboci store"),
        "a database of others": (lambda path: sql(path, "CREATE TABLE plans(id); INSERT INTO plans VALUES(1)"), r"not a turboci store"),
        "a database with our number": (lambda path: sql(path, f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1; CREATE TABLE x(y)"), ours),
        "a table too many": (copy("CREATE TABLE evil(x)"), r"not turboci's"),
        "a WAL-mode file": (wal, r"WAL|journal|turboci store"),
        "an empty file": (lambda path: path.write_bytes(b""), r"empty"),
        "one byte": (lambda path: path.write_bytes(b"S"), ours),
        "a text": (lambda path: path.write_bytes(b"dear reader\n" * 500), ours),
        "zeros": (lambda path: path.write_bytes(bytes(8192)), ours),
        "a header alone": (lambda path: path.write_bytes(data[:100]), ours),
        "half a store": (lambda path: path.write_bytes(data[: len(data) // 2]), ours),
        "a page size of 1": (header(16, b"\x00\x03"), ours),
        "UTF-16": (lambda path: sql(path, f"PRAGMA encoding = 'UTF-16le'; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1; CREATE TABLE x(y)"), ours),
        "a future file format": (header(18, b"\x03\x03"), "WAL|newer|version"),
    }
    return cases


def odd_places(ctx, t, directory):
    """What is not a regular file with one link."""
    base = directory / "base.db"
    place = directory / "odd"
    kinds = {"a directory": lambda p: p.mkdir(), "a pipe": lambda p: os.mkfifo(p), "a symbolic link": lambda p: p.symlink_to(base),
             "a link to nothing": lambda p: p.symlink_to(directory / "nothing"), "a second link": lambda p: os.link(base, p),
             "a link to a device": lambda p: p.symlink_to("/dev/zero")}
    for what, make in kinds.items():
        place.mkdir()
        path = place / "s.db"
        make(path)
        refused(ctx, t, str(path), what, r"regular file|symbolic link|link|directory", (*WRITES[:2], *READS[:2]))
        path.rmdir() if what == "a directory" else path.unlink()
        for left in place.iterdir():
            left.unlink()
        place.rmdir()


def run(ctx, t):
    t.zero("fixtures", "refusals", "not read", "not refused", "touched")
    versions = sorted(int(re.fullmatch(r"v(\d+)\.sql", p.name)[1]) for p in FIXTURES.glob("v*.sql"))
    t.expect(versions == list(range(1, NEWEST + 1)), "not read", f"there are fixtures of versions {versions}, and {NEWEST} is the newest")
    for version in versions:
        upgraded(ctx, t, version)
    old_export(ctx, t)
    with ctx.directory() as directory:
        trust.sample_store(ctx, directory / "base.db")
        for what, (make, cause) in foreign_files(directory).items():
            place = directory / "place"
            place.mkdir()
            path = place / "s.db"
            make(path)
            refused(ctx, t, str(path), what, cause, WRITES + READS if ctx.long or "version" in what else (*WRITES[:3], *READS[:2]))
            for left in place.iterdir():
                left.unlink()
            place.rmdir()
        odd_places(ctx, t, directory)
        db = sqlite3.connect(directory / "base.db")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        t.expect(found == NEWEST, "not read", f"the program writes version {found}: a fixture and NEWEST must follow")


def control(ctx):
    """A program that upgrades what it should refuse, and one that only touches it."""
    caught = []
    for body, kind in (("exit 0", "not refused"), ("touch \"$2\"; echo 'turboci: error: it is newer; upgrade' >&2; exit 9", "touched"),
                       (": > \"$2-journal\"; echo 'turboci: error: it is newer; upgrade' >&2; exit 9", "touched")):
        with ctx.directory() as directory:
            other = ctx.with_program(trust.stand_in(directory, "other", body))
            (directory / "place").mkdir()
            path = directory / "place" / "s.db"
            load((FIXTURES / "v1.sql").read_text(), path)
            sql(path, "PRAGMA user_version = 99")
            tally = trust.Quiet("versions")
            refused(other, tally, str(path), "control", "newer", READS[:1])
            caught.append(set(tally.counts) - {"refusals"} == {kind})
    return all(caught)


if __name__ == "__main__" and sys.argv[1:2] == ["dump"]:
    sys.stdout.write(dump(sys.argv[2]))
