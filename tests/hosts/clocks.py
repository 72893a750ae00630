#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The clocks of two hosts are an hour wrong, one ahead and one behind: nothing expires, and no worker is lost."""
import datetime
import json
import os
import shutil
import struct
import subprocess

import harness

HOUR = 3600


def shifted(world, seconds):
    """The environment of a host whose clock is wrong by so much."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if not compiler:
        harness.skip("no compiler for clock_shift.cpp")
    library, shift = world.folder / "clock_shift.so", world.folder / f"shift{seconds}"
    if not library.exists():
        source = harness.ROOT / "tests/trust/clock_shift.cpp"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-std=c++20", "-o", library, source, "-ldl"], check=True)
    shift.write_bytes(struct.pack("<q", seconds * 1_000_000_000))
    return {**os.environ, "LD_PRELOAD": str(library), "CLOCK_SHIFT_FILE": str(shift)}


def ahead_of_here(plan):
    created = datetime.datetime.fromisoformat(plan["plan"]["created_at"].replace("Z", "+00:00"))
    return (created - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def check_shift(world, turboci, seconds, environment):
    """The control: on a file, whose time is the client's, the wrong clock must show."""
    file = world.folder / f"{seconds}.db"
    subprocess.run([turboci, "--store", file, "plan", "create", "p"], env=environment, check=True, stdout=subprocess.DEVNULL)
    shown = ahead_of_here(json.loads(harness.Program(turboci, str(file)).must("-p", "p", "plan", "show", "-o", "json")))
    if abs(shown) < 60:
        harness.skip("the program is linked statically: its clock cannot be set wrong")
    assert abs(shown - seconds) < 60


def main():
    options = harness.arguments()
    stages = 200 if options.long else 24
    with harness.World() as world:
        hosts = {seconds: shifted(world, seconds) for seconds in (HOUR, -HOUR)}
        for seconds, environment in hosts.items():
            check_shift(world, options.turboci, seconds, environment)
        _, near = harness.new_store(world, options.turboci)
        near.must("plan", "create", "p")
        nodes = [{"id": f"s{i}", "timeout": "60s", "args": {"command": "sleep 1"}} for i in range(stages)]
        near.must("-q", "-p", "p", "nodes", "write", "-", text=json.dumps({"stages": nodes}))
        workers = [world.start(*near.command, "worker", "-q", "-j", 2, env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) for environment in (*hosts.values(), None)]

        def is_over():
            # Those with a wrong clock look for what has expired, too.
            for environment in hosts.values():
                subprocess.run([*near.command, "-q", "-p", "p", "plan", "tick"], env=environment, check=True)
            counts = json.loads(near.must("-p", "p", "plan", "show", "-o", "json"))["plan"]["counts"]
            return all(count["state"] == "FINAL" for count in counts)

        harness.await_true("the plan ends", is_over, 600)
        assert all(worker.poll() is None for worker in workers), "a worker has ended"
        shown = near.nodes("p")
        wrong = [stage["id"] for stage in shown["stages"] if stage["outcome"] != "passed" or len(stage["attempts"]) != 1]
        print(f"clocks: {stages} stages, one host an hour ahead, one behind: {len(wrong)} expired", flush=True)
        assert not wrong and abs(ahead_of_here(shown)) < 900


main()
