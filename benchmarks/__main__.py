"""`make bench`: measure all parts, or one, and write the report."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from .ground import TEMPLATE, Ground
from .measure import CouldNotRun
from .report import Part, Report, as_text, show, write

PARTS = ("bus", "replay", "append", "worker", "cost", "http", "cold-start", "growth", "rendering")
LIBRARIES = (
    "boto3",
    "cookiecutter",
    "fastapi",
    "mangum",
    "msgspec",
    "psycopg",
    "pynamodb",
    "uvicorn",
)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "only", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all of them"
    )
    parser.add_argument(
        "--rounds", type=int, default=7, help="how often each contender has its turn"
    )
    parser.add_argument(
        "--quick", action="store_true", help="see that all runs: few and short turns"
    )
    parser.add_argument("--environments", type=Path, default=TEMPLATE / ".venv/bench")
    parser.add_argument(
        "--output", type=Path, help="a folder for the report: benchmarks, if all is run"
    )
    given = parser.parse_args(arguments)
    unknown = set(given.only) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so ends what was started
    wanted = [name for name in PARTS if not given.only or name in given.only]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        ground = Ground(Path(folder), given.environments, rounds=given.rounds)
        if given.quick:
            ground.quick, ground.rounds, ground.seconds = True, 2, 0.05
        report = run(wanted, ground)
    output = given.output or (TEMPLATE / "benchmarks" if wanted == list(PARTS) else None)
    if output and not (given.quick and not given.output):
        write(report, output)
        show(f"\nwritten to {output}/RESULTS.md")
    show(f"\n{report.summary}, after {report.seconds:.0f} s")


def run(wanted: list[str], ground: Ground) -> Report:
    """Measure these parts, each told as soon as it is done."""
    report = Report([], ground.versions, ground.rounds)
    ground.versions.update({name: version(name) for name in LIBRARIES})
    began = time.perf_counter()
    for name in wanted:
        started = time.perf_counter()
        module = import_module(f".parts.{name.replace('-', '_')}", __package__)
        try:
            part: Part = module.measure(ground)
        except CouldNotRun as error:
            part = Part(name, f"{name}: could not run", missing={name: str(error)})
        part.seconds = time.perf_counter() - started
        report.parts.append(part)
        show(as_text(part))
    report.seconds = time.perf_counter() - began
    return report


if __name__ == "__main__":
    main(sys.argv[1:])
