# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: a measure, what it is held against, and the ratio to reach."""
import dataclasses
import json


@dataclasses.dataclass
class Row:
    group: str
    what: str
    ours: float | None  # in `unit`
    against: str
    theirs: float | None = None
    limit: float | None = None
    stretch: float | None = None
    unit: str = "us"
    note: str = ""  # in place of a figure that could not be taken
    absolute: bool = False  # the limit is of `ours` itself, in `unit`

    @property
    def ratio(self):
        if self.absolute or self.ours is None or not self.theirs:
            return None
        return self.ours / self.theirs

    @property
    def reached(self):
        value = self.ours if self.absolute else self.ratio
        if value is None or self.limit is None:
            return ""
        if self.stretch is not None and value <= self.stretch:
            return "stretch"
        return "yes" if value <= self.limit else "no"

    def as_json(self):
        return {**dataclasses.asdict(self), "ratio": self.ratio, "reached": self.reached}


def figure(value, unit):
    if value is None:
        return "–"
    if unit == "MB":
        return f"{value:.1f} MB"
    if unit == "count":
        return f"{value:,}"
    for limit, factor, name in ((1_000, 1, "µs"), (1_000_000, 1_000, "ms"), (float("inf"), 1_000_000, "s")):
        if value < limit:
            shown = value / factor
            return f"{shown:.0f} {name}" if shown >= 100 else f"{shown:.3g} {name}"
    return ""


def target(row):
    if row.limit is None:
        return ""
    unit = f" {row.unit}" if row.absolute and row.unit == "MB" else ""
    stretch = f" ({row.stretch:g})" if row.stretch is not None else ""
    return f"≤ {row.limit:g}{unit}{stretch}"


def markdown(rows, about):
    out = [f"{about['turboci']}, {about['machine']}, {about['date']}.", ""]
    group = None
    for row in rows:
        if row.group != group:
            group = row.group
            out += ["", f"**{group}**", "", "| measure | turboci | against | its figure | ratio | to reach | reached |",
                    "|---|--:|---|--:|--:|--:|---|"]
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        theirs = row.note or figure(row.theirs, row.unit) if row.against else ""
        out.append(f"| {row.what} | {figure(row.ours, row.unit)} | {row.against} | {theirs} | {ratio} | {target(row)} |"
                   f" {row.reached} |")
    absent = [name for name, version in about["peers"].items() if version is None]
    out += ["", "Peers: " + "; ".join(f"{n} {v}" for n, v in about["peers"].items() if v) + "."]
    if absent:
        out.append(f"Not installed, and so not measured: {', '.join(absent)}.")
    return "\n".join(out).replace("\n\n\n", "\n\n") + "\n"


def write_json(path, rows, about, curves):
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"about": about, "rows": [row.as_json() for row in rows], "curves": curves}, out, indent=1,
                  ensure_ascii=False)
        out.write("\n")
