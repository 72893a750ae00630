# SPDX-License-Identifier: Apache-2.0
"""A work plan in memory, by the rules as documented and not by the program's code: what a log is replayed
against. It knows no clock: no timeouts, no backoff. An operation is a dict with an `op`; see Plan.apply()."""
import dataclasses

BAD, MISSING, FORBIDDEN, CONFLICT, NOT_READY = 3, 4, 5, 6, 8
CHECK_STATES = ("PLANNING", "PLANNED", "WAITING", "FINAL")
LIVE = ("PENDING", "SCHEDULED", "RUNNING")


@dataclasses.dataclass
class Node:
    type: str
    id: str
    dependencies: tuple  # ("all" | "any" | n, members); a member is such a group or an edge (ref, on_state, when)
    state: str = None
    outcome: str = None
    reason: str = None
    version: int = 0
    history: list = dataclasses.field(default_factory=list)
    resolved: object = None  # None, True, False
    options: dict = dataclasses.field(default_factory=dict)
    kind: str = ""
    results: dict = dataclasses.field(default_factory=dict)  # (owner_type, owner_id) -> Answer
    assignments: tuple = ()  # (check id, goal)
    retries: int = 0
    attempts: list = dataclasses.field(default_factory=list)

    @property
    def ref(self):
        return f"{self.type}:{self.id}"


@dataclasses.dataclass
class Answer:
    data: dict
    failure: object
    attempt: object = None  # (stage id, idx)
    final: bool = False


@dataclasses.dataclass
class Attempt:
    idx: int
    since: int
    state: str = "PENDING"
    uid: object = None
    failure: object = None
    progress: list = dataclasses.field(default_factory=list)


class Refused(Exception):
    def __init__(self, code):
        self.code = code


