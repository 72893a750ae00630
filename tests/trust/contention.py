# SPDX-License-Identifier: Apache-2.0
"""Many writers that are killed and stopped at random, readers beside them; then the log is replayed against the
model in model.py, version by version."""
import contextlib
import fcntl
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import model
import trust

ANSWERS = {0, 3, 4, 5, 6, 8}


def yaml_group(group):
    rule, members = group
    def member(m):
        return yaml_group(m) if isinstance(m[1], (list, tuple)) else {"node": m[0], "on_state": m[1], **({"when": m[2]} if m[1] == "FINAL" else {})}
    inner = [member(m) for m in members]
    if not inner:
        return []
    return {rule: inner} if isinstance(rule, str) else {"at_least": rule, "of": inner}


def document(op):
    """The plan file of a write."""
    def node(n, stage):
        out = {"id": n["id"]}
        if "dependencies" in n:
            out["dependencies"] = yaml_group(n["dependencies"])
        if stage:
            out["assignments"] = [{"target_check_id": c, "goal_state": g} for c, g in n.get("assignments", ())]
            if n.get("retries"):
                out["retry"] = {"max_retries": n["retries"]}
        else:
            out.update({k: n[k] for k in ("options", "state") if k in n})
        return out
    return json.dumps({"checks": [node(c, False) for c in op.get("checks", ())], "stages": [node(s, True) for s in op.get("stages", ())]}).encode()


class Generator:
    """The operations of one worker. Names of nodes follow from the seed, so every worker knows them all."""

    def __init__(self, rng, worker, checks, stages):
        self.rng, self.worker = rng, worker
        self.checks, self.stages = checks, stages  # shared, grow
        self.uid = f"u{worker}"
        self.held = []
        self.n = 0

    def edge(self):
        r = self.rng
        if r.random() < 0.6:
            return (f"check:{r.choice(self.checks)}", *r.choice((("FINAL", "success"), ("FINAL", "always"), ("FINAL", "failure"), ("WAITING", "success"))))
        return (f"stage:{r.choice(self.stages)}", *r.choice((("FINAL", "success"), ("FINAL", "always"), ("ATTEMPTING", "success"))))

    def group(self, depth=0):
        r = self.rng
        members = list({self.edge(): None for _ in range(r.randint(1, 3))})
        if depth == 0 and r.random() < 0.3:
            members.append(self.group(1))
        rule = r.choice(("all", "any", r.randint(1, len(members))))
        return (rule, tuple(members))

    def create(self):
        r, self.n = self.rng, self.n + 1
        name = f"w{self.worker}-{self.n}"
        check = {"id": name, "state": r.choice(("PLANNING", "PLANNED"))}
        if r.random() < 0.5:
            check["dependencies"] = self.group()
        stages = [{"id": f"{name}{x}", "assignments": tuple((c, r.choice(("FINAL", "FINAL", "WAITING"))) for c in {name, r.choice(self.checks)} if r.random() < 0.8),
                   "retries": r.choice((0, 0, 2))} for x in "ab"[: r.randint(0, 2)]]
        for stage in stages:
            if r.random() < 0.5:
                stage["dependencies"] = self.group()
        return {"op": "write", "checks": (check,), "stages": tuple(stages)}

    def next(self):
        r = self.rng
        kind = r.choices(("create", "options", "plan", "again", "bad", "old", "claim", "any", "progress", "heartbeat", "complete", "fail", "report", "cancel"),
                         (10, 4, 5, 2, 1, 2, 6, 16, 8, 4, 14, 7, 18, 2))[0]
        stage = r.choice(self.held[-3:]) if self.held and r.random() < 0.8 else r.choice(self.stages)
        uid = self.uid if r.random() < 0.7 else None
        if kind == "create":
            return self.create()
        if kind == "options":
            return {"op": "write", "checks": ({"id": r.choice(self.checks), "options": {f"k{r.randint(0, 2)}": r.choice((1, 2, None))}},)}
        if kind == "plan":
            return {"op": "write", "checks": tuple({"id": c, "state": "PLANNED"} for c in sorted({r.choice(self.checks) for _ in range(2)}))}
        if kind == "again":
            return {"op": "write", "stages": ({"id": "base0", "assignments": (("c0", "FINAL"),), "retries": 1 + (r.random() < 0.3)},)}
        if kind == "bad":
            return {"op": "write", "checks": ({"id": f"bad{self.worker}", "dependencies": ("all", (("check:nobody", "FINAL", "success"),))},)}
        if kind == "old":
            return {"op": "write", "checks": ({"id": f"old{self.worker}-{self.n}"},), "if_version": r.randint(1, 9)}
        if kind == "claim":
            return {"op": "claim", "stage": stage, "uid": self.uid}
        if kind == "any":
            return {"op": "claim_any", "uid": self.uid}
        if kind == "progress":
            return {"op": "progress", "stage": stage, "uid": uid, "message": f"m{r.randint(0, 9)}"}
        if kind == "fail":
            return {"op": "fail", "stage": stage, "uid": uid, "message": "broken", "retry": r.random() < 0.8}
        if kind == "cancel":
            return {"op": "cancel", "stage": stage}
        if kind == "report":
            attempt = (stage, r.choice((1, 1, 2))) if r.random() < 0.4 else None
            return {"op": "report", "check": r.choice(self.checks), "actor": f"a{self.worker % 4}", "failure": r.choice((None, None, "no")),
                    "data": r.choice(({}, {"n": r.randint(0, 3)}, {"n": None})), "final": r.random() < 0.3 and not attempt, "attempt": attempt}
        return {"op": kind, "stage": stage, "uid": uid}


