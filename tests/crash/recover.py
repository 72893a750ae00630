#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the command that recovers from a kill.

Commands are killed where they leave a hot journal. The next one, a reader or a writer, has to undo it, and is
killed itself at each of its system calls and in each of its writes; then the plan must still be what it was before. Control: a recovery that
empties the journal before it plays it back.
"""
import shutil
import sys

from harness import Harness, STORE, sample
from kill import Kill
from scenarios import SCENARIOS

RECOVERERS = [["nodes", "query", "-p", "p"], ["nodes", "write", "-p", "p", "next.yaml"], ["store", "check"],
              ["plan", "create", "other"]]


def hot(directory):
    """Does a journal wait to be played back?"""
    journal = directory / (STORE + "-journal")
    return journal.exists() and journal.read_bytes()[:8] == b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"


def hot_stores(h, scenario, limit):
    """The plan as it was, and directories with a hot journal: just made, half of the pages written, all of them."""
    kill = Kill(h)
    before, was, _, trace = kill.reference(scenario)
    found = []
    for number in range(1, trace.calls + 1):
        directory = h.fresh(f"hot-{number}", before)
        h.trace(directory, scenario.command, "--kill", number)
        if hot(directory):
            found.append(directory)
        else:
            shutil.rmtree(directory)
    chosen = [found[i - 1] for i in sample(len(found), limit)]
    for directory in set(found) - set(chosen):
        shutil.rmtree(directory)
    return was, chosen


def recover(h, kill, scenario, was, directory, command, limit, program=None):
    undisturbed = h.trace(h.fresh("killed", directory), command, program=program)
    becomes = h.export(h.root / "killed", "p")
    for option, count in ("--kill", undisturbed.calls), ("--cut", undisturbed.writes):
        for number in sample(count, limit if option == "--kill" or h.long else 4):
            again = h.fresh("killed", directory)
            trace = h.trace(again, command, option, number, program=program)
            where = f"{directory.name} of {scenario.name}, {' '.join(command[:2])} {option} {number} ({trace.at})"
            kill.points += 1
            kill.next_command(scenario, again, number, where)
            kill.judge(again, scenario, was, becomes, trace.acknowledged and "write" in command, where)
            if program and kill.partial + kill.corrupt:
                return


def main():
    with Harness(__doc__) as h:
        kill = Kill(h)
        caught = None
        for scenario in (s for s in SCENARIOS if s.name in ("write", "import-second")):
            was, stores = hot_stores(h, scenario, 4 if h.long else 3)
            if len(stores) < 3:
                sys.exit("crash: no kill leaves a hot journal")
            for i, directory in enumerate(stores):
                for command in RECOVERERS if h.long else RECOVERERS[i % 2:i % 2 + 1]:
                    recover(h, kill, scenario, was, directory, command, 100_000 if h.long else 20)
            if caught is None:
                h.quiet = True
                control = Kill(h)
                recover(h, control, scenario, was, stores[-1], ["undo", STORE], 100_000, program=h.reference)
                caught = control.partial + control.corrupt > 0
                h.quiet = False
            for directory in stores:
                shutil.rmtree(directory)
        return h.finish("recover", f"{kill.points} points, {kill.lost} lost, {kill.corrupt} corrupt, "
                        f"{kill.partial} partial, {kill.stuck} stuck", caught)


if __name__ == "__main__":
    sys.exit(main())
