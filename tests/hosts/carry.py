#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plan that was begun in a file is exported, imported into PostgreSQL, and carried on by workers there."""
import json
import subprocess

import harness


def main():
    options = harness.arguments()
    stages = 1000 if options.long else 40
    with harness.World() as world:
        near = harness.Program(options.turboci, str(world.folder / "ci.db"))
        _, far = harness.new_store(world, options.turboci)
        ran = world.folder / "ran"
        nodes = [{"id": f"s{i}", "args": {"command": f"echo s{i} >>{ran}"}, "assignments": ["all"],
                  **({"dependencies": [f"s{i - 10}"]} if i >= 10 else {})} for i in range(stages)]
        near.must("plan", "create", "p")
        near.must("-q", "-p", "p", "nodes", "write", "-",
                  text=json.dumps({"checks": [{"id": "all", "state": "PLANNED"}], "stages": nodes}))
        worker = world.start(*near.command, "worker", "-q", "-j", 2, stderr=subprocess.DEVNULL)
        harness.await_true("a tenth has passed", lambda: len(near.nodes("p", "--outcome", "passed")["stages"]) >= stages / 10)
        worker.terminate()
        assert worker.wait(60) == 0
        passed = len(near.nodes("p", "--outcome", "passed")["stages"])
        assert passed < stages, "nothing was left to carry on"
        exported = near.must("-p", "p", "plan", "export")
        far.must("plan", "import", "-", text=exported)
        again = far.must("-p", "p", "plan", "export")
        assert exported == again, "it differs from what was exported"
        workers = [world.start(*far.command, "worker", "-q", "-j", 2, "--once", stderr=subprocess.DEVNULL) for _ in range(3)]
        assert [worker.wait(600) for worker in workers] == [0, 0, 0]
        far.must("-p", "p", "gate", "-q")
        counts = ran.read_text().split()
        print(f"carry: {passed} of {stages} stages passed in a file, {stages - passed} in PostgreSQL; "
              f"{len(counts) - len(set(counts))} ran twice", flush=True)
        assert len(counts) == len(set(counts)) == stages


main()