def arguments(op):
    """(arguments, stdin, environment) of the program for an operation."""
    uid = ("--process", op["uid"]) if op.get("uid") else ()
    kind = op["op"]
    if kind == "write":
        return ("nodes", "write", "-", *(("--if-version", str(op["if_version"])) if op.get("if_version") else ())), document(op), {}
    if kind in ("claim", "claim_any"):
        return ("attempt", "claim", *((op["stage"],) if kind == "claim" else ()), *uid), b"", {}
    if kind in ("progress", "heartbeat", "complete", "fail"):
        more = {"progress": (op.get("message"),), "fail": ("--message", op.get("message"), *(() if op.get("retry") else ("--no-retry",)))}.get(kind, ())
        return ("attempt", kind, op["stage"], *more, *uid), b"", {}
    if kind == "cancel":
        return ("stage", "cancel", op["stage"]), b"", {}  # its reason is the tag
    env = {"TURBOCI_PLAN": "main", "TURBOCI_STAGE": op["attempt"][0], "TURBOCI_ATTEMPT": str(op["attempt"][1])} if op["attempt"] else {}
    verdict = ("--pass",) if op["failure"] is None else ("--fail", op["failure"])
    return ("check", "report", op["check"], *verdict, "--data", json.dumps(op["data"]), "--actor", op["actor"], *(("--final",) if op["final"] else ())), b"", env


