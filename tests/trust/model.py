# SPDX-License-Identifier: Apache-2.0
"""A work plan in memory, by the rules as documented and not by the program's code: what a log is replayed
against. It knows no clock: no timeouts, no backoff. An operation is a dict with an `op`; see Plan.apply()."""
from operations import Answer, Attempt, Operations, Refused, edges_of

CHECK_STATES = ("PLANNING", "PLANNED", "WAITING", "FINAL")


class Plan(Operations):
    def __init__(self, plan_id):
        self.id = plan_id
        self.version = 1
        self.nodes = {}
        self.users = {}  # ref -> refs of what depends on it
        self.assigned = {}  # check id -> [(stage id, goal)]
        self.moves = []  # (ref, from, to) of the last write
        self.touched = set()

    # --- the reading side

    def summary(self):
        return {ref: (n.state, n.outcome, n.version) for ref, n in self.nodes.items()}

    def value(self, member):
        if not isinstance(member[1], (list, tuple)):
            return self.edge(*member)
        rule, members = member
        values = [self.value(m) for m in members]
        need = {"all": len(values), "any": 1}.get(rule, rule)
        if values.count(True) >= need:
            return True
        return False if len(values) - values.count(False) < need else None

    def edge(self, ref, on_state, when):
        target = self.nodes[ref]
        if on_state != "FINAL":
            if any(state == on_state for state, _ in target.history):
                return True
            return False if target.state == "FINAL" else None
        if target.state != "FINAL":
            return None
        return when == "always" or target.outcome == {"success": "passed", "failure": "failed"}[when]

    def tries(self, op):
        """(exit status, would it change anything) without doing it."""
        try:
            todo = self.prepare(op)
        except Refused as refused:
            return refused.code, False
        return 0, bool(todo)

    # --- the writing side

    def apply(self, op):
        """Does it; returns whether anything changed. Refused leaves all as it was."""
        todo = self.prepare(op)
        if not todo:
            return False
        self.version += 1
        self.moves, self.touched, self.queue = [], set(), []
        for step in todo:
            step()
        while self.queue:
            self.settle(self.queue.pop(0))
        for ref in self.touched:
            self.nodes[ref].version = self.version
        return True

    def prepare(self, op):
        return getattr(self, "do_" + op["op"])(**{k: v for k, v in op.items() if k not in ("op", "tag")})

    def touch(self, node):
        self.touched.add(node.ref)
        self.queue.append(node.ref)

    def move(self, node, state, outcome=None, reason=None):
        self.moves.append((node.ref, node.state, state))
        node.state, node.outcome, node.reason = state, outcome, reason
        node.history.append((state, self.version))
        self.touch(node)
        self.queue.extend(self.users.get(node.ref, ()))
        if node.type == "stage" and state == "FINAL":
            self.queue.extend(f"check:{check}" for check, _ in node.assignments)

    def settle(self, ref):
        node = self.nodes[ref]
        if node.resolved is None and node.state != "FINAL":
            node.resolved = self.value(node.dependencies)
        if node.type == "stage":
            if node.state == "PLANNED" and node.resolved is True:
                self.move(node, "ATTEMPTING")
                node.attempts.append(Attempt(1, self.version))
            elif node.state == "PLANNED" and node.resolved is False:
                node.upstream = self.is_upstream(node)
                self.move(node, "FINAL", "skipped", "dependencies_unsatisfied")
            return
        if node.state == "PLANNED" and node.resolved is not None:
            if node.resolved:
                self.move(node, "WAITING")
            else:
                node.upstream = self.is_upstream(node)
                node.results["orchestrator", "orchestrator"] = Answer({}, "dependency", final=True)
                self.move(node, "FINAL", "skipped")
        self.goals(node)

    def is_upstream(self, node):
        """Was an edge that wanted success broken by what failed, was cancelled, or was itself skipped for that?"""
        return any(self.edge(ref, on_state, when) is False and (on_state != "FINAL" or when == "success")
                   and (self.nodes[ref].outcome in ("failed", "cancelled") or self.nodes[ref].upstream)
                   for ref, on_state, when in edges_of(node.dependencies))

    def goals(self, check):
        stages = self.assigned.get(check.id, ())
        for goal in ("PLANNED", "WAITING", "FINAL"):
            mine = [self.nodes[f"stage:{s}"] for s, g in stages if g == goal]
            if not mine or any(s.state != "FINAL" for s in mine):
                continue
            if CHECK_STATES.index(check.state) >= CHECK_STATES.index(goal):
                continue
            if check.state == "PLANNING":
                self.move(check, "PLANNED")
            elif goal == "FINAL" and check.state == "WAITING":
                self.conclude(check, mine)
            return

    def conclude(self, check, stages):
        lost = any(s.outcome in ("failed", "cancelled") for s in stages)
        skipped = all(s.outcome == "skipped" for s in stages) or (any(s.upstream for s in stages) and not lost)
        by_hand = any(kind == "actor" for kind, _ in check.results)
        if skipped and not by_hand and not self.broken(check):
            check.upstream = any(s.upstream for s in stages)
            failed = any(a.failure for a in self.counted(check).values())  # by somebody else: that says more
            check.results["orchestrator", "orchestrator"] = Answer({}, "skipped", final=True)
            return self.end_check(check, "failed" if failed else "skipped")
        silent = [s for s in stages if s.ref not in self.counted(check)]
        if self.broken(check):
            return self.end_check(check)
        if silent:
            bad = any(s.outcome in ("failed", "cancelled") for s in silent)
            check.results["orchestrator", "orchestrator"] = Answer({}, "stage" if bad else None, final=True)
        self.end_check(check)

    def counted(self, check):
        """By owner, the results that count: of a stage, that of its highest attempt."""
        best = {}
        for (kind, owner), answer in check.results.items():
            if answer.attempt is None:
                best[kind, owner] = answer
            else:
                stage, idx = answer.attempt
                if f"stage:{stage}" not in best or best[f"stage:{stage}"].attempt[1] < idx:
                    best[f"stage:{stage}"] = answer
        return best

    def broken(self, check):
        """Stages that reported a pass by an attempt that did not run to its end."""
        return [ref for ref, a in self.counted(check).items() if a.attempt and a.failure is None
                and self.nodes[ref].attempts[a.attempt[1] - 1].state == "INCOMPLETE"]

    def end_check(self, check, outcome=None):
        if outcome is None and self.broken(check):
            check.results["orchestrator", "orchestrator"] = Answer({}, "stage", final=True)
        for answer in check.results.values():
            answer.final = True
        failed = any(a.failure is not None for a in self.counted(check).values())
        self.move(check, "FINAL", outcome or ("failed" if failed else "passed"))

    def end_attempt(self, stage, state, failure, retry):
        attempt = stage.attempts[-1]
        attempt.state, attempt.failure = state, failure
        self.touch(stage)
        for node in self.nodes.values():
            for answer in node.results.values():
                if answer.attempt == (stage.id, attempt.idx) and not answer.final:
                    answer.final = True
                    self.touched.add(node.ref)
        if state == "COMPLETE":
            self.move(stage, "FINAL", "passed", "attempt_complete")
        elif retry and attempt.idx <= stage.retries:
            stage.attempts.append(Attempt(attempt.idx + 1, self.version))
        elif retry is not None:
            spent = "no_retries_left" if stage.retries else "attempt_failed"
            self.move(stage, "FINAL", "failed", spent if retry else "retry_blocked")
