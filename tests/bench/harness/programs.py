# SPDX-License-Identifier: Apache-2.0
"""The programs of a run: turboci, our own floors and tools, and the peers that happen to be installed."""
import json
import pathlib
import platform
import re
import shutil
import subprocess

BENCH = pathlib.Path(__file__).resolve().parent.parent
PEERS = ("sqlite3", "ninja", "make", "doit", "snakemake", "wireit", "turbo", "nx")


class SetupError(Exception):
    """The benchmark cannot run; the message says why."""


def find_library(turboci):
    """libturboci.a of the build or installation that the program belongs to, else None."""
    here = turboci.parent
    for candidate in (here, *sorted(here.parent.glob("lib*")), *sorted(here.parent.glob("lib/*"))):
        if (candidate / "libturboci.a").is_file():
            return candidate / "libturboci.a"
    return None


def build(directory, library):
    """Configures and builds the floors and tools; returns the directory of the programs."""
    directory.mkdir(parents=True, exist_ok=True)
    generator = ["-G", "Ninja"] if shutil.which("ninja") and not (directory / "CMakeCache.txt").exists() else []
    log = directory / "bench-build.log"
    with open(log, "w", encoding="utf-8") as out:
        for command in (["cmake", "-S", BENCH, "-B", directory, *generator, f"-DTURBOCI_LIBRARY={library or ''}"],
                        ["cmake", "--build", directory, "--parallel"]):
            if subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode != 0:
                raise SetupError(f"the programs of the benchmark do not build; see {log}")
    return directory


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[0]


def package_of(name):
    """The directory of the npm package that a program comes from, else None."""
    parents = pathlib.Path(shutil.which(name)).resolve().parents
    return next((directory for directory in parents if (directory / "package.json").is_file()), None)


def version(name):
    """The first number with a dot in what --version says; of a program of npm that says none, its package's."""
    found = re.search(r"\d+(\.\d+)+", first_line([name, "--version"]))
    if found:
        return found.group()
    package = package_of(name)
    return json.loads((package / "package.json").read_text(encoding="utf-8"))["version"] if package else "of unknown version"


def peers():
    """Name of each peer to its version, None if it is not installed."""
    return {name: version(name) if shutil.which(name) else None for name in PEERS}


def machine():
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    count = len([d for d in pathlib.Path("/sys/devices/system/cpu").glob("cpu[0-9]*")])
    return f"{count} × {model}, Linux {platform.release()}"