class Crowd:
    """Runs the operations of all workers at once and remembers what each was told."""

    def __init__(self, ctx, t, store, seed, processes, operations):
        self.ctx, self.t, self.store, self.seed = ctx, t, store, seed
        self.processes, self.operations = processes, operations
        self.live, self.lock = set(), threading.Lock()
        self.done = []  # (tag, op, exit status or None, answer, begun, ended)
        self.reads = []
        self.over = threading.Event()
        self.checks, self.stages = [f"c{i}" for i in range(12)], [f"base{i}" for i in range(16)]

    def call(self, args, stdin, env, doomed=True):
        """(exit status, stdout, stderr, begun, ended); the status is None if we killed it."""
        begun = time.time()
        if env:
            env = {**env, "TURBOCI_STORE": self.store}
        child = self.ctx.start("-s", self.store, "-p", "main", "--lock-timeout", "60s", "-o", "json", *args, env=self.ctx.environment(**env),
                               stdin=-1, stdout=-1, stderr=-1)
        if doomed:
            with self.lock:
                self.live.add(child)
        try:
            out, err = child.communicate(stdin, timeout=90 * self.ctx.slow)
        except Exception as e:  # a hang is a finding, not an accident of the harness
            child.kill()
            child.communicate()
            self.t.fail("hangs", f"seed {self.seed}: {args}: {e}")
            return None, b"", b"", begun, time.time()
        finally:
            with self.lock:
                self.live.discard(child)
        code = child.returncode
        if code == -signal.SIGKILL and doomed:
            return None, out, err, begun, time.time()
        if b"database is locked" in err or b"database is locked" in out:
            self.t.fail("raw locked", f"seed {self.seed}: {args}: {err[:200]}")
        if code not in ANSWERS:
            self.t.fail("wrong exits", f"seed {self.seed}: exit {code}: {args}: {err.decode('utf-8', 'replace')[:300]}")
        return code, out, err, begun, time.time()

    def work(self, worker):
        rng = random.Random(f"{self.ctx.seed}/{self.seed}/{worker}")
        generator = Generator(rng, worker, self.checks, self.stages)
        for i in range(self.operations):
            op, tag = generator.next(), f"w{worker}.{i}"
            if op["op"] == "cancel":
                op["reason"] = tag
            once = rng.random() < 0.5  # with an op_id it can be asked again
            args, stdin, env = arguments(op)
            args = (*args, "--reason", tag, *(("--op-id", tag) if once else ()))
            first = time.time()
            while True:
                code, out, err, _, ended = self.call(args, stdin, env)
                if code is not None or not once:
                    break
                self.t.count("asked again")
            answer = None
            if code == 0:
                try:
                    answer = json.loads(out)
                except ValueError:
                    self.t.fail("wrong answers", f"exit 0 and not JSON: {args}: {out[:200]}")
                if op["op"] in ("claim", "claim_any") and answer:
                    generator.held.append(answer["stage"]["id"])
                if op["op"] == "write":
                    self.checks += [c["id"] for c in op.get("checks", ()) if "state" in c and c["id"].startswith("w") and c["id"] not in self.checks]
                    self.stages += [s["id"] for s in op.get("stages", ()) if s["id"].startswith("w")]
            self.t.count("operations")
            self.t.count("acknowledged" if code == 0 else "refused" if code is not None else "killed for good")
            self.done.append((tag, op, code, answer, first, ended, err[:300]))

    def read(self):
        while not self.over.is_set():
            code, out, _, _, _ = self.call(("nodes", "query"), b"", {})
            if code == 0:
                self.reads.append(summary_of(json.loads(out), self.t))
                self.t.count("reads")
            time.sleep(0.02)

    def torment(self):
        rng = random.Random(f"{self.seed}/torment")
        while not self.over.wait(rng.uniform(0.002, 0.02)):
            with self.lock:
                child = rng.choice(sorted(self.live, key=lambda c: c.pid)) if self.live else None
                if child is None or child.poll() is not None:
                    continue
                kill = rng.random() < 0.5
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL if kill else signal.SIGSTOP)
                    self.t.count("kills" if kill else "stops")
                if kill:
                    continue
            time.sleep(rng.uniform(0.001, 0.1))
            with self.lock, contextlib.suppress(ProcessLookupError):
                if child.poll() is None:
                    os.kill(child.pid, signal.SIGCONT)

    def run(self):
        workers = [threading.Thread(target=self.work, args=(i,)) for i in range(self.processes)]
        others = [threading.Thread(target=f) for f in (self.read, self.read, self.torment)]
        for thread in workers + others:
            thread.start()
        for thread in workers:
            thread.join()
        self.over.set()
        for thread in others:
            thread.join()


def summary_of(document, t):
    """(plan version, {ref: (state, outcome, version)}) of a query, after looking whether it agrees with itself."""
    nodes = {f"{kind}:{n['id']}": n for kind in ("check", "stage") for n in document[kind + "s"]}
    version = document["plan"]["version"]
    counts = {}
    for ref, n in nodes.items():
        key = (ref.split(":")[0], n["state"], n["outcome"])
        counts[key] = counts.get(key, 0) + 1
    told = {(c["type"], c["state"], c["outcome"]): c["count"] for c in document["plan"]["counts"] if c["count"]}
    t.expect(told == counts, "torn reads", lambda: f"version {version}: the plan counts {told}, its nodes are {counts}")
    return version, {ref: (n["state"], n["outcome"], n["version"]) for ref, n in nodes.items()}


