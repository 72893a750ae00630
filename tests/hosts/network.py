#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Workers on four hosts, each a network namespace with a name of its own, on one store. Workers are killed, links go
down, the server restarts. Every stage ends once, none runs in two places at a time, and all plans end."""
import collections
import json
import os
import random
import subprocess
import sys
import time

import harness

ADDRESS = "10.213.0"
HOSTS = 4


def ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True)


def alone():
    """Goes on in a network and a mount namespace of its own: what is made there meets nothing and ends with it."""
    if os.environ.get("HOSTS_ALONE"):
        return
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "true"], stderr=subprocess.DEVNULL).returncode:
        harness.skip("no right to make network namespaces")
    os.environ["HOSTS_ALONE"] = "yes"
    os.makedirs("/run/netns", exist_ok=True)
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])


class Network:
    def __init__(self):
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
        ip("link", "set", "lo", "up")
        ip("link", "add", "bridge0", "type", "bridge", "forward_delay", 0)
        ip("address", "add", f"{ADDRESS}.1/24", "dev", "bridge0")
        ip("link", "set", "bridge0", "up")
        for host in range(HOSTS):
            ip("netns", "add", f"host{host}")
            ip("link", "add", f"v{host}", "type", "veth", "peer", "name", "eth0", "netns", f"host{host}")
            ip("link", "set", f"v{host}", "master", "bridge0", "up")
            ip("-n", f"host{host}", "address", "add", f"{ADDRESS}.{host + 10}/24", "dev", "eth0")
            ip("-n", f"host{host}", "link", "set", "eth0", "up")
            ip("-n", f"host{host}", "link", "set", "lo", "up")

    def link(self, host, state):
        ip("link", "set", f"v{host}", state)


class Crew:
    """The workers, and what is done to them."""

    def __init__(self, world, network, server, turboci, url, jobs):
        self.world, self.network, self.server = world, network, server
        self.turboci, self.url, self.jobs = turboci, url, jobs
        self.workers = collections.defaultdict(list)
        self.down = {}  # host: when its link comes up again

    def add(self, host):
        # A host is known by its name: with one name for all, the processes of the others could be looked at.
        script = 'hostname "$0"; exec "$@"'
        self.workers[host].append(self.world.start(
            "ip", "netns", "exec", f"host{host}", "unshare", "--uts", "sh", "-c", script, f"host{host}",
            self.turboci, "--store", self.url, "worker", "-q", "-j", self.jobs,
            stdout=subprocess.DEVNULL, stderr=open(self.world.folder / f"worker{host}.log", "a")))

    def kill(self, host):
        worker = random.choice(self.workers[host])
        self.workers[host].remove(worker)
        worker.kill()
        worker.wait()
        self.add(host)

    def take_down(self, host, seconds):
        if host not in self.down:
            self.network.link(host, "down")
            self.down[host] = time.monotonic() + seconds

    def mend(self, now):
        for host in [host for host, until in self.down.items() if until <= now]:
            self.network.link(host, "up")
            del self.down[host]

    def restart_server(self):
        self.server.control("pg_ctl", "-D", self.server.data, "-m", "fast", "-w", "-l", self.server.folder / "server.log", "restart")


def stamps(file):
    """Each place where a stage ran, and from when to when; and how many of them came to their end."""
    runs, ended = {}, collections.Counter()
    for line in file.read_text().splitlines():
        stage, place, moment, what = line.split()
        begin, _ = runs.get((stage, place), (float(moment), None))
        runs[stage, place] = (begin, float(moment))
        ended[stage] += what == "end"
    return runs, ended


def meetings(runs):
    """Stages that ran in two places at a time."""
    found, by_stage = [], collections.defaultdict(list)
    for (stage, _), span in runs.items():
        by_stage[stage].append(span)
    for stage, spans in by_stage.items():
        spans.sort()
        found += [stage for (_, end), (begin, _) in zip(spans, spans[1:]) if begin < end]
    return found


def open_to_network(server):
    with open(server.data / "postgresql.conf", "a") as file:
        file.write(f"listen_addresses = '{ADDRESS}.1'\n")
    with open(server.data / "pg_hba.conf", "a") as file:
        file.write(f"host all all {ADDRESS}.0/24 trust\n")
    server.control("pg_ctl", "-D", server.data, "-m", "fast", "-w", "-l", server.folder / "server.log", "restart")


def make_plan(program, plan, stages, file):
    width = stages // 10
    command = ('stamp() { echo "%s $$-$(hostname) $(date +%%s.%%N) $1" >>%s; }; '
               "stamp begin; sleep 0.2; stamp goes; sleep 0.3; stamp end")
    nodes = [{"id": f"s{i}", "args": {"command": command % (f"{plan}/s{i}", file)},
              **({"dependencies": [f"s{i - width}"]} if i >= width else {})} for i in range(stages)]
    program.must("plan", "create", plan)
    program.must("-q", "-p", plan, "nodes", "write", "-", text=json.dumps({"stages": nodes}))


def trouble(crew, options, begun, step):
    """What goes wrong at this step, from a few seconds after the beginning on."""
    if not options.long:
        actions = {1: lambda: crew.take_down(0, 3), 2: lambda: crew.kill(1), 4: crew.restart_server, 6: lambda: crew.take_down(2, 5)}
        actions.get(step, lambda: None)()
        return
    if time.monotonic() - begun > 150:
        return
    if step % 5 == 1:
        crew.take_down(random.randrange(HOSTS), random.uniform(1, 60))
    if step % 4 == 2:
        crew.kill(random.randrange(HOSTS))
    if step % 40 == 20:
        crew.restart_server()


def main():
    options = harness.arguments()
    alone()
    plans, stages, per_host = (20, 500, 4) if options.long else (4, 25, 2)
    seed = int(os.environ.get("HOSTS_SEED", time.time()))
    random.seed(seed)
    # Nothing else may meet it: a stage twice in one file, in two places at once.
    assert meetings({("s", "a"): (1, 3), ("s", "b"): (2, 4), ("t", "a"): (1, 2), ("t", "b"): (3, 4)}) == ["s"]
    with harness.World() as world:
        network = Network()
        server, near = harness.new_store(world, options.turboci)
        open_to_network(server)
        file = world.folder / "stamps"
        names = [f"plan{i}" for i in range(plans)]
        for plan in names:
            make_plan(near, plan, stages, file)
        crew = Crew(world, network, server, options.turboci, f"postgresql://postgres@{ADDRESS}.1/ci", 4)
        for host in range(HOSTS):
            for _ in range(per_host):
                crew.add(host)
        begun, step, over = time.monotonic(), 0, False
        while not over:
            time.sleep(1)
            crew.mend(time.monotonic())
            trouble(crew, options, begun, step)
            step += 1
            if step % 3 == 0:
                over = all(all(count["state"] == "FINAL" for count in json.loads(
                    near.must("-p", plan, "plan", "show", "-o", "json"))["plan"]["counts"]) for plan in names)
            assert time.monotonic() - begun < (1500 if options.long else 300), "the plans do not end"
        took = time.monotonic() - begun
        runs, ended = stamps(file)
        passed = sum(node["outcome"] == "passed" for plan in names for node in near.nodes(plan, "--type", "stage")["stages"])
        met = meetings(runs)
        print(f"network: {plans * stages} stages in {took:.0f} s, seed {seed}: {passed} passed, {len(runs)} runs, "
              f"{sum(count > 1 for count in ended.values())} done again after a loss, {len(met)} in two places", flush=True)
        assert passed == plans * stages and not met and set(ended) == {f"{p}/s{i}" for p in names for i in range(stages)}
        check = near.run("store", "check")
        assert check.returncode == 0, check.stdout + check.stderr


main()
