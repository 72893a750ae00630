#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills commands at every system call, and in the middle of every write, and looks at what is left.

After each kill the next command, as often a reader as not, must work; the store must be sound; the plan must be
what it was before or what the command makes of it, and the latter if the command had answered. Then the command is
sent again: a `nodes write --op-id` must have had exactly one effect. Controls: a writer without a journal, and a
write sent again without an op_id.
"""
import json
import sys

from harness import Harness, STORE, normal, sample
from scenarios import SCENARIOS, chosen

READERS = [["nodes", "query"], ["plan", "list"], ["store", "check"], ["plan", "export"], ["log"], None]


class Kill:
    def __init__(self, harness):
        self.h = harness
        self.points = self.lost = self.corrupt = self.partial = self.stuck = 0
        self.resent = self.doubled = 0

    def reference(self, scenario):
        """The directory to start from, what the plan is before and after, and the trace of it."""
        before = self.h.fresh("before")
        scenario.prepare(self.h, before)
        was = self.h.export(before, scenario.plan, scenario.store)
        after = self.h.fresh("after", before)
        trace = self.h.trace(after, scenario.command, *scenario.options)
        if trace.exit != 0:
            sys.exit(f"crash: {scenario.name} exited {trace.exit}: {trace.stderr}")
        becomes = self.h.export(after, scenario.plan, scenario.store)
        if None in (was, becomes) or normal(was) == normal(becomes):
            sys.exit(f"crash: {scenario.name} changes nothing that shows")
        return before, was, becomes, trace

    def next_command(self, scenario, directory, number, where):
        """Whatever comes next must work unaided: five readers and a writer take turns."""
        reader = READERS[number % len(READERS)]
        if reader is None and scenario.store == STORE:
            status, out, err = self.h.run(directory, "plan", "create", f"later-{number}")
            allowed = {0}
        else:
            reader = reader or READERS[0]
            plan = [] if reader[0] in ("plan", "store") and reader[1] != "export" else ["-p", scenario.plan.split()[0]]
            status, out, err = self.h.run(directory, *reader, *plan, "-s", scenario.store)
            allowed = {0, 4}  # 4: no store or no plan yet; whether that is right shows in the plan
        if status not in allowed:
            self.stuck += self.h.problem("stuck", f"{where}: then {reader or 'plan create'} exited {status}: {out}{err}")

    def judge(self, directory, scenario, was, becomes, acknowledged, where):
        """The plan after the kill, if it is one that it may be."""
        now = self.h.export(directory, scenario.plan, scenario.store)
        damage = self.h.corrupt(directory, scenario.store)
        if damage or now is None:
            self.corrupt += self.h.problem("corrupt", f"{where}: {damage or 'cannot be exported'}")
            return None
        if normal(now) == normal(becomes):
            return now
        if now != was:
            self.partial += self.h.problem("partial", f"{where}: neither before nor after:\n{now}")
            return None
        if acknowledged:
            self.lost += self.h.problem("lost", f"{where}: was acknowledged and is gone")
            return None
        return now

    def once(self, scenario, before, option, number):
        directory = self.h.fresh("killed", before)
        trace = self.h.trace(directory, scenario.command, option, number, *scenario.options)
        where = f"{scenario.name} {option} {number} ({trace.at})"
        self.points += 1
        self.next_command(scenario, directory, number, where)
        return directory, trace, where

    def one_transaction(self, scenario, points):
        before, was, becomes, trace = self.reference(scenario)
        for option, number in points(trace):
            directory, trace, where = self.once(scenario, before, option, number)
            now = self.judge(directory, scenario, was, becomes, trace.acknowledged, where)
            if now is None:
                continue
            done = now != was
            status, _, err = self.h.run(directory, *scenario.command)
            if status != (scenario.again if done else 0):
                self.stuck += self.h.problem("stuck", f"{where}: done again it exited {status}: {err}")
            elif scenario.again == 0 and "--op-id" in scenario.command:
                self.exactly_once(directory, scenario, becomes, now if done else None, where)

    def exactly_once(self, directory, scenario, becomes, first, where):
        """The write has been sent again after the kill, and now once more."""
        self.resent += 1
        second = self.h.export(directory, scenario.plan, scenario.store)
        status, _, err = self.h.run(directory, *scenario.command)
        third = self.h.export(directory, scenario.plan, scenario.store)
        if status != 0 or normal(second) != normal(becomes) or third != second or first not in (None, second):
            self.doubled += self.h.problem("not once", f"{where}: sent again: {status} {err}\n{second}\n{third}")

    def several_transactions(self, scenario, points):
        """`run`: the log must be the beginning of what an undisturbed run writes, each version have one state, and
        another run carry on to the same end."""
        before, was, becomes, trace = self.reference(scenario)
        whole = [line for line in normal(becomes).splitlines() if line.startswith('{"write"')]
        states = {json.loads(was.splitlines()[0])["plan"]["version"]: normal(was)}
        for option, number in points(trace):
            directory, trace, where = self.once(scenario, before, option, number)
            now, damage = self.h.export(directory, scenario.plan, scenario.store), self.h.corrupt(directory, scenario.store)
            if damage or now in (None, "absent"):
                self.corrupt += self.h.problem("corrupt", f"{where}: {damage or 'cannot be exported'}")
                continue
            version = json.loads(now.splitlines()[0])["plan"]["version"]
            log = [json.loads(line)["write"] for line in now.splitlines() if line.startswith('{"write"')]
            want = [json.loads(line)["write"] for line in whole[:version]]
            same = [[w["changes"] for w in writes] for writes in (json.loads(normal(json.dumps(log, separators=(',', ':')))), want)]
            if len(log) != version or same[0] != same[1]:
                self.partial += self.h.problem("partial", f"{where}: the log at version {version} is not that of a whole run")
                continue
            if states.setdefault(version, normal(now)) != normal(now):
                self.partial += self.h.problem("partial", f"{where}: another state at version {version}:\n{now}")
                continue
            finished = [w for w in ("compile", "check", "deploy") if f"passed stage:{w}" in trace.stdout + trace.stderr]
            nodes = {n["stage"]["id"]: n["stage"]["state"] for n in map(json.loads, now.splitlines()) if "stage" in n}
            if any(nodes[w] != "FINAL" for w in finished) or (trace.exit == 0 and version < len(whole)):
                self.lost += self.h.problem("lost", f"{where}: said that {finished} passed, but {nodes}")
                continue
            status, out, err = self.h.run(directory, *scenario.command)
            final = [self.h.run(directory, "nodes", "query", "-p", "p", "--type", "stage", "--outcome", "passed", "-o", "name")]
            if status not in (0, 8) or len(final[0][1].split()) != 3:
                self.stuck += self.h.problem("stuck", f"{where}: another run exited {status}: {out}{err}")


def control(kill):
    """Is a writer without a journal caught, and one that is sent again without an op_id?"""
    h = kill.h
    h.quiet = True
    scenario = next(s for s in SCENARIOS if s.name == "write")
    before, was, becomes, _ = kill.reference(scenario)
    judge = Kill(h)
    command = ["apply", STORE, str(h.root / "after" / STORE), "OFF", "FULL"]
    calls = h.trace(h.fresh("killed", before), command, program=h.reference).calls
    for number in range(calls, 0, -1):
        directory = h.fresh("killed", before)
        trace = h.trace(directory, command, "--kill", number, program=h.reference)
        judge.judge(directory, scenario, was, becomes, trace.acknowledged, f"no journal, kill {number} ({trace.at})")
        if judge.corrupt + judge.partial:
            break
    without = [w for w in scenario.command if w not in ("--op-id", "op-1")]
    directory = h.fresh("killed", before)
    for _ in range(2):
        h.run(directory, *without)
    judge.exactly_once(directory, scenario, becomes, None, "without op_id")
    h.quiet = False
    return judge.corrupt + judge.partial > 0, judge.doubled > 0


def main():
    with Harness(__doc__) as h:
        kill = Kill(h)

        def points(trace, limit):
            for number in sample(trace.calls, limit if h.long else 25):
                yield "--kill", number
            for number in sample(trace.writes, limit if h.long else 4):
                yield "--cut", number

        for scenario in chosen(h):
            limit = 60 if scenario.long_only else 250 if scenario.steps else 100_000
            test = kill.several_transactions if scenario.steps else kill.one_transaction
            test(scenario, lambda trace, limit=limit: points(trace, limit))
            h.note(f"{scenario.name}: {kill.points} points so far")
        journal, twice = (None, None) if h.options.only else control(kill)
        status = h.finish("op_id", f"{kill.resent} writes sent again, {kill.doubled} not done exactly once", twice)
        return status | h.finish("kill", f"{kill.points} points, {kill.lost} lost, {kill.corrupt} corrupt, "
                                 f"{kill.partial} partial, {kill.stuck} stuck", journal)


if __name__ == "__main__":
    sys.exit(main())
