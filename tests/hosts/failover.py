#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The primary is killed while clients write, and its synchronous standby is promoted: nothing that was confirmed is
lost, nothing is there twice, and the clients go on. With and without early release of the lock."""
import collections
import json
import re
import threading
import time

import harness

WRITERS = 8
DETECTION = 1.0  # seconds until a watchdog would promote
GOES_ON = 10.0  # seconds from the promotion to the first confirmed write


class Writer(threading.Thread):
    """Half of them create checks, some in each write; the others add lines of news, which would show if one came twice."""

    def __init__(self, program, number, batch):
        super().__init__()
        self.program, self.number, self.batch = program, number, batch
        self.plan, self.stage = f"plan{number % 4}", f"held{number}"
        self.over = threading.Event()
        self.confirmed, self.unknown, self.times = [], [], []

    def write(self, count):
        key = f"{self.number}-{count}"
        if self.number % 2:
            return key, ["attempt", "progress", self.stage, key], None
        checks = [{"id": f"c{key}-{i}"} for i in range(self.batch)]
        return key, ["nodes", "write", "-", "--reason", key], json.dumps({"checks": checks})

    def run(self):
        count = 0
        while not self.over.is_set():
            key, command, text = self.write(count)
            count += 1
            done = self.program.run("-q", "-p", self.plan, *command, text=text)
            if done.returncode == 0:
                self.confirmed.append(key)
                self.times.append(time.monotonic())
            else:
                self.unknown.append((key, done.stderr.strip().split("\n")[-1]))


def replicated(world):
    """A primary, and a standby that has applied what the primary confirms."""
    primary, standby = harness.Server(world, "a"), harness.Server(world, "b")
    primary.start()
    primary.sql("ALTER SYSTEM SET synchronous_commit = remote_apply")
    primary.sql("CREATE DATABASE ci")
    standby.folder.mkdir()
    standby.data.mkdir()
    primary.own(standby.folder, standby.data)
    standby.data.chmod(0o700)
    primary.control("pg_basebackup", "-d", f"host={primary.folder} user=postgres application_name=standby", "-D",
                    standby.data, "-R", "-X", "stream", "-c", "fast")
    with open(standby.data / "postgresql.auto.conf", "a") as file:
        file.write(f"unix_socket_directories = '{standby.folder}'\n")
        file.write(f"primary_conninfo = 'host={primary.folder} user=postgres application_name=standby'\n")
    standby.start()
    # Only now: without a standby no commit would return.
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    primary.sql("SELECT pg_reload_conf()")
    harness.await_true("the standby is synchronous", lambda: "sync" in primary.sql(
        "SELECT sync_state FROM pg_stat_replication").split())
    return primary, standby


def judge(program, writers):
    """What was confirmed and is not there, what is there twice, and what is there though the command said that it is not."""
    found = collections.Counter()
    for plan in sorted({writer.plan for writer in writers}):
        nodes = program.nodes(plan)
        found.update(node["id"] for node in nodes["checks"])
        found.update(line["message"] for stage in nodes["stages"] for line in stage["attempts"][-1]["progress"])
        versions = collections.Counter(
            entry["reason"] for entry in {e["version"]: e for e in map(json.loads, program.must(
                "-p", plan, "log", "-o", "jsonl").splitlines())}.values() if entry["reason"])
        found.update({f"record of {key}": count for key, count in versions.items()})
    lost = 0
    for writer in writers:
        for key in writer.confirmed:
            expected = [key] if writer.number % 2 else [
                f"record of {key}", *(f"c{key}-{i}" for i in range(writer.batch))]
            lost += sum(name not in found for name in expected)
    denied = [key for writer in writers for key, error in writer.unknown if "nothing was written" in error]
    wrong = sum(key in found or f"record of {key}" in found for key in denied)
    return lost, sum(count > 1 for count in found.values()), wrong


def fail_over(options, early):
    with harness.World() as world:
        primary, standby = replicated(world)
        hosts = f"postgresql:///ci?host={primary.folder},{standby.folder}&user=postgres&target_session_attrs=read-write"
        program = harness.Program(options.turboci, hosts)
        program.must("store", "init")
        primary.sql(f"UPDATE turboci.meta SET early_release = {str(early).lower()}", "ci")
        for number in range(4):
            program.must("plan", "create", f"plan{number}")
        writers = [Writer(program, number, 60 if options.long else 5) for number in range(WRITERS)]
        for writer in writers[1::2]:
            program.must("-p", writer.plan, "nodes", "write", "-",
                         text=json.dumps({"stages": [{"id": writer.stage, "args": {"command": "true"}}]}))
            program.must("-p", writer.plan, "attempt", "claim", writer.stage, "--process", "test")
        for writer in writers:
            writer.start()
        time.sleep(40 if options.long else 4)
        before = sum(len(writer.confirmed) for writer in writers)
        primary.kill()
        time.sleep(DETECTION)
        standby.control("pg_ctl", "-D", standby.data, "-w", "promote")
        promoted = time.monotonic()
        # A server that waits for a standby that is gone would confirm nothing.
        time.sleep(12 if options.long else 4)
        for writer in writers:
            writer.over.set()
        for writer in writers:
            writer.join()
        after = [min((moment for moment in writer.times if moment > promoted), default=None) for writer in writers]
        lost, twice, wrong = judge(program, writers)
        damage = program.run("store", "check")
        nodes = sum(len(writer.confirmed) * (1 if writer.number % 2 else writer.batch) for writer in writers)
        unknown = [error for writer in writers for error in writer.unknown]
        pause = max((moment - promoted for moment in after if moment), default=None)
        print(f"failover{', early release' if early else ', late release'}: "
              f"{sum(len(writer.confirmed) for writer in writers)} commands confirmed ({nodes} writes), {before} before; "
              f"{lost} lost, {twice} twice, {len(unknown)} failed, {wrong} of them wrongly; all clients go on after "
              f"{'never' if pause is None else f'{pause:.1f} s'}", flush=True)
        for error, count in collections.Counter(re.sub("'[^']*'", "", error)[:110] for _, error in unknown).most_common(4):
            print(f"  {count} x {error}", flush=True)
        assert lost == twice == wrong == 0 and None not in after and pause <= GOES_ON
        assert damage.returncode == 0, damage.stdout + damage.stderr
        assert not options.long or nodes >= 20000
        # The control: a judge that misses what was never written would miss what was lost.
        writers[0].confirmed.append("never")
        assert judge(program, writers)[0] == writers[0].batch + 1


def main():
    options = harness.arguments()
    for early in (True, False):
        fail_over(options, early)


main()
