#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets I/O fail at every call, once and for good.

ENOSPC, EIO, EDQUOT, EINTR and EACCES, at every I/O call, and at those alone that change something; and writes that
are half done when the disk is full. Whatever fails: the program exits with a documented status, it does not hang,
status 0 or 10 means that the change is there, the plan is what it was or what the command makes of it, and the store
is sound. Control: a writer that ignores errors.
"""
import errno
import sys

from harness import sample
import failing

# "For good" is not said of EINTR: whoever tries again, as one should, would do so for ever.
ERRORS = {"ENOSPC": 0, "EIO": 0, "EDQUOT": 0, "EINTR": 25, "EACCES": 0}
NAMES = {"create", "create-named", "backup", "write", "many", "cancel", "import-second", "run"}


def every_call(judge, scenario):
    h = judge.h
    limit = (60 if scenario.steps else 100_000) if h.long else 6
    reference = judge.reference(scenario)
    trace = h.trace(h.fresh("broken", reference[0]), scenario.command, *scenario.options)
    for name, burst in ERRORS.items():
        number = getattr(errno, name)
        for n in sample(trace.io, limit):
            judge.one(scenario, reference, name, ["--fail", number, n, 1])
            judge.one(scenario, reference, name, ["--fail", number, n, burst])
        # A full or dying disk can still be read; a full one takes half of what did not fit.
        for n in sample(trace.changes, limit):
            judge.one(scenario, reference, name, ["--changes", "--fail", number, n, burst])
            if name in ("ENOSPC", "EDQUOT"):
                judge.one(scenario, reference, name, ["--changes", "--short", "--fail", number, n, 0])


def caught(h):
    return failing.control(h, "EIO", (), lambda trace: (["--fail", errno.EIO, n, 0] for n in range(trace.io, 0, -1)))


if __name__ == "__main__":
    sys.exit(failing.main(__doc__, "faults", NAMES, {"create", "write", "backup"}, every_call, caught))
