#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tour of README.md shows what the program says: every command is run again and its output compared.

$TURBOCI is the program. With --write the outputs in README.md are replaced by what was said.
Times, durations and process ids differ from run to run and are compared as such.
"""
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
TURBOCI = os.path.realpath(os.environ["TURBOCI"])


def normal(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", text)
    text = re.sub(r"\b\d+(\.\d+)?(ms|s)\b", "DURATION", text)
    text = re.sub(r"^slowest: .*", "SLOWEST", text, flags=re.M)  # their order is that of a race
    return re.sub(r"run:[^ \"]+", "RUNNER", text)


def run_tour(text, directory):
    """README with the output of each `$ command` of its console blocks as it is now."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TURBOCI", "GITHUB", "GITLAB")) and k != "NO_COLOR"}
    env.update(PATH=os.path.dirname(TURBOCI) + ":" + env["PATH"], LC_ALL="C.UTF-8", USER="you")
    out, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line == "```console"
            out.append(line)
        elif not inside:
            out.append(line)
        elif line.startswith("$ "):
            out.append(line)
            ran = subprocess.run(["bash", "-c", line[2:]], cwd=directory, env=env, text=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
            out += ran.stdout.splitlines()
    return "\n".join(out) + "\n"


def main():
    have = README.read_text()
    with tempfile.TemporaryDirectory(prefix="turboci-tour-") as work:
        directory = pathlib.Path(work) / "library"
        shutil.copytree(ROOT / "examples" / "library", directory, ignore=shutil.ignore_patterns("build", "*.db*"))
        now = run_tour(have, directory)
    if "--write" in sys.argv[1:]:
        README.write_text(now)
        return 0
    if have.count("\n$ turboci ") < 8:
        print("the tour is missing")
        return 1
    difference = list(difflib.unified_diff(normal(have).splitlines(), normal(now).splitlines(), "README.md", "now", lineterm=""))
    print("\n".join(difference) or "README.md shows what the program says")
    return 1 if difference else 0


sys.exit(main())
