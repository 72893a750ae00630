# SPDX-License-Identifier: Apache-2.0
"""What the crash tests share: running turboci and the tracer, and judging the store that is left.

Every test takes --turboci PROGRAM, --tools DIRECTORY (of crash_tracer and crash_reference), and --long. A test
ends with one line of figures, and with status 1 if a figure is wrong or if its control was not caught: the same
test on a writer that is broken on purpose.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

STORE = "turboci.db"
KNOWN_EXITS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 70}


class Trace:
    """What the tracer says about one run."""

    def __init__(self, text, stdout, stderr):
        words = dict(w.split("=", 1) for w in text.split())
        self.calls, self.writes = int(words["calls"]), int(words["writes"])
        self.io, self.changes, self.allocs = int(words["io"]), int(words["changes"]), int(words["allocs"])
        self.acked, self.hung = words["acked"] == "1", words["hung"] == "1"
        how, number = words["status"].split(":")
        self.exit = int(number) if how == "exit" else None
        self.signal = int(number) if how == "signal" else None
        self.at = words["at"]
        self.stdout, self.stderr = stdout, stderr

    @property
    def acknowledged(self):
        return self.acked or self.exit == 0


class Harness:
    def __init__(self, doc):
        parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--turboci", default=os.environ.get("TURBOCI"), help="the program (default: $TURBOCI)")
        parser.add_argument("--tools", default=os.environ.get("TURBOCI_CRASH_TOOLS"),
                            help="the directory of crash_tracer and crash_reference (default: beside the program)")
        parser.add_argument("--long", action="store_true", help="every point, not a sample")
        parser.add_argument("--only", metavar="NAME", help="one scenario, and no control")
        parser.add_argument("-v", "--verbose", action="store_true")
        self.options = parser.parse_args()
        if not self.options.turboci:
            parser.error("--turboci is missing")
        self.turboci = os.path.realpath(self.options.turboci)
        tools = os.path.realpath(self.options.tools or os.path.dirname(self.turboci))
        self.tracer, self.reference = (os.path.join(tools, f"crash_{name}") for name in ("tracer", "reference"))
        self.long = self.options.long
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="turboci-crash-", dir=memory))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("TURBOCI")}
        # Memory leaks cannot be looked for under ptrace.
        self.env.update(USER="tester", LC_ALL="C.UTF-8", ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1")
        self.problems = []
        self.quiet = False  # while a control runs

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def fresh(self, name, like=None):
        """An empty directory, or a copy of another one."""
        path = self.root / name
        shutil.rmtree(path, ignore_errors=True)
        if like:
            shutil.copytree(like, path)
        else:
            path.mkdir()
        return path

    def run(self, directory, *command, program=None):
        """Exit status, stdout, stderr of turboci (or `program`) in the directory."""
        ran = subprocess.run([program or self.turboci, *command], cwd=directory, env=self.env,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        return ran.returncode, ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace")

    def need(self, directory, *command):
        status, out, err = self.run(directory, *command)
        if status != 0:
            sys.exit(f"crash: preparing: '{' '.join(command)}' exited {status}: {err}")
        return out

    def trace(self, directory, command, *options, program=None):
        """Runs turboci (or `program`) under the tracer."""
        result = self.root / "result"
        result.unlink(missing_ok=True)
        arguments = [self.tracer, "--result", str(result), *map(str, options), "--", program or self.turboci, *command]
        ran = subprocess.run(arguments, cwd=directory, env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=300)
        if ran.returncode != 0 or not result.exists():
            sys.exit(f"crash: the tracer failed ({ran.returncode}): {ran.stderr.decode(errors='replace')}")
        return Trace(result.read_text(), ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace"))

    def export(self, directory, plan, store=STORE):
        """The plan, or several, as text; "absent" if there is none; None if it cannot be told."""
        texts = []
        for name in plan.split():
            status, out, _ = self.run(directory, "plan", "export", "-p", name, "-s", store)
            if status not in (0, 4):
                return None
            texts.append(out if status == 0 else "absent")
        return "absent" if set(texts) == {"absent"} else "\n".join(texts)

    def corrupt(self, directory, store=STORE):
        """What is wrong with the store; "" for nothing. It may be absent."""
        path = directory / store
        if not path.exists():
            return ""
        status, out, err = self.run(directory, "store", "check", "-s", store)
        if status != 0:
            return f"store check exited {status}: {out}{err}"
        db = sqlite3.connect(path)
        try:
            found = db.execute("PRAGMA integrity_check").fetchall()
        except sqlite3.Error as error:
            return str(error)
        finally:
            db.close()
        return "" if found == [("ok",)] else str(found)

    def problem(self, kind, what):
        """Notes one; returns 1, to be added to a figure."""
        if not self.quiet:
            self.problems.append(kind)
            if len(self.problems) <= 40 or self.options.verbose:
                print(f"{kind}: {what if self.options.verbose else what[:600]}", flush=True)
        elif self.options.verbose:
            print(f"(control) {kind}: {what[:200]}", flush=True)
        return 1

    def note(self, what):
        if self.options.verbose:
            print(what, flush=True)

    def finish(self, name, figures, caught):
        """Prints the last line; the exit status of the test."""
        control = "caught" if caught else "skipped" if caught is None else "NOT CAUGHT"
        print(f"{name}: {figures}, control {control}", flush=True)
        return 1 if self.problems or caught is False else 0


def sample(count, limit, first=1):
    """At most `limit` of the numbers from `first` to `count`, evenly spread, both ends among them."""
    span = count - first
    if span + 1 <= limit:
        return list(range(first, count + 1))
    return sorted({first + round(i * span / (limit - 1)) for i in range(limit)})


def normal(text):
    """An export without what differs from run to run: times are numbered as they appear, processes are gone."""
    if text is None:
        return None
    times = {}
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", lambda m: "T%d" % times.setdefault(m[0], len(times)), text)
    text = re.sub(r'"process_uid":"[^"]+"', '"process_uid":"P"', text)
    text = re.sub(r'"(identity|holder)":"[0-9a-f]{32}"', r'"\1":"random"', text)
    return re.sub(r'"runner":\{[^}]*\}', '"runner":{}', text)


def signal_name(number):
    return signal.Signals(number).name