def merge(old, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    new = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merge(new.get(key), value)
    return new


def edges_of(group):
    for member in group[1]:
        if isinstance(member[1], (list, tuple)):
            yield from edges_of(member)
        else:
            yield member


class Plan:
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
                self.move(node, "FINAL", "skipped", "dependencies_unsatisfied")
            return
        if node.state == "PLANNED" and node.resolved is not None:
            if node.resolved:
                self.move(node, "WAITING")
            else:
                node.results["orchestrator", "orchestrator"] = Answer({}, "dependency", final=True)
                self.move(node, "FINAL", "skipped")
        self.goals(node)

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
        if all(s.outcome == "skipped" for s in stages):
            failed = any(a.failure for a in self.counted(check).values())  # by somebody else: that says more
            check.results["orchestrator", "orchestrator"] = Answer({}, "skipped", final=True)
            return self.end_check(check, "failed" if failed else "skipped")
        silent = [s for s in stages if s.ref not in self.counted(check)]
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

    def end_check(self, check, outcome=None):
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
            self.move(stage, "FINAL", "failed", "no_retries_left" if retry else "retry_blocked")

    # --- operations: each returns the steps to do, none if all is as asked already

    def stage(self, name):
        if f"stage:{name}" not in self.nodes:
            raise Refused(MISSING)
        return self.nodes[f"stage:{name}"]

    def live(self, name, uid):
        stage = self.stage(name)
        if not stage.attempts or stage.attempts[-1].state not in LIVE:
            raise Refused(FORBIDDEN)
        attempt = stage.attempts[-1]
        if uid is not None and attempt.uid not in (None, uid):
            raise Refused(CONFLICT)
        return stage, attempt

    def do_claim(self, stage, uid):
        node = self.stage(stage)
        if node.state == "PLANNED":
            raise Refused(NOT_READY)
        node, attempt = self.live(stage, uid)
        if attempt.state == "RUNNING":
            return []
        return [lambda: self.run_attempt(node, uid)]

    def ready(self):
        return [(n.attempts[-1].since, n.id) for n in self.nodes.values()
                if n.type == "stage" and n.attempts and n.attempts[-1].state == "PENDING"]

    def do_claim_any(self, uid, stage=None):
        """`stage` is the one that was given: any of those that are ready for longest is right."""
        ready = self.ready()
        if not ready:
            raise Refused(NOT_READY)
        oldest = min(ready)[0]
        if stage is None:
            return [lambda: None]
        if (oldest, stage) not in ready:
            raise Refused(CONFLICT)
        node = self.stage(stage)  # PENDING, so nobody has claimed it, whoever gave signs of life for it
        return [lambda: self.run_attempt(node, uid)]

    def run_attempt(self, node, uid):
        node.attempts[-1].state, node.attempts[-1].uid = "RUNNING", uid
        self.touch(node)

    def do_progress(self, stage, uid, message):
        node, attempt = self.live(stage, uid)
        return [lambda: (attempt.progress.append(message), self.own(attempt, uid), self.touch(node))]

    def do_heartbeat(self, stage, uid):
        node, attempt = self.live(stage, uid)
        return [lambda: (self.own(attempt, uid), self.touch(node))]

    @staticmethod
    def own(attempt, uid):
        if attempt.uid is None and uid is not None:
            attempt.uid = uid

    def told_again(self, name, uid, state, failure=None):
        attempts = self.stage(name).attempts
        return attempts and (attempts[-1].state, attempts[-1].failure) == (state, failure) and uid in (None, attempts[-1].uid)

    def do_complete(self, stage, uid):
        if self.told_again(stage, uid, "COMPLETE"):
            return []
        node, attempt = self.live(stage, uid)
        return [lambda: (self.own(attempt, uid), self.end_attempt(node, "COMPLETE", None, False))]

    def do_fail(self, stage, uid, message, retry=True):
        if self.told_again(stage, uid, "INCOMPLETE", message):
            return []
        node, attempt = self.live(stage, uid)
        return [lambda: (self.own(attempt, uid), self.end_attempt(node, "INCOMPLETE", message, retry))]

    def do_cancel(self, stage):
        node = self.stage(stage)
        if node.state == "FINAL":
            if node.outcome == "cancelled":
                return []
            raise Refused(FORBIDDEN)

        def step():
            if node.attempts and node.attempts[-1].state in LIVE:
                self.end_attempt(node, "INCOMPLETE", "cancelled", None)
            self.move(node, "FINAL", "cancelled", "cancelled")
        return [step]

    def do_report(self, check, actor, failure, data, final, attempt=None):
        if f"check:{check}" not in self.nodes:
            raise Refused(MISSING)
        node = self.nodes[f"check:{check}"]
        owner = ("stage_attempt", f"{self.id}:{attempt[0]}:{attempt[1]}") if attempt else ("actor", actor)
        if attempt:
            stage = self.stage(attempt[0])
            if not 1 <= attempt[1] <= len(stage.attempts):
                raise Refused(MISSING)
        old = node.results.get(owner)
        new = merge(old.data if old else {}, data)
        same = old is not None and old.data == new and old.failure == failure
        if same and (node.state == "FINAL" or not final):
            return []
        direct = node.state == "PLANNING" and final and not node.dependencies[1]
        if not direct and node.state != "WAITING" or (old and old.final and not same):
            raise Refused(FORBIDDEN)
        if attempt and not same and stage.attempts[attempt[1] - 1].state not in LIVE:
            raise Refused(FORBIDDEN)

        def step():
            if not same:
                node.results[owner] = Answer(new, failure, attempt)
            self.touch(node)
            if final:
                self.end_check(node)
        return [step]

    def do_write(self, checks=(), stages=(), if_version=None):
        if if_version not in (None, self.version):
            raise Refused(CONFLICT)
        coming = {f"check:{c['id']}" for c in checks} | {f"stage:{s['id']}" for s in stages}
        for node in (*checks, *stages):
            for ref, _, _ in edges_of(node.get("dependencies", ("all", ()))):
                if ref not in self.nodes and ref not in coming:
                    raise Refused(BAD)
        for stage in stages:
            if any(f"check:{c}" not in self.nodes and f"check:{c}" not in coming for c, _ in stage.get("assignments", ())):
                raise Refused(BAD)
        steps = []
        for check in checks:
            old = self.nodes.get(f"check:{check['id']}")
            steps += self.update(old, check) if old else [lambda c=check: self.create("check", c, c.get("state", "PLANNING"))]
        for stage in stages:
            old = self.nodes.get(f"stage:{stage['id']}")
            if old is None:
                steps.append(lambda s=stage: self.create("stage", s, "PLANNED"))
            elif (old.dependencies, old.assignments, old.retries) != (
                    stage.get("dependencies", ("all", ())), tuple(stage.get("assignments", ())), stage.get("retries", 0)):
                raise Refused(FORBIDDEN)
        return steps

    def update(self, node, check):
        wanted = merge(node.options, check.get("options", {}))
        if wanted != node.options and node.state != "PLANNING":
            raise Refused(FORBIDDEN)
        if "dependencies" in check and check["dependencies"] != node.dependencies:
            raise Refused(FORBIDDEN)  # the tests only do that to checks past PLANNING
        plans = check.get("state") == "PLANNED" and node.state == "PLANNING"
        if wanted == node.options and not plans:
            return []

        def step():
            node.options = wanted
            self.touch(node)
            if plans:
                self.move(node, "PLANNED")
        return [step]

    def create(self, kind, request, state):
        node = Node(kind, request["id"], request.get("dependencies", ("all", ())), options=request.get("options", {}),
                    assignments=tuple(request.get("assignments", ())), retries=request.get("retries", 0))
        self.nodes[node.ref] = node
        for ref, _, _ in edges_of(node.dependencies):
            self.users.setdefault(ref, []).append(node.ref)
        for check, goal in node.assignments:
            self.assigned.setdefault(check, []).append((node.id, goal))
        self.move(node, state)
