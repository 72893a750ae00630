# SPDX-License-Identifier: Apache-2.0
"""What faults.py and alloc.py share: commands in which something fails, and what may be left of them.

Whatever fails: the program exits with a documented status, it does not hang, status 0 or 10 means that the change is
there, the plan is what it was or what the command makes of it, and the store is sound.
"""
import collections
import time

from harness import Harness, KNOWN_EXITS, STORE, normal, signal_name
from kill import Kill
import scenarios

LOCK_TIMEOUT = 0.3
READ = scenarios.Scenario("read", scenarios.claimed, ["nodes", "query", "-p", "p"])


class Failing:
    def __init__(self, harness):
        self.h = harness
        self.points = self.bad = self.false_success = self.hung = self.crashed = self.undocumented = 0
        self.unsure = 0  # failed and yet committed: allowed, the caller sends it again
        self.exits = collections.Counter()

    def reference(self, scenario):
        """The directory to start from, and what the plan is before and after."""
        if scenario is not READ:
            return Kill(self.h).reference(scenario)[:3]
        before = self.h.fresh("before")
        scenario.prepare(self.h, before)
        was = self.h.export(before, "p")
        return before, was, was

    def one(self, scenario, reference, name, options, program=None):
        """Runs the command once with what `options` makes fail, and judges."""
        h = self.h
        before, was, becomes = reference
        directory = h.fresh("broken", before)
        command = scenario.command if program else [*scenario.command, "--lock-timeout", f"{int(LOCK_TIMEOUT * 1000)}ms"]
        start = time.monotonic()
        trace = h.trace(directory, command, *options, *scenario.options, "--timeout", 20, program=program)
        took = time.monotonic() - start
        where = f"{scenario.name} {name} {' '.join(map(str, options))} ({trace.at})"
        self.points += 1
        self.judge_end(trace, took, where)
        now, damage = h.export(directory, scenario.plan, scenario.store), h.corrupt(directory, scenario.store)
        if damage or now is None:
            self.bad += h.problem("bad", f"{where}: exit {trace.exit}: {damage or 'cannot be exported'}")
        elif scenario.steps:
            self.judge_steps(directory, scenario, trace, where)
        elif normal(now) not in (normal(was), normal(becomes)):
            self.bad += h.problem("bad", f"{where}: exit {trace.exit}: neither before nor after:\n{now}")
        elif trace.exit in (0, 10) and normal(now) != normal(becomes):
            self.false_success += h.problem("false success", f"{where}: exit {trace.exit}, and no change")
        elif trace.exit not in (0, 10) and now != was:
            self.unsure += 1

    def judge_end(self, trace, took, where):
        h = self.h
        self.exits[trace.exit if trace.exit is not None else signal_name(trace.signal)] += 1
        if trace.hung or took > LOCK_TIMEOUT + 5:
            self.hung += h.problem("hung", f"{where}: {took:.1f} s")
        elif trace.exit is None:
            self.crashed += h.problem("crashed", f"{where}: {signal_name(trace.signal)}: {trace.stderr}")
        elif trace.exit not in KNOWN_EXITS or trace.exit == 70:
            self.undocumented += h.problem("undocumented", f"{where}: exit {trace.exit}: {trace.stderr}")

    def judge_steps(self, directory, scenario, trace, where):
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

    def figures(self):
        print("exits: " + ", ".join(f"{n} of {status}" for status, n in sorted(self.exits.items(), key=str)))
        return (f"{self.points} points, {self.bad} bad stores, {self.false_success} false successes, {self.hung} hung, "
                f"{self.crashed} crashed, {self.undocumented} undocumented exits, {self.unsure} failed after the commit")


def control(h, name, count, points):
    """Is a writer caught that says that it is done whatever happened? `points` makes options of its trace, which is
    made with the options `count`."""
    scenario = next(s for s in scenarios.SCENARIOS if s.name == "write")
    judge = Failing(h)
    reference = judge.reference(scenario)
    careless = scenarios.Scenario("careless", scenario.prepare, ["apply-carelessly", STORE, str(h.root / "after" / STORE)])
    trace = h.trace(h.fresh("broken", reference[0]), careless.command, *count, program=h.reference)
    h.quiet = True
    for options in points(trace):
        judge.one(careless, reference, name, options, program=h.reference)
        if judge.false_success:
            break
    h.quiet = False
    return judge.false_success > 0


def main(doc, name, names, short, scenario, caught):
    """A test: `scenario(failing, s)` for each of `names`, or of `short`; then the control, `caught(h)`."""
    with Harness(doc) as h:
        failing = Failing(h)
        for s in [s for s in scenarios.SCENARIOS if s.name in names] + [READ]:
            if h.options.only in (None, s.name) and (h.long or s.name in short):
                scenario(failing, s)
                h.note(f"{s.name}: {failing.points} points so far; exits {dict(failing.exits)}")
        control_caught = None if h.options.only else caught(h)
        return h.finish(name, failing.figures(), control_caught)
