# SPDX-License-Identifier: Apache-2.0
"""Replays a log against the model: each acknowledged write once and in order, each refusal and each read as the
model has it at a version of that time, and the same end."""
import datetime

import model


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Replay:
    def __init__(self, t, seed, first, done, reads, log, final):
        self.t, self.seed, self.final = t, seed, final
        self.by_tag = {tag: rest for tag, *rest in done}
        self.by_tag["start"] = (first, 0, None, 0, 0, b"")
        self.writes = {}  # version -> its entries
        for entry in log:
            self.writes.setdefault(entry["version"], []).append(entry)
        self.reads = {}
        for version, seen in reads:
            self.reads.setdefault(version, []).append(seen)
        self.plan = model.Plan("main")
        self.recorded = {}  # tag -> version
        times = {version: seconds(entries[0]["time"]) for version, entries in self.writes.items()}
        self.times = sorted(times.items())
        self.open = []  # (first version, last version, tag) of refusals that no version explained so far
        for tag, (op, code, answer, begun, ended, _) in self.by_tag.items():
            if code:
                before = [v for v, at in self.times if at < begun]
                until = [v for v, at in self.times if at <= ended]
                self.open.append((max(before, default=1) - 1, max(until, default=1) + 1, tag))
        self.open.sort()
        self.unchanged = {}  # version -> tags of writes acknowledged that changed nothing
        self.explained = set()

    def miss(self, message):
        self.t.fail("mismatches", f"seed {self.seed}: {message}")

    def run(self):
        self.t.expect(sorted(self.writes) == list(range(1, len(self.writes) + 1)), "mismatches", f"seed {self.seed}: versions have gaps: {sorted(self.writes)[:20]}…")
        for (_, earlier), (version, later) in zip(self.times, self.times[1:]):
            self.t.expect(earlier <= later, "mismatches", f"seed {self.seed}: time goes back at version {version}")
        recorded = {entries[0]["reason"] for entries in self.writes.values()}
        for tag, (op, code, answer, *_) in self.by_tag.items():
            if code == 0 and answer is not None and tag not in recorded:
                self.unchanged.setdefault(answer["plan"]["version"], []).append(tag)
        self.look()
        for version in sorted(self.writes):
            if version > 1:
                self.step(version, self.writes[version])
            self.look()
        for _, _, tag in self.open:
            op, code, _, _, _, err = self.by_tag[tag]
            if tag not in self.explained:
                self.miss(f"{tag} was refused with {code} and no version of that time would: {op}: {err}")
        for tag, (op, code, answer, *_) in self.by_tag.items():
            if code and tag in self.recorded:
                self.miss(f"{tag} was refused with {code} and is in the log")
            if code == 0 and answer is not None and tag in self.recorded and answer["plan"]["version"] != self.recorded[tag]:
                self.miss(f"{tag} was told version {answer['plan']['version']} and the log has it at {self.recorded[tag]}: {op}")
        for tags in self.unchanged.values():
            for tag in tags:
                self.miss(f"{tag} was acknowledged, is not in the log, and would have changed something: {self.by_tag[tag][0]}")
        self.compare()

    def step(self, version, entries):
        tag = entries[0]["reason"]
        if any(e["reason"] != tag for e in entries):
            self.miss(f"version {version} has several reasons")
        if tag in self.recorded:
            self.miss(f"{tag} is in the log twice, at {self.recorded[tag]} and {version}")
        self.recorded[tag] = version
        if tag not in self.by_tag:
            return self.miss(f"version {version} is by {tag!r}, and nobody asked for it")
        op = dict(self.by_tag[tag][0])
        if op["op"] == "claim_any":
            op["stage"] = next(e["node"] for e in entries if e["node"]).split(":", 1)[1]
        try:
            if not self.plan.apply(op):
                self.miss(f"version {version} of {tag} changes nothing: {op}")
                self.plan.version += 1
                return
        except model.Refused as refused:
            self.miss(f"version {version}: {tag} should have been refused with {refused.code}: {op}")
            self.plan.version += 1
            return
        logged = logged_in_order(entries)
        if sorted(fold(logged)) != sorted(fold(self.plan.moves)):
            self.miss(f"version {version}, {op}: the log moves {logged}, the model {self.plan.moves}")

    def look(self):
        version = self.plan.version
        for first, last, tag in self.open:
            if first > version:
                break
            if last >= version and tag not in self.explained:
                op, code, *_ = self.by_tag[tag]
                if self.plan.tries(op)[0] == code:
                    self.explained.add(tag)
        for tag in list(self.unchanged.get(version, ())):
            if self.plan.tries(self.unchanged_op(tag)) == (0, False):
                self.unchanged[version].remove(tag)
        if version in self.reads:
            summary = self.plan.summary()
            for seen in self.reads.pop(version):
                if seen != summary:
                    wrong = {ref: (seen.get(ref), summary.get(ref)) for ref in {*seen, *summary} if seen.get(ref) != summary.get(ref)}
                    self.t.fail("torn reads", f"seed {self.seed}: version {version}: (read, model): {dict(list(wrong.items())[:5])}")

    def unchanged_op(self, tag):
        op, _, answer, *_ = self.by_tag[tag]
        return {"op": "claim", "stage": answer["stage"]["id"], "uid": op["uid"]} if op["op"] == "claim_any" else op

    def compare(self):
        seen = {f"{kind}:{n['id']}": n for kind in ("check", "stage") for n in self.final[kind + "s"]}
        if set(seen) != set(self.plan.nodes):
            self.miss(f"nodes differ: {sorted(set(seen) ^ set(self.plan.nodes))[:10]}")
        for ref in sorted(set(seen) & set(self.plan.nodes)):
            product, own = of_product(seen[ref]), of_model(self.plan.nodes[ref])
            for key in own:
                if product[key] != own[key]:
                    self.miss(f"at the end {ref}.{key} is {product[key]}, the model says {own[key]}")


