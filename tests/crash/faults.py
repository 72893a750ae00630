#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets I/O fail at every call, once and for good.

ENOSPC, EIO, EDQUOT, EINTR and EACCES, at every I/O call, and at those alone that change something; and writes that
are half done when the disk is full. Whatever fails: the program exits with a documented status, it does not hang,
status 0 or 10 means that the change is there, the plan is what it was or what the command makes of it, and the store
is sound. Control: a writer that ignores errors.
"""
import collections
import errno
import sys
import time

from harness import Harness, KNOWN_EXITS, STORE, normal, sample, signal_name
from kill import Kill
import scenarios

# "For good" is not said of EINTR: whoever tries again, as one should, would do so for ever.
ERRORS = {"ENOSPC": 0, "EIO": 0, "EDQUOT": 0, "EINTR": 25, "EACCES": 0}
LOCK_TIMEOUT = 0.3
NAMES = {"create", "create-named", "backup", "write", "cancel", "import-second", "run"}
READ = scenarios.Scenario("read", scenarios.claimed, ["nodes", "query", "-p", "p"])


class Faults:
    def __init__(self, harness):
        self.h = harness
        self.points = self.bad = self.false_success = self.hung = self.crashed = self.undocumented = 0
        self.unsure = 0  # failed and yet committed: allowed, the caller sends it again
        self.exits = collections.Counter()

    def one(self, scenario, before, was, becomes, name, options, program=None):
        h = self.h
        directory = h.fresh("broken", before)
        command = scenario.command if program else [*scenario.command, "--lock-timeout", f"{int(LOCK_TIMEOUT * 1000)}ms"]
        start = time.monotonic()
        trace = h.trace(directory, command, *options, *scenario.options, "--timeout", 20, program=program)
        took = time.monotonic() - start
        where = f"{scenario.name} {name} {' '.join(map(str, options))} ({trace.at})"
        self.points += 1
        self.exits[trace.exit if trace.exit is not None else signal_name(trace.signal)] += 1
        if trace.hung or took > LOCK_TIMEOUT + 5:
            self.hung += h.problem("hung", f"{where}: {took:.1f} s")
        elif trace.exit is None:
            self.crashed += h.problem("crashed", f"{where}: {signal_name(trace.signal)}: {trace.stderr}")
        elif trace.exit not in KNOWN_EXITS or (trace.exit == 70 and "out of memory" not in trace.stderr):
            self.undocumented += h.problem("undocumented", f"{where}: exit {trace.exit}: {trace.stderr}")
        now, damage = h.export(directory, scenario.plan, scenario.store), h.corrupt(directory, scenario.store)
        if damage or now is None:
            self.bad += h.problem("bad", f"{where}: exit {trace.exit}: {damage or 'cannot be exported'}")
        elif scenario.steps:
            self.steps(directory, scenario, trace, now, where)
        elif normal(now) not in (normal(was), normal(becomes)):
            self.bad += h.problem("bad", f"{where}: exit {trace.exit}: neither before nor after:\n{now}")
        elif trace.exit in (0, 10) and normal(now) != normal(becomes):
            self.false_success += h.problem("false success", f"{where}: exit {trace.exit}, and no change")
        elif trace.exit not in (0, 10) and now != was:
            self.unsure += 1

    def steps(self, directory, scenario, trace, now, where):
        """`run`: what it said that passed has passed; status 0 means that all has; another run completes it."""
        h = self.h
        passed = h.run(directory, "nodes", "query", "-p", "p", "--outcome", "passed", "-o", "name")[1].split()
        said = [word for line in (trace.stdout + trace.stderr).splitlines() if line.startswith("passed ")
                for word in line.split()[1:2]]
        if set(said) - set(passed) or (trace.exit == 0 and len(passed) != 6):
            self.false_success += h.problem("false success", f"{where}: exit {trace.exit}, said {said}; passed are {passed}")
        status, out, err = h.run(directory, *scenario.command)
        # 1 and 8: a stage whose process could not be started or looked after may have failed.
        if status not in (0, 1, 8):
            self.bad += h.problem("bad", f"{where}: another run exited {status}: {out}{err}")

    def scenario(self, scenario, limit):
        h = self.h
        if scenario is READ:
            before = h.fresh("before")
            scenario.prepare(h, before)
            was = becomes = h.export(before, "p")
        else:
            before, was, becomes, _ = Kill(h).reference(scenario)
        trace = h.trace(h.fresh("broken", before), scenario.command, *scenario.options)
        for name, burst in ERRORS.items():
            number = getattr(errno, name)
            for n in sample(trace.io, limit):
                self.one(scenario, before, was, becomes, name, ["--fail", number, n, 1])
                self.one(scenario, before, was, becomes, name, ["--fail", number, n, burst])
            # A full or dying disk can still be read; a full one takes half of what did not fit.
            for n in sample(trace.changes, limit):
                self.one(scenario, before, was, becomes, name, ["--changes", "--fail", number, n, burst])
                if name in ("ENOSPC", "EDQUOT"):
                    self.one(scenario, before, was, becomes, name, ["--changes", "--short", "--fail", number, n, 0])


def control(h):
    """Is a writer caught that says that it is done whatever happened?"""
    scenario = next(s for s in scenarios.SCENARIOS if s.name == "write")
    before, was, becomes, _ = Kill(h).reference(scenario)
    careless = scenarios.Scenario("careless", scenario.prepare, ["apply-carelessly", STORE, str(h.root / "after" / STORE)])
    io = h.trace(h.fresh("broken", before), careless.command, program=h.reference).io
    h.quiet = True
    judge = Faults(h)
    for n in range(io, 0, -1):
        judge.one(careless, before, was, becomes, "EIO", ["--fail", errno.EIO, n, 0], program=h.reference)
        if judge.false_success:
            break
    h.quiet = False
    return judge.false_success > 0


def main():
    with Harness(__doc__) as h:
        faults = Faults(h)
        for s in [s for s in scenarios.SCENARIOS if s.name in NAMES] + [READ]:
            if h.options.only in (None, s.name) and (h.long or s.name in ("create", "write", "backup")):
                faults.scenario(s, (60 if s.steps else 100_000) if h.long else 6)
                h.note(f"{s.name}: {faults.points} points so far; exits {dict(faults.exits)}")
        caught = None if h.options.only else control(h)
        print("exits: " + ", ".join(f"{n} of {status}" for status, n in sorted(faults.exits.items(), key=str)))
        return h.finish("faults", f"{faults.points} points, {faults.bad} bad stores, {faults.false_success} false successes, "
                        f"{faults.hung} hung, {faults.crashed} crashed, {faults.undocumented} undocumented exits, "
                        f"{faults.unsure} failed after the commit", caught)


if __name__ == "__main__":
    sys.exit(main())
