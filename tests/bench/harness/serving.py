# SPDX-License-Identifier: Apache-2.0
"""Measures of turbocid, beside a server of the same library that knows nothing of plans."""
import contextlib
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

from context import Command
from plans import node_id
from programs import SetupError
from table import Row
from writing import count

GROUP = "A server over gRPC"
CLIENTS = 16
START_TIMEOUT = 10  # seconds


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process that listens, and how long it took until then."""

    def __init__(self, argv, port):
        self.port = str(port)
        begin = time.perf_counter()
        self.process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if self.process.poll() is not None or time.perf_counter() - begin > START_TIMEOUT:
                self.stop()
                raise SetupError(f"{argv[0]} does not listen")
            time.sleep(0.0002)
        self.start_us = (time.perf_counter() - begin) * 1e6

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0])

    def stop(self):
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def _running(*servers):
    try:
        yield servers
    finally:
        for server in servers:
            server.stop()


class Servers:
    """How the servers are started: turbocid, one that echoes, and one that commits what it echoes."""

    def __init__(self, ctx, directory):
        self.ctx = ctx
        self.turbocid_path = shutil.copy(directory / "turbocid", ctx.dir / "turbocid")
        shutil.copy(directory / "turboci-grpc", ctx.dir / "turboci-grpc")  # found beside turboci

    def turbocid(self, store):
        port = _free_port()
        return Server([self.turbocid_path, "--store", store, "--listen", f"127.0.0.1:{port}"], port)

    def echo(self):
        port = _free_port()
        return Server([self.ctx.program("rpc_server"), port], port)

    def durable(self):
        port = _free_port()
        path = pathlib.Path(self.ctx.path("floor.db"))
        path.unlink(missing_ok=True)
        return Server([self.ctx.program("rpc_server"), port, path], port)


def _wide_plan(path, width):
    with open(path, "w", encoding="ascii") as out:
        out.write("checks:\n")
        out.writelines(f"- {{id: c{i}, state: PLANNED}}\n" for i in range(width))
        out.write(f"- {{id: all, state: PLANNED, dependencies: [{', '.join(f'c{i}' for i in range(width))}]}}\n")


def _copy(ctx, store, name):
    return str(shutil.copy(store, ctx.path(name)))


def _calls(ctx, name, server, *words):
    return Command(name, [ctx.program("rpc_client"), server.port, *words], reports=True)


def _start(ctx, servers):
    taken = {"ours": [], "floor": []}
    resident = 0
    store = _copy(ctx, ctx.empty_store(), "start.db")
    for _ in range(ctx.sizes.rounds * 2):
        for name, start in (("ours", lambda: servers.turbocid(store)), ("floor", servers.echo)):
            with _running(start()) as (server,):
                taken[name].append(server.start_us)
                if name == "ours":
                    resident = max(resident, server.resident_kb())
    ours, floor = (statistics.median(times) for times in taken.values())
    return [Row(GROUP, "start of `turbocid` until it listens", ours, "a server that echoes", floor, 2.0),
            Row(GROUP, "its resident memory, idle", resident * 1024 / 1e6, "", limit=40, unit="MB", absolute=True)]


def _reads_and_writes(ctx, servers):
    store = _copy(ctx, ctx.bulk_store(ctx.sizes.small), "served.db")
    reads, each = ctx.sizes.steps, max(ctx.sizes.steps // 20, 5)
    with _running(servers.turbocid(store), servers.echo(), servers.durable()) as (ours, echo, durable):
        t = ctx.take([_calls(ctx, "ours", ours, "read", "bench", reads), _calls(ctx, "echo", echo, "read", "bench", reads)],
                     ctx.sizes.rounds)
        rows = [Row(GROUP, "a call that writes nothing, median", t["ours"].us, "a server that echoes", t["echo"].us, 1.5)]
        for clients in (1, CLIENTS):
            words = ("write", "bench", clients, each, f"new-{clients}-{{round}}-")
            t = ctx.take([_calls(ctx, "ours", ours, *words), _calls(ctx, "floor", durable, *words)], ctx.sizes.rounds,
                         warmup=0)
            who = "1 client" if clients == 1 else f"{clients} clients at once"
            rows.append(Row(GROUP, f"a write of one check, {who}", t["ours"].extra["each_us"],
                            "a server that commits together what waits", t["floor"].extra["each_us"],
                            1 / 0.6 if clients > 1 else None))
    return rows


def _fan_in(ctx, servers):
    rows, medians = [], {}
    widths = (ctx.sizes.steps // 10, ctx.sizes.steps, ctx.sizes.steps * 10)
    for width in widths:
        plan = ctx.made(f"wide-{width}.yaml", lambda path, width=width: _wide_plan(path, width))
        store = _copy(ctx, ctx.store_of(f"wide-{width}.db", plan), "fan.db")
        rounds = ctx.sizes.rounds
        each = min(width // rounds, ctx.sizes.steps // rounds)
        with _running(servers.turbocid(store), servers.durable()) as (ours, durable):
            t = {"ours": [], "floor": []}
            for r in range(rounds):
                words = ("finish", "bench", "c", r * each, each)
                once = ctx.take([_calls(ctx, "ours", ours, *words), _calls(ctx, "floor", durable, *words)], 1, warmup=0)
                for name, times in t.items():
                    times.append(once[name].us)
        medians[width] = statistics.median(t["ours"])
        if width == ctx.sizes.steps:
            rows.append(Row(GROUP, f"the end of one of {count(width)} that a check waits for, median", medians[width],
                            "one durable transaction by a call", statistics.median(t["floor"]), 1.5))
    rows.append(Row(GROUP, f"the end of one of {count(widths[-1])}", medians[widths[-1]], f"of {count(widths[0])}",
                    medians[widths[0]], 1.2))
    return rows


def _whole_plan(ctx, servers):
    n = ctx.sizes.big
    store = ctx.bulk_store(n)
    with _running(servers.turbocid(_copy(ctx, store, "whole.db"))) as (ours,):
        url = f"grpc://127.0.0.1:{ours.port}"
        name = node_id(n // 2 + 1)
        local = [ctx.turboci, "-s", store, "nodes", "query"]
        remote = [ctx.turboci, "-s", url, "nodes", "query"]
        ctx.say(f"{count(n)} nodes from a server")
        t = ctx.take([_calls(ctx, "stream", ours, "stream", "bench"), Command("local", [*local, "-o", "jsonl"]),
                      Command("remote", [*remote, "-o", "jsonl"])], ctx.sizes.rounds)
        one = ctx.take([Command("local", [*local, name]), Command("remote", [*remote, name])], ctx.sizes.quick_rounds)
    what, against = f"{count(n)} nodes with dependencies", "`nodes query -o jsonl` of the file"
    return [Row(GROUP, f"{what} as a stream", t["stream"].us, against, t["local"].us, 2.5),
            Row(GROUP, f"{what} by `nodes query -o jsonl`", t["remote"].us, against, t["local"].us),
            Row(GROUP, f"`nodes query REF` in {count(n)}, the whole process", one["remote"].us, "the same of the file",
                one["local"].us, 3.0)]


def serving(ctx, _curves):
    directory = ctx.source.parent
    if not (directory / "turbocid").is_file():
        return [Row(GROUP, "not measured", None, "turbocid", note="not found beside turboci")]
    if ctx.program("rpc_client") is None:
        return [Row(GROUP, "not measured", None, "gRPC", note="not installed")]
    servers = Servers(ctx, directory)
    ctx.say("a server")
    return (_start(ctx, servers) + _reads_and_writes(ctx, servers) + _fan_in(ctx, servers) + _whole_plan(ctx, servers))
