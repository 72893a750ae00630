# SPDX-License-Identifier: Apache-2.0
"""The command line of the benchmark."""
import argparse
import datetime
import os
import pathlib
import shutil
import sys
import tempfile

import plot
import programs
import reading
import running
import serving
import table
import writing
from context import Context, Sizes

ROOT = programs.BENCH.parent.parent
MEASURES = {
    "start": reading.start,
    "bulk": writing.bulk,
    "single": writing.single,
    "crowd": writing.crowd,
    "query": reading.query,
    "graph": reading.graph,
    "deep": reading.deep,
    "run": running.run,
    "completions": running.completions,
    "serving": serving.serving,
}
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PLOT = "cost-by-size.svg"


def arguments(argv):
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures turboci, the least that the same"
                                     " work can cost, and other programs, in turn in the same run.")
    parser.add_argument("turboci", nargs="?", type=pathlib.Path, metavar="TURBOCI",
                        help="the program (default: build/turboci, else the one in PATH)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: does it work?")
    parser.add_argument("--only", action="extend", nargs="+", choices=MEASURES, metavar="NAME",
                        help="only these measures: " + ", ".join(MEASURES))
    parser.add_argument("--largest", type=int, default=1_000_000, metavar="N",
                        help="no plans of more than N nodes (default 1000000)")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help=f"write results.json, table.md and {PLOT} there, and work on that disk")
    parser.add_argument("--update", type=pathlib.Path, metavar="FILE",
                        help=f"put the table between the markers of FILE, and images/{PLOT} beside it")
    parser.add_argument("--library", type=pathlib.Path, metavar="FILE",
                        help="libturboci.a (default: that of TURBOCI's build or installation)")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build" / "bench", metavar="DIR",
                        help="where the benchmark's own programs are built (default: build/bench)")
    return parser.parse_args(argv)


def find_turboci(given):
    path = given or (ROOT / "build" / "turboci")
    if given is None and not path.is_file():
        found = shutil.which("turboci")
        path = pathlib.Path(found) if found else path
    if not path.is_file():
        raise programs.SetupError(f"there is no program {path}; build turboci, or name it")
    return path.resolve()


def update(document, text, picture):
    """Replaces what stands between the markers."""
    old = document.read_text(encoding="utf-8")
    if BEGIN not in old or END not in old:
        raise programs.SetupError(f"{document} has no markers '{BEGIN}' and '{END}'")
    head, tail = old.split(BEGIN)[0], old.split(END)[1]
    document.write_text(f"{head}{BEGIN}\n{text}{END}{tail}", encoding="utf-8")
    if picture:
        (document.parent / "images").mkdir(exist_ok=True)
        (document.parent / "images" / PLOT).write_text(picture, encoding="utf-8")


def about(ctx, options):
    return {"turboci": programs.first_line([ctx.turboci, "--version"]), "machine": programs.machine(),
            "peers": ctx.peers, "date": datetime.date.today().isoformat(), "quick": options.quick,
            "library": "found" if ctx.program("completions") else "absent"}


def measure(ctx, options):
    rows, curves = [], {}
    for name in options.only or MEASURES:
        rows += MEASURES[name](ctx, curves)
    return rows, curves


def report(options, rows, curves, facts):
    text, picture = table.markdown(rows, facts), plot.svg(curves)
    if options.out:
        table.write_json(options.out / "results.json", rows, facts, curves)
        (options.out / "table.md").write_text(text, encoding="utf-8")
        if picture:
            (options.out / PLOT).write_text(picture, encoding="utf-8")
    if options.update:
        update(options.update, text, picture)
    print(text, end="")


def main(argv):
    options = arguments(argv)
    for name in [n for n in os.environ if n.startswith("TURBOCI_")]:
        del os.environ[name]

    def say(what):
        print(f"bench: {what}", file=sys.stderr, flush=True)
    try:
        turboci = find_turboci(options.turboci)
        library = options.library.resolve() if options.library else programs.find_library(turboci)
        built = programs.build(options.programs.resolve(), library)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="turboci-bench.", dir=options.out or pathlib.Path.cwd()) as work:
            ctx = Context(turboci, built, programs.peers(), pathlib.Path(work).resolve(),
                          Sizes.of(options.quick, options.largest), say)
            rows, curves = measure(ctx, options)
            report(options, rows, curves, about(ctx, options))
    except programs.SetupError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
