# SPDX-License-Identifier: Apache-2.0
"""What can be asked of the plan in model.py: when it is allowed, and what it changes at once."""
import dataclasses

BAD, MISSING, FORBIDDEN, CONFLICT, NOT_READY = 3, 4, 5, 6, 8
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
    upstream: bool = False  # skipped because of what failed
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


class Operations:
    """Each do_…() returns the steps to do, none if all is as asked already, or raises Refused. Nothing changes
    before the steps are done."""

    def stage(self, name):
        if f"stage:{name}" not in self.nodes:
            raise Refused(MISSING)
        return self.nodes[f"stage:{name}"]

    def live(self, name, uid, claims=False):
        stage = self.stage(name)
        if not stage.attempts or stage.attempts[-1].state not in LIVE:
            raise Refused(FORBIDDEN)
        attempt = stage.attempts[-1]
        if uid is not None and attempt.uid not in (None, uid):
            raise Refused(CONFLICT)
        # Who held the attempt before speaks of that one.
        if not claims and uid is not None and attempt.uid is None and len(stage.attempts) > 1 and stage.attempts[-2].uid == uid:
            raise Refused(FORBIDDEN)
        return stage, attempt

    def do_claim(self, stage, uid):
        node = self.stage(stage)
        if node.state == "PLANNED":
            raise Refused(NOT_READY)
        node, attempt = self.live(stage, uid, claims=True)
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
        return [lambda: (attempt.progress.append(message), self.touch(node))]

    def do_heartbeat(self, stage, uid):
        self.live(stage, uid)
        return []  # a sign of life is no change

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

    def do_cancel(self, stage, reason):
        node = self.stage(stage)
        if node.state == "FINAL":
            if node.outcome == "cancelled":
                return []
            raise Refused(FORBIDDEN)

        def step():
            if node.attempts and node.attempts[-1].state in LIVE:
                self.end_attempt(node, "INCOMPLETE", reason, None)
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
