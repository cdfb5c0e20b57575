"""What was measured, said three times: as a table on the terminal, as JSON, as a page with pictures.

A limit is held against the median. What could not run stands there with its reason, and nothing in its
place; a part that was not run is not in the report.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Any

from .measure import CouldNotRun, Measured, Spread
from .svg import number_text


@dataclass(frozen=True)
class Row:
    """A line of a table: for orientation."""

    name: str
    value: Spread
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Limit:
    """What a figure has to be, and is or is not."""

    claim: str
    value: Spread
    bound: float
    at_least: bool = False
    unit: str = "×"
    why: str = ""

    @property
    def holds(self) -> bool:
        median = self.value.median
        return median >= self.bound if self.at_least else median <= self.bound

    @property
    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number_text(self.bound)} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        return "holds" if self.holds else "MISSED"


@dataclass
class Part:
    """One part of the benchmarks: what it measured, and what it could not."""

    name: str
    title: str
    about: str = ""
    rows: list[Row] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    """SVG, by their captions."""
    missing: dict[str, str] = field(default_factory=dict)
    """What could not run, and why."""
    seconds: float = 0.0

    def row(self, name: str, value: Spread, unit: str, note: str = "") -> None:
        self.rows.append(Row(name, value, unit, note))

    def limit(self, claim: str, value: Callable[[], Spread], bound: float, **options: Any) -> None:
        """Hold a figure against its bound; without the figure, say why it is not there."""
        try:
            self.limits.append(Limit(claim, value(), bound, **options))
        except CouldNotRun as error:
            self.missing[claim] = str(error)

    def times(self, measured: Measured, unit: str = "µs", factor: float = 1e6) -> None:
        """A row for each contender, and for each that could not run its reason."""
        for name in measured.seconds:
            time = measured.time(name)
            self.row(
                name, Spread(*[each * factor for each in (time.median, time.low, time.high)]), unit
            )
        self.missing.update(measured.failed)


@dataclass
class Report:
    """All parts of one run."""

    parts: list[Part]
    versions: dict[str, str]
    rounds: int
    seconds: float = 0.0
    load: float = field(default_factory=lambda: getloadavg()[0])
    """How many processes wanted to run as it began: on a machine of few cores, others among them."""
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def limits(self) -> list[tuple[str, Limit]]:
        return [(part.name, limit) for part in self.parts for limit in part.limits]

    @property
    def missed(self) -> list[tuple[str, Limit]]:
        return [(name, limit) for name, limit in self.limits if not limit.holds]

    @property
    def summary(self) -> str:
        held = len(self.limits) - len(self.missed)
        absent = sum(len(part.missing) for part in self.parts)
        return f"{held} of {len(self.limits)} limits hold; {absent} things could not run"

    def machine(self) -> str:
        return f"{platform.system()} {platform.machine()}, {cpu_count()} cores, Python {platform.python_version()}, load {self.load:.1f} as it began"


def as_text(part: Part) -> str:
    """For a terminal."""
    lines = ["", f"{part.name}: {part.title} ({part.seconds:.0f} s)", ""]
    width = max(
        [len(each.name) for each in part.rows] + [len(each.claim) for each in part.limits] + [0]
    )
    for row in part.rows:
        lines.append(f"  {row.name:{width}}  {_spread(row.value, row.unit)}  {row.note}".rstrip())
    if part.limits:
        lines.append("")
    for limit in part.limits:
        figure = f"{_spread(limit.value, limit.unit)}  {limit.wanted}"
        lines.append(f"  {limit.claim:{width}}  {figure}  {limit.verdict}")
    for name, reason in part.missing.items():
        lines.append(f"  {name:{width}}  could not run: {reason}")
    return "\n".join(lines)


def as_json(report: Report) -> str:
    parts = []
    for part in report.parts:
        said = asdict(part) | {
            "limits": [asdict(each) | {"holds": each.holds} for each in part.limits]
        }
        del said["pictures"]
        parts.append(said)
    return json.dumps(
        {
            "made_at": report.made_at.isoformat(timespec="seconds"),
            "machine": report.machine(),
            "rounds": report.rounds,
            "versions": dict(sorted(report.versions.items())),
            "parts": parts,
        },
        indent=1,
        ensure_ascii=False,
    )


def write(report: Report, folder: Path) -> None:
    """`RESULTS.md`, `results.json` and the pictures, in this folder."""
    pictures = folder / "results"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.svg"):
        old.unlink()
    for part in report.parts:
        for number, picture in enumerate(part.pictures.values(), 1):
            (pictures / f"{part.name}-{number}.svg").write_text(picture, "utf-8")
    (folder / "results.json").write_text(as_json(report) + "\n", "utf-8")
    (folder / "RESULTS.md").write_text(as_markdown(report), "utf-8")


def as_markdown(report: Report) -> str:
    lines = [
        "# What it costs",
        "",
        "Made by `make bench`, which measures the rendered service, as rendered, next to what else one would",
        "take and to the physical limit, in turns, in one run. A figure is the median over the rounds, with the",
        "quartiles in brackets. The ratios count; seconds are of this machine, and for orientation.",
        "",
        f"{report.made_at:%Y-%m-%d}, {report.machine()}, {report.rounds} rounds,"
        f" {report.seconds / 60:.0f} minutes: **{report.summary}**.",
        "",
        "| part | figure | measured | limit | |",
        "|---|---|---|---|---|",
    ]
    for name, limit in report.limits:
        figure = f"{_spread(limit.value, limit.unit)} | {limit.wanted}"
        verdict = limit.verdict if limit.holds else f"**{limit.verdict}**"
        lines.append(f"| {name} | {_cell(limit.claim)} | {figure} | {verdict} |")
    for part in report.parts:
        lines += _section(part)
    named = ", ".join(f"{name} {version}" for name, version in sorted(report.versions.items()))
    lines += ["", "## Versions", "", named, ""]
    return "\n".join(lines)


def _section(part: Part) -> Iterable[str]:
    lines = ["", f"## {part.title}", ""]
    if part.about:
        lines += [part.about, ""]
    for number, caption in enumerate(part.pictures, 1):
        lines += [f"{caption}:", "", f"![{_cell(caption)}](results/{part.name}-{number}.svg)", ""]
    if part.rows:
        lines += ["| | median [quartiles] | |", "|---|---|---|"]
        for row in part.rows:
            value = _spread(row.value, row.unit)
            lines.append(f"| {_cell(row.name)} | {value} | {_cell(row.note)} |")
        lines.append("")
    for limit in part.limits:
        if limit.why and not limit.holds:
            lines += [f"Missed: {limit.claim}. {limit.why}", ""]
    for name, reason in part.missing.items():
        lines += [f"Could not run: {name}: {reason}", ""]
    return lines[:-1]


def _spread(value: Spread, unit: str) -> str:
    text = number_text(value.median)
    if value.low != value.high:
        text += f" [{number_text(value.low)} – {number_text(value.high)}]"
    return f"{text} {unit}".strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