def start(ctx, store):
    ctx.must("-s", store, "plan", "create", "main", "--reason", "create")
    op = {"op": "write", "checks": tuple({"id": f"c{i}", "state": "PLANNED" if i % 3 else "PLANNING"} for i in range(12)),
          "stages": tuple({"id": f"base{i}", "assignments": ((f"c{i % 12}", "FINAL"),), "retries": 1} for i in range(16))}
    ctx.must("-s", store, "nodes", "write", "-", "--reason", "start", stdin=document(op))
    return op


def one_seed(ctx, t, seed, processes, operations, harm=None):
    import replay
    with ctx.directory() as directory:
        store = str(directory / "s.db")
        first = start(ctx, store)
        crowd = Crowd(ctx, t, store, seed, processes, operations)
        crowd.run()
        if harm:
            db = sqlite3.connect(store)
            db.executescript(harm)
            db.close()
        check = ctx.run("-s", store, "store", "check", timeout=60)
        t.expect(check.code == 0, "mismatches", f"seed {seed}: store check: {check.said}{check.text}")
        log = [json.loads(line) for line in ctx.must("-s", store, "log", "-o", "jsonl").out.splitlines()]
        final = ctx.must("-s", store, "nodes", "query", "-o", "json").json()
        replay.Replay(t, seed, first, crowd.done, crowd.reads, log, final).run()


def queue_up(ctx, store, name, over, out):
    """Writes one after the other until over(), each by a process of its own. Tells of each: begin, end, version."""
    n = 0
    while not over(n):
        n += 1
        begun = time.monotonic()
        result = ctx.run("-s", store, "--lock-timeout", "120s", "nodes", "write", "-", "-o", "json", stdin=json.dumps({"checks": [{"id": name, "options": {"n": n}}]}).encode(), timeout=150)
        version = result.json()["plan"]["version"] if result.code == 0 else 0
        out.write(json.dumps([begun, time.monotonic(), version]) + "\n")


def crowd_of_writers(ctx, store, writers, over):
    """What queue_up() tells of all of them."""
    files = [f"{store}.told{i}" for i in range(writers)]
    pids = []
    for i, path in enumerate(files):
        pid = os.fork()
        if pid == 0:
            try:
                with open(path, "w") as out:
                    queue_up(ctx, store, f"q{i}", over, out)
            finally:
                os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    return [[json.loads(line) for line in open(path)] for path in files]


def places(lock):
    """How many processes wait for a lock file: each holds a ticket, one byte far behind the file's text."""
    inode = f":{os.stat(lock).st_ino}"
    with open("/proc/locks") as locks:
        return sum(1 for line in locks if "OFDLCK" in line and "->" not in line and line.split()[-3].endswith(inode))


def await_places(lock, wanted):
    limit = time.monotonic() + 60
    while places(lock) < wanted:
        if time.monotonic() > limit:
            raise RuntimeError(f"{places(lock)} of {wanted} writers wait")
        time.sleep(0.002)


def overtakings(queue, crowd):
    """How many writes at most went before one that had its place before them: of the versions in `queue`, in the order of
    their places, and of the versions of the crowd, which came after them all."""
    return max(sum(1 for later in [*queue[i + 1:], *crowd] if later < version) for i, version in enumerate(queue))


def judge_order(t, queue, crowd, complaint):
    """Who cannot run for a while is passed by a few. Who polls in vain is passed by all of the others again and again."""
    worst = overtakings(queue, crowd)
    t.counts["overtakings at most"] = max(worst, t.counts.get("overtakings at most", 0))
    t.expect(worst <= len(queue), "unfair", f"{complaint}: a write was overtaken by {worst} others, of {len(queue)} in a queue")


