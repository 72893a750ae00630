# SPDX-License-Identifier: Apache-2.0
"""What measures share: sizes, the work directory, files and stores made once, and runs in turn."""
import dataclasses
import json
import pathlib
import shutil
import sqlite3
import statistics
import subprocess

import plans
from programs import SetupError


@dataclasses.dataclass
class Sizes:
    small: int = 1_000
    big: int = 100_000
    huge: int = 1_000_000
    graph: int = 10_000
    steps: int = 1_000
    crowd: int = 400
    joins: tuple = (1_000, 10_000)
    rounds: int = 5  # of what takes a second
    quick_rounds: int = 60  # of what takes milliseconds

    @staticmethod
    def of(quick, largest):
        if quick:
            return Sizes(small=500, big=5_000, huge=0, graph=2_000, steps=200, crowd=80, joins=(100, 1_000), rounds=3,
                         quick_rounds=15)
        sizes = Sizes()
        sizes.big = min(sizes.big, largest)
        sizes.huge = sizes.huge if largest >= sizes.huge else 0
        return sizes

    def all(self):
        """Every size of the plot, ascending."""
        chosen = [self.small, self.small * 10, self.big, self.huge]
        return sorted({n for n in chosen if 0 < n <= max(self.big, self.huge)})


@dataclasses.dataclass
class Command:
    name: str
    argv: list
    prepare: list = dataclasses.field(default_factory=list)
    expect: int = 0
    rounds: int = 0
    reports: bool = False


@dataclasses.dataclass
class Taken:
    """The medians over the runs of one command."""
    us: float
    cpu_us: float
    peak_kb: int
    low: float
    high: float
    extra: dict


class Context:
    def __init__(self, turboci, programs, peers, directory, sizes, say):
        self.programs = programs
        self.peers = peers
        self.dir = pathlib.Path(directory)
        self.source = pathlib.Path(turboci)  # where its sisters are
        # A copy, as an installation makes one: a linker writes here and there, which leaves the file in many small
        # pieces of the kernel's memory, and each start of it pays for that.
        self.turboci = str(shutil.copy(turboci, self.dir / "turboci"))
        self.sizes = sizes
        self.say = say

    def program(self, name):
        path = self.programs / name
        return str(path) if path.exists() else None

    def has(self, peer):
        return self.peers.get(peer) is not None

    def path(self, name):
        return str(self.dir / name)

    def run(self, *argv, cwd=None):
        """Not timed; fails loudly."""
        done = subprocess.run([str(a) for a in argv], cwd=cwd or self.dir, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SetupError(f"{' '.join(map(str, argv))} exited {done.returncode}: {done.stderr[:2000]}")
        return done.stdout

    def made(self, name, make):
        """The path of a file of the work directory, made if it is not there yet."""
        path = self.dir / name
        if not path.exists():
            self.say(f"making {name}")
            draft = self.dir / (name + ".new")
            make(str(draft))
            draft.rename(path)
        return str(path)

    def plan_file(self, n, kind):
        writer = {"json": plans.write_json, "yaml": plans.write_yaml, "sql": plans.write_sql}[kind]
        return self.made(f"plan-{n}.{kind}", lambda path: writer(path, n))

    def empty_store(self):
        return self.made("empty.db", lambda path: self.run(self.turboci, "-s", path, "plan", "create", "bench"))

    def store_of(self, name, *files):
        """A store with the nodes of the files, under a name of its own."""
        def make(path):
            shutil.copy(self.empty_store(), path)
            self.run(self.turboci, "-s", path, "-q", "nodes", "write", *files)
        return self.made(name, make)

    def bulk_store(self, n):
        return self.store_of(f"bulk-{n}.db", self.plan_file(n, "json"))

    def busy_store(self, n):
        """As bulk_store, with stages that are ready and others that wait for them; to be written to."""
        ready = self.made(f"ready-{n}.yaml", lambda path: plans.write_ready(path, n))
        def make(path):
            shutil.copy(self.bulk_store(n), path)
            self.run(self.turboci, "-s", path, "-q", "nodes", "write", ready)
        return self.made(f"busy-{n}.db", make)

    def bare_database(self, n):
        """The nodes and edges in the fewest columns, as one would keep them for the sqlite3 shell."""
        def make(path):
            db = sqlite3.connect(path)
            db.executescript(plans.SQL_TABLES)
            db.executemany("INSERT INTO node VALUES(?, ?, 20)", ((i + 1, plans.node_id(i)) for i in range(n)))
            db.executemany("INSERT INTO edge VALUES(?, ?, ?)", ((i + 1, p, j + 1) for i in range(n)
                                                                 for p, j in enumerate(plans.targets(i))))
            db.commit()
            db.executescript(plans.SQL_INDEXES)
            db.close()
        return self.made(f"bare-{n}.db", make)

    def scratch(self, template, name):
        """A `prepare` command: a fresh copy of a store under a name, nothing of an earlier run beside it."""
        target = self.path(name)
        # Logs are set aside and not deleted: ext4 avoids inodes that were freed a moment ago, and looks at every one
        # of them for each new file.
        return ["sh", "-c", 'rm -f "$2" "$2".lock "$2"-journal; [ ! -d "$2".logs ] || mv "$2".logs "$2".logs.$$; cp "$1" "$2"',
                "sh", template, target]

    def take(self, commands, rounds, warmup=1, cwd=None):
        """Runs the commands in turn; the medians by name."""
        request = {"rounds": rounds, "warmup": warmup, "sync": str(self.dir), "commands": []}
        for c in commands:
            entry = {"name": c.name, "argv": [str(a) for a in c.argv], "prepare": c.prepare, "expect": c.expect,
                     "reports": c.reports}
            if c.rounds:
                entry["rounds"] = min(c.rounds, rounds)
            request["commands"].append(entry)
        done = subprocess.run([self.program("turns")], input=json.dumps(request), capture_output=True, text=True,
                              cwd=cwd or self.dir, check=False)
        if done.returncode != 0:
            raise SetupError(done.stderr.strip())
        return {name: summary(runs) for name, runs in json.loads(done.stdout).items()}


def summary(runs):
    def middle(key):
        return statistics.median(run[key] for run in runs)
    times = sorted(run["us"] for run in runs)
    extra = {k: middle(k) for k in runs[0] if k not in ("us", "cpu_us", "peak_kb")}
    return Taken(us=middle("us"), cpu_us=middle("cpu_us"), peak_kb=max(run["peak_kb"] for run in runs),
                 low=times[len(times) // 10], high=times[len(times) * 9 // 10], extra=extra)
