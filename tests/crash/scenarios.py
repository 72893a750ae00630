# SPDX-License-Identifier: Apache-2.0
"""What is interrupted: commands, each with the directory that it starts from."""
import dataclasses
import pathlib
import sqlite3
import typing

PLAN = """
checks:
  - {id: build, kind: build, state: PLANNED, options: {arch: [amd64, arm64]}}
  - {id: test, kind: test, state: PLANNED, dependencies: [build]}
  - {id: review, kind: analysis, state: WAITING}
stages:
  - {id: compile, args: {command: "true"}, assignments: [build], retry: {max_retries: 9}}
  - {id: check, args: {command: "true"}, dependencies: [check:build], assignments: [test], retry: {max_retries: 9}}
  - {id: deploy, args: {command: "true"}, dependencies: {any: [check:test, check:review]}, retry: {max_retries: 9}}
"""
# The progress line makes it one that is not the same when done twice.
UPDATE = """
checks:
  - {id: docs, kind: build, state: PLANNED, dependencies: {at_least: 1, of: [build, test]}}
  - {id: review, result: {data: {approved: true}, finalize: true}, state: FINAL}
stages:
  - {id: compile, attempt: {progress: [halfway]}}
  - {id: make-docs, args: {command: "true", text: "%s"}, assignments: [docs], dependencies: [stage:compile]}
""" % ("x" * 9000)
FILES = {"plan.yaml": PLAN, "update.yaml": UPDATE, "next.yaml": "checks: [{id: next}]\n"}


def empty(harness, directory):
    for name, text in FILES.items():
        (directory / name).write_text(text)


def planned(harness, directory):
    empty(harness, directory)
    harness.need(directory, "plan", "create", "p", "-f", "plan.yaml")


def claimed(harness, directory):
    planned(harness, directory)
    harness.need(directory, "attempt", "claim", "compile", "--process", "me")


def reviewed(harness, directory):
    """What is left is for `run` alone."""
    planned(harness, directory)
    harness.need(directory, "check", "report", "review", "--pass", "--final")


def failed(harness, directory):
    """One stage has passed, one has failed, one is open."""
    planned(harness, directory)
    for stage, end in (("compile", ("complete",)), ("check", ("fail", "--no-retry", "--message", "broken"))):
        harness.need(directory, "attempt", "claim", stage, "--process", "me")
        harness.need(directory, "attempt", end[0], stage, *end[1:])


def two(harness, directory):
    """A large plan that is over, and another: to delete the former leaves much space to give back."""
    planned(harness, directory)
    text = "".join(f"  - {{id: big{i}, args: {{text: {'y' * 9000}}}}}\n" for i in range(30))
    (directory / "big.yaml").write_text("stages:\n" + text)
    harness.need(directory, "nodes", "write", "big.yaml")
    harness.need(directory, "plan", "cancel", "p")
    harness.need(directory, "plan", "create", "q", "-f", "next.yaml")


def exported(harness, directory):
    """An export to import, and another store."""
    claimed(harness, directory)
    (directory / "export.jsonl").write_text(harness.need(directory, "plan", "export"))
    for path in directory.glob("turboci.db*"):
        path.unlink()


def exported_beside(harness, directory):
    exported(harness, directory)
    harness.need(directory, "plan", "create", "other", "-f", "plan.yaml")


def older(harness, directory):
    """A store of the first version, as the fixtures of tests/trust have it."""
    empty(harness, directory)
    fixture = pathlib.Path(__file__).parent.parent / "trust" / "fixtures" / "v1.sql"
    db = sqlite3.connect(directory / "turboci.db", isolation_level=None)
    db.executescript(fixture.read_text())
    db.close()
    (directory / "turboci.db").chmod(0o600)


def large(harness, directory):
    """A write that does not fit SQLite's cache, so that pages reach the file before the commit."""
    planned(harness, directory)
    stages = "".join(f"  - {{id: big{i}, args: {{text: {'y' * 900_000}}}}}\n" for i in range(24))
    (directory / "large.yaml").write_text("stages:\n" + stages)


def many(harness, directory):
    """So many nodes that their rows are fed to one statement each."""
    planned(harness, directory)
    checks = "".join(f"  - {{id: m{i}, options: {{n: {i}}}, dependencies: [build, m{i // 2}]}}\n" for i in range(1, 150))
    (directory / "many.yaml").write_text("checks:\n  - {id: m0}\n" + checks)


@dataclasses.dataclass
class Scenario:
    name: str
    prepare: typing.Callable
    command: list
    plan: str = "p"      # of several, separated by blanks, all must be as before or all as after
    steps: bool = False  # several transactions, not one
    again: int = 0       # exit status when it is done a second time
    long_only: bool = False
    store: str = "turboci.db"  # which must be as before or as after
    options: tuple = ()        # of the tracer


SCENARIOS = [
    Scenario("create", empty, ["plan", "create", "p", "-f", "plan.yaml"], again=6),
    Scenario("create-named", empty, ["plan", "create", "p", "-f", "plan.yaml"], again=6, options=("--no-tmpfile",)),
    Scenario("create-second", planned, ["plan", "create", "q", "-f", "plan.yaml"], plan="q", again=6),
    Scenario("write", claimed, ["nodes", "write", "-p", "p", "--op-id", "op-1", "update.yaml"]),
    # What is claimed ahead depends on how long commands take; with --fail-fast nothing is, so that all runs are alike.
    Scenario("run", reviewed, ["run", "-p", "p", "-j1", "--fail-fast"], steps=True),
    Scenario("cancel", claimed, ["stage", "cancel", "-p", "p", "compile"]),
    Scenario("report", claimed, ["check", "report", "-p", "p", "review", "--pass", "--final"]),
    Scenario("cancel-plan", claimed, ["plan", "cancel", "-p", "p"]),
    Scenario("rerun", failed, ["plan", "rerun", "-p", "p", "--id", "again", "--op-id", "op-r"], plan="p again"),
    Scenario("prune", two, ["plan", "prune", "--keep", "1"], plan="p q"),
    Scenario("import", exported, ["plan", "import", "export.jsonl"], again=6),
    Scenario("import-second", exported_beside, ["plan", "import", "export.jsonl"], again=6),
    Scenario("delete", claimed, ["plan", "delete", "p", "--force"], again=4),
    Scenario("backup", claimed, ["store", "backup", "copy.db"], again=6, store="copy.db"),
    Scenario("migrate", older, ["nodes", "write", "-p", "main", "--op-id", "op-m", "next.yaml"], plan="main"),
    Scenario("many", many, ["nodes", "write", "-p", "p", "--op-id", "op-n", "many.yaml"], long_only=True),
    Scenario("large", large, ["nodes", "write", "-p", "p", "large.yaml"], long_only=True),
]


def chosen(harness, names=None):
    for s in SCENARIOS:
        if harness.options.only not in (None, s.name) or (names and s.name not in names):
            continue
        if harness.long or not s.long_only:
            yield s