def logged_in_order(entries):
    return [(e["node"], c["from"], c["to"]) for e in entries if e["node"] for c in [e["changes"].get("state")] if c]


def fold(moves):
    """From where to where each node went."""
    ends = {}
    for ref, before, after in moves:
        ends[ref] = (ends.get(ref, (before,))[0], after)
    return [(ref, str(before), after) for ref, (before, after) in ends.items()]


def of_product(n):
    out = {"state": n["state"], "outcome": n["outcome"], "version": n["version"], "history": [(h["state"], h["version"]) for h in n["state_history"]],
           "dependencies": {"SATISFIED": True, "UNSATISFIED": False, "UNRESOLVED": None}[n["dependencies"]["resolution"]]}
    if "attempts" in n:
        out["reason"] = n["concluded_reason"]
        out["attempts"] = [(a["idx"], a["state"], a["process_uid"], (a["failure"] or {}).get("message"), [p["message"] for p in a["progress"]]) for a in n["attempts"]]
    else:
        out["options"] = n["options"]
        out["results"] = sorted((r["owner_type"], r["owner_id"], str(r["data"]), said(r["owner_type"], (r["failure"] or {}).get("message")), r["finalized_at"] is not None)
                                for r in n["results"])
    return out


def of_model(n):
    out = {"state": n.state, "outcome": n.outcome, "version": n.version, "history": n.history}
    if n.type == "stage":
        out["reason"] = n.reason
        out["attempts"] = [(a.idx, a.state, a.uid, a.failure, a.progress) for a in n.attempts]
    else:
        out["options"] = n.options
        out["results"] = sorted((kind, owner, str(a.data), said(kind, a.failure), a.final) for (kind, owner), a in n.results.items())
    return out


def said(owner_type, failure):
    """The words of the orchestrator are its own."""
    return failure is not None if owner_type == "orchestrator" else failure