def a_queue_and_a_crowd(ctx, t, store, writers):
    """Writers that take their places one after the other, and behind them as many that write in a loop."""
    lock = f"{store}.lock"
    waiting = []
    with open(lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for i in range(writers):
            waiting.append(ctx.start("-s", store, "--lock-timeout", "120s", "nodes", "write", "-", "-o", "json", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
            waiting[-1].stdin.write(json.dumps({"checks": [{"id": f"w{i}"}]}).encode())
            waiting[-1].stdin.close()
            waiting[-1].stdin = None
            await_places(lock, i + 1)
        told = []
        crowd = threading.Thread(target=lambda: told.extend(crowd_of_writers(ctx, store, writers, lambda n: n == 10)))
        crowd.start()
        await_places(lock, 2 * writers)
        fcntl.flock(held, fcntl.LOCK_UN)  # the crowd has the file open, too
    queue = []
    for process in waiting:
        out, _ = process.communicate(timeout=150)
        t.expect(process.returncode == 0, "wrong exits", "a writer in a queue was refused")
        queue.append(json.loads(out)["plan"]["version"] if process.returncode == 0 else 0)
    crowd.join()
    judge_order(t, queue, [version for one in told for _, _, version in one], "in a queue")


def fairness(ctx, t):
    """Who waits longest is not overtaken. In the long form that is a matter of seconds, too."""
    writers = ctx.scale(16, 64)
    with ctx.directory(fast=False) as directory:
        store = str(directory / "s.db")
        ctx.must("-s", store, "plan", "create", "main")
        a_queue_and_a_crowd(ctx, t, store, writers)
        if not ctx.long:
            return
        alone = sorted(end - begun for begun, end, _ in crowd_of_writers(ctx, store, 1, lambda n: n == 60)[0])
        alone = alone[len(alone) // 2]
        until = time.monotonic() + 30
        told = crowd_of_writers(ctx, store, writers, lambda _: time.monotonic() > until)
        t.expect(all(version for one in told for _, _, version in one), "wrong exits", "a writer in a queue was refused")
        took = sorted(end - begun for one in told for begun, end, _ in one)
        t.counts["longest wait in queues"] = round(took[-1] / (writers * alone), 2)
        t.expect(took[-1] <= 5 * writers * alone, "unfair", f"{took[-1]:.2f} s, and a write alone takes {alone:.3f} s; the median is {took[len(took) // 2]:.2f} s")


def run(ctx, t):
    t.zero("unfair")
    fairness(ctx, t)
    t.zero("operations", "acknowledged", "refused", "killed for good", "asked again", "kills", "stops", "reads", "mismatches", "torn reads", "raw locked", "wrong exits")
    for seed in range(ctx.scale(1, 10)):
        one_seed(ctx, t, seed, ctx.scale(16, 32), ctx.scale(40, 200))


def control(ctx):
    """A lost change, a changed state, and a reader that mixes versions must be noticed."""
    caught = []
    for harm in ("DELETE FROM changes WHERE change_key = (SELECT max(change_key) - 5 FROM changes)",
                 "UPDATE writes SET reason = 'w0.9999' WHERE version = 5",
                 "UPDATE nodes SET version = version - 1 WHERE id = 'base3'"):
        tally = trust.Quiet("contention")
        with contextlib.suppress(RuntimeError):
            one_seed(ctx, tally, 0, 4, 6, harm)
        caught.append(tally.counts.get("mismatches", 0) > 0)
    tally = trust.Quiet("contention")
    torn = {"plan": {"version": 3, "counts": [{"type": "check", "state": "FINAL", "outcome": "passed", "count": 1}]},
            "checks": [{"id": "a", "state": "WAITING", "outcome": None, "version": 2}], "stages": []}
    summary_of(torn, tally)
    # The last of a queue of four is overtaken by a crowd; and a queue with one write behind each of its own.
    judge_order(tally, [1, 2, 3, 50], range(4, 50), "control")
    judge_order(tally, [1, 3, 5, 7], [2, 4, 6, *range(8, 50)], "no complaint")
    return all(caught) and tally.counts.get("torn reads") == 1 and tally.counts.get("unfair") == 1
