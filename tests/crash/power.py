#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the power at every change of the disk, and looks at what may be left on it.

Sessions of commands are recorded; then, for every prefix of a record, images are made of what a disk may hold if
what was not synced is lost, torn or kept in any selection (disk.py). Each distinct image is opened: the database
must be sound, and hold what it held at some moment since the last command that had answered. A sample is opened by
turboci too. Control: a writer with SQLite's default, journal_mode=DELETE and synchronous=FULL.
"""
import hashlib
import os
import random
import sqlite3
import sys

from disk import Disk, Link, identity
from harness import Harness, STORE
from recover import hot
import scenarios

PLAN, WRITE = ["plan", "create", "p", "-f", "plan.yaml"], ["nodes", "write", "-p", "p"]
EVERYDAY = [PLAN, WRITE + ["update.yaml"], ["check", "report", "-p", "p", "build", "--fail", "no compiler"],
            ["plan", "create", "q", "-f", "plan.yaml"], ["nodes", "query", "-p", "p"],
            ["attempt", "claim", "-p", "p", "compile", "--process", "me"], ["stage", "cancel", "-p", "p", "compile"],
            ["plan", "delete", "q"], ["plan", "import", "export.jsonl"], WRITE + ["next.yaml"]]


class Power:
    def __init__(self, harness):
        self.h = harness
        self.images = self.opened = self.lost = self.corrupt = self.partial = 0
        self.verdicts = {}  # identity of an image: what it holds
        self.place = harness.fresh("image")

    def record(self, session):
        """Runs the commands of session(step); the lines of the record. step(command, *tracer options) runs one."""
        h = self.h
        directory, log = h.fresh("session"), h.root / "record"
        log.unlink(missing_ok=True)
        scenarios.empty(h, directory)
        given = {*scenarios.FILES, "export.jsonl"}

        def step(command, *options, program=None):
            trace = h.trace(directory, command, "--record", log, directory, *options, program=program)
            if trace.exit is not None:
                with log.open("a") as out:
                    out.write("ack\n" if trace.exit == 0 else "")
            elif not options:
                sys.exit(f"crash: {command} died")
            return trace

        session(step, directory)
        events = log.read_text().splitlines()
        disk = Disk("strict")
        for event in events:
            disk.play(event)
        there = {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file() and p.name not in given}
        if disk.everything() != there:
            sys.exit("crash: the record does not lead to the files that are there")
        return events

    def place_image(self, image):
        for path in self.place.iterdir():
            path.unlink()
        for name, content in image.items():
            if isinstance(content, Link):
                os.link(self.place / content.of, self.place / name)
            else:
                (self.place / name).write_bytes(content)

    def holds(self):
        """A digest of the rows of the store in the place of images; "absent"; or "corrupt: why"."""
        path = self.place / STORE
        if not path.exists():
            return "absent"
        if path.stat().st_nlink > 1:
            return "corrupt: it has two names, and turboci will not open it"
        db = sqlite3.connect(path)
        try:
            found = db.execute("PRAGMA integrity_check").fetchall()
            if found != [("ok",)]:
                return f"corrupt: {found}"
            digest = hashlib.blake2b(digest_size=12)
            for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
                digest.update(repr(db.execute(f"SELECT * FROM {table}").fetchall()).encode())
            return digest.hexdigest()
        except sqlite3.Error as error:
            return f"corrupt: {error}"
        finally:
            db.close()

    def open_by_turboci(self, image, number):
        """Whether turboci makes the same of the image: it recovers, then the rows are looked at."""
        self.opened += 1
        self.place_image(image)
        command = [["plan", "list"], ["store", "check"], ["plan", "create", "new"]][number % 3]
        status, out, err = self.h.run(self.place, *command)
        if status not in ((0,) if command[1] == "create" else (0, 4)):
            return f"corrupt: '{' '.join(command)}' exited {status}: {out}{err}"
        return None if command[1] == "create" else self.holds()

    def held(self, image, every):
        key = identity(image)
        if key not in self.verdicts:
            self.place_image(image)
            self.verdicts[key] = self.holds()
            self.images += 1
            if every and self.images % every == 0:
                now = self.open_by_turboci(image, self.images // every)
                if now not in (None, self.verdicts[key]):
                    self.verdicts[key] = f"corrupt: turboci found {now}, SQLite {self.verdicts[key]}"
        return self.verdicts[key]

    def replay(self, name, events, model, limit, every, stride=1):
        """Images are made after one of `stride` events, and after each that answers or syncs; turboci opens one of
        `every` images."""
        disk, rng = Disk(model), random.Random(f"{name} {model}")
        seen = ["absent"]   # what the store has held, in order
        answered = 0        # index of what it held when a command last answered
        for k, event in enumerate(events, 1):
            disk.play(event)
            now = self.held(disk.everything(), every)
            if now.startswith("corrupt"):
                self.corrupt += self.h.problem("corrupt", f"{name} after event {k} ({event[:40]}), nothing lost: {now}")
                continue
            if now != seen[-1]:
                seen.append(now)
            if event == "ack":
                answered = len(seen) - 1
            if k % stride and event.split()[0] in ("write", "create"):
                continue
            for number, image in enumerate(disk.images(rng, limit)):
                found = self.held(image, every)
                where = f"{name}, {model}, after event {k} of {len(events)} ({event[:40]}), image {number}"
                if found in seen[answered:]:
                    continue
                if found.startswith("corrupt"):
                    self.corrupt += self.h.problem("corrupt", f"{where}: {found}")
                elif found in seen:
                    self.lost += self.h.problem("lost", where)
                else:
                    self.partial += self.h.problem("partial", where)


def everyday(step, directory):
    for command in EVERYDAY:
        trace = step(command)
        if command == EVERYDAY[3]:
            export_for_import(step, directory)
        if trace.exit != 0:
            sys.exit(f"crash: {command} exited {trace.exit}: {trace.stderr}")


def export_for_import(step, directory):
    """For the import later: the plan q under another name."""
    text = step(["plan", "export", "-p", "q"]).stdout
    (directory / "export.jsonl").write_text(text.replace('"plan":{"id":"q"', '"plan":{"id":"r"', 1))


def named(step, directory):
    """On a filesystem where a new store must have a name from the start."""
    step(PLAN, "--no-tmpfile")
    step(WRITE + ["next.yaml"])


def running(step, directory):
    step(PLAN)
    step(["run", "-p", "p", "-j1"])
    step(WRITE + ["next.yaml"])


def killed_often(every):
    """Writers and those who recover, killed again and again, then one that gets through."""
    def session(step, directory):
        step(PLAN)
        calls = step(WRITE + ["next.yaml"]).calls + 60
        for number in range(40, calls, every):
            step(WRITE + ["update.yaml"], "--kill", number)
            if hot(directory):
                step(["nodes", "query", "-p", "p"], "--kill", 40 + number % 40)
                step(["nodes", "query", "-p", "p"])
        step(WRITE + ["update.yaml"])
    return session


def wrong(h, mode):
    """The control: the same change by a writer with another journal mode."""
    def session(step, directory):
        step(PLAN)
        wanted = h.fresh("wanted", directory)
        h.need(wanted, *WRITE, "update.yaml")
        step(["apply", STORE, str(wanted / STORE), mode, "FULL"], program=h.reference)
        step(["nodes", "query", "-p", "p"])
    return session


def control(h):
    """Is DELETE caught, and TRUNCATE by the same writer not?"""
    h.quiet = True
    judges = []
    for mode in ("DELETE", "TRUNCATE"):
        judge = Power(h)
        judge.replay(mode, judge.record(wrong(h, mode)), "strict", 16, 0, 8)
        judges.append(judge)
        h.note(f"(control) {mode}: {judge.images} images, {judge.lost} lost, {judge.corrupt} corrupt, {judge.partial} partial")
    h.quiet = False
    delete, truncate = judges
    return delete.lost > 0 and truncate.lost + truncate.corrupt + truncate.partial == 0


def main():
    with Harness(__doc__) as h:
        power = Power(h)
        limit, every, stride = (160, 25, 1) if h.long else (8, 60, 4)
        sessions = [("everyday", everyday), ("named", named), ("run", running), ("killed", killed_often(3 if h.long else 40))]
        for name, session in sessions:
            if h.options.only in (None, name):
                events = power.record(session)
                for model in ("strict", "ordered"):
                    power.replay(name, events, model, limit, every, stride)
                    h.note(f"{name}, {model}: {len(events)} events; {power.images} images so far")
        caught = None if h.options.only else control(h)
        return h.finish("power", f"{power.images} images, {power.lost} lost, {power.corrupt} corrupt, "
                        f"{power.partial} partial, {power.opened} opened by turboci", caught)


if __name__ == "__main__":
    sys.exit(main())
