#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets allocations fail: each one alone, and all from each one on.

Whatever fails, the program exits with a documented status and does not crash or hang, and what is left is as after
faults.py. Needs a program that is not stripped and has no sanitizer. Control: a writer that ignores errors.
"""
import sys

from harness import sample
import failing

NAMES = {"create", "write", "many", "cancel", "import-second"}
COUNT = ("--alloc", 0, 0)


def every_allocation(judge, scenario):
    h = judge.h
    reference = judge.reference(scenario)
    count = h.trace(h.fresh("broken", reference[0]), scenario.command, *COUNT).allocs
    h.note(f"{scenario.name}: {count} allocations")
    for n in sample(count, 600 if h.long else 30):
        judge.one(scenario, reference, "alloc", ["--alloc", n, 1])
        judge.one(scenario, reference, "alloc", ["--alloc", n, 0])


def caught(h):
    return failing.control(h, "alloc", COUNT, lambda trace: (["--alloc", n, 1] for n in sample(trace.allocs, 40)))


if __name__ == "__main__":
    sys.exit(failing.main(__doc__, "alloc", NAMES, {"write", "read"}, every_allocation, caught))
