# SPDX-License-Identifier: Apache-2.0
"""What the tests of a store in PostgreSQL under failure share: servers of their own, plans, and the program."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLUSTER = ROOT / "tests/support/postgresql-cluster"
SKIPPED = 77


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(SKIPPED)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--turboci", required=True, type=os.path.abspath)
    parser.add_argument("--long", action="store_true", help="the long form")
    options = parser.parse_args()
    if subprocess.run([CLUSTER, "found"]).returncode:
        skip("there is no initdb (Debian: postgresql)")
    for name in [name for name in os.environ if name.startswith("TURBOCI_")]:
        del os.environ[name]  # those of a stage that runs this test
    return options


def as_postgres(*command):
    """PostgreSQL does not run as root."""
    by_root = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.geteuid() == 0 else []
    return [*by_root, *map(str, command)]


def await_true(what, condition, seconds=60.0, pause=0.05):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(pause)


class World:
    """A folder of its own, and what was started in it; all of that ends with it."""

    def __enter__(self):
        # Who ends the test ends what it started.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="turboci-hosts-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.processes, self.servers, self.undo = [], [], []
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        for server in self.servers:
            server.stop()
        for step in reversed(self.undo):
            step()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *command, **options):
        process = subprocess.Popen([*map(str, command)], **options)
        self.processes.append(process)
        return process


class Server:
    """A PostgreSQL server in a folder of its own. It ends without ceremony: its data dies with the test."""

    def __init__(self, world, name):
        self.folder, self.data = world.folder / name, world.folder / name / "data"
        self.url = ""
        world.servers.append(self)

    def start(self):
        self.url = subprocess.run([CLUSTER, "start", self.folder], check=True, capture_output=True, text=True).stdout.strip()

    def stop(self):
        if (self.data / "postmaster.pid").exists():
            subprocess.run([CLUSTER, "stop", self.folder], stderr=subprocess.DEVNULL)

    def control(self, *command):
        folder = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[4])).parent
        subprocess.run(as_postgres(folder / command[0], *command[1:]), check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def own(self, *paths):
        if os.geteuid() == 0:
            for path in paths:
                shutil.chown(path, "postgres")

    def sql(self, statement, database="postgres"):
        url = self.url.replace("/postgres?", f"/{database}?")
        return subprocess.run(["psql", "-qAtXd", url, "-c", statement], check=True, capture_output=True, text=True).stdout.strip()

    def kill(self):
        """The postmaster and all its children at once, by pid: nothing is written any more."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True).stdout
        for pid in [postmaster, *map(int, children.split())]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        await_true("the server has ended", lambda: not pathlib.Path(f"/proc/{postmaster}/exe").exists())
        (self.data / "postmaster.pid").unlink(missing_ok=True)


class Program:
    """turboci on one store."""

    def __init__(self, turboci, store):
        self.command, self.store = [turboci, "--store", store], store

    def run(self, *arguments, text=None, timeout=120):
        return subprocess.run([*self.command, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=timeout)

    def must(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"turboci {' '.join(map(str, arguments))}: {done.returncode}: {done.stderr}"
        return done.stdout

    def nodes(self, plan, *filters):
        return json.loads(self.must("-p", plan, "nodes", "query", *filters, "-o", "json"))


def new_store(world, turboci):
    """A server with a store in its database ci, and turboci on it over the unix socket."""
    server = Server(world, "a")
    server.start()
    server.sql("CREATE DATABASE ci")
    program = Program(turboci, f"postgresql:///ci?host={server.folder}&user=postgres")
    program.must("store", "init")
    return server, program
