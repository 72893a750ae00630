#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets allocations fail: each one alone, and all from each one on.

Whatever fails, the program exits with a documented status and does not crash or hang, and what is left is as after
faults.py. Needs a program that is not stripped and has no sanitizer. Control: a writer that ignores errors.
"""
import sys

from faults import Faults, READ
from harness import Harness, STORE, sample
from kill import Kill
import scenarios

NAMES = {"create", "write", "cancel", "import-second"}


def every_allocation(h, faults, scenario, limit):
    if scenario is READ:
        before = h.fresh("before")
        scenario.prepare(h, before)
        was = becomes = h.export(before, "p")
    else:
        before, was, becomes, _ = Kill(h).reference(scenario)
    count = h.trace(h.fresh("broken", before), scenario.command, "--alloc", 0, 0).allocs
    h.note(f"{scenario.name}: {count} allocations")
    for n in sample(count, limit):
        faults.one(scenario, before, was, becomes, "alloc", ["--alloc", n, 1])
        faults.one(scenario, before, was, becomes, "alloc", ["--alloc", n, 0])


def control(h):
    """Is a writer caught that says that it is done whatever happened?"""
    scenario = next(s for s in scenarios.SCENARIOS if s.name == "write")
    before, was, becomes, _ = Kill(h).reference(scenario)
    careless = scenarios.Scenario("careless", scenario.prepare, ["apply-carelessly", STORE, str(h.root / "after" / STORE)])
    count = h.trace(h.fresh("broken", before), careless.command, "--alloc", 0, 0, program=h.reference).allocs
    h.quiet = True
    judge = Faults(h)
    for n in sample(count, 40):
        judge.one(careless, before, was, becomes, "alloc", ["--alloc", n, 1], program=h.reference)
        if judge.false_success:
            break
    h.quiet = False
    return judge.false_success > 0


def main():
    with Harness(__doc__) as h:
        faults = Faults(h)
        for s in [s for s in scenarios.SCENARIOS if s.name in NAMES] + [READ]:
            if h.options.only in (None, s.name) and (h.long or s.name in ("write", "read")):
                every_allocation(h, faults, s, 600 if h.long else 30)
        caught = None if h.options.only else control(h)
        print("exits: " + ", ".join(f"{n} of {status}" for status, n in sorted(faults.exits.items(), key=str)))
        return h.finish("alloc", f"{faults.points} points, {faults.bad} bad stores, {faults.false_success} false successes, "
                        f"{faults.hung} hung, {faults.crashed} crashed, {faults.undocumented} undocumented exits", caught)


if __name__ == "__main__":
    sys.exit(main())
