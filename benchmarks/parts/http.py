"""`POST /orders` under load, next to the same endpoint without the bus."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.ground import TEMPLATE, Ground
from benchmarks.measure import Measured, Spread
from benchmarks.report import Part
from benchmarks.servers import free_port, wait_for
from benchmarks.svg import bars, number_text

KINDS = {
    "rendered": "ours, as rendered: the workflow of three",
    "alone": "ours, without the worker beside it",
    "by-hand": "the same endpoint, the same work by hand",
    "one": "ours, a command that leads to nothing",
    "one-by-hand": "the same endpoint, one event by hand",
    "fastapi": "FastAPI alone",
}
CONNECTIONS = 8
SECONDS = 1.5

ABOUT = f"""`POST /orders` with STORE=memory, {CONNECTIONS} connections from another process, over loopback. Without the bus the
routes, the body's checks, the correlation id, the log and the archive's file are the same, and one function does
by hand what the handlers do and keeps the events in a dictionary: it encodes nothing, checks nothing and would lose
what follows. As rendered, the worker and the read models run beside. FastAPI alone takes the same body and answers."""

WHY = """Three commands run before the answer, each a commit of its own with text that is encoded and read back, and a
pending command written and consumed. With one connection it keeps {} of the rate by hand."""
WHY_ONE = """What the bus adds to one command, next to what FastAPI and the log take."""


def measure(ground: Ground) -> Part:
    part = Part("http", "HTTP: POST /orders under load", ABOUT)
    seconds = 0.3 if ground.quick else SECONDS
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    times: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    alone: list[float] = []
    with ExitStack() as stack, ground.contenders() as start:
        ports = {kind: stack.enter_context(_serving(kind, ground)) for kind in KINDS}
        generator = start("load")
        for number in range(-1, ground.rounds):  # the first is to warm up
            for kind in KINDS if number % 2 else reversed(KINDS):
                answer = generator.ask(
                    "load", port=ports[kind], seconds=seconds, connections=CONNECTIONS
                )
                if number >= 0:
                    rates[kind].append(answer["rate"])
                    times[kind].append(answer)
            ours, by_hand = (
                generator.ask("load", port=ports[kind], seconds=seconds, connections=1)["rate"]
                for kind in ("alone", "by-hand")
            )
            if number >= 0:
                alone.append(ours / by_hand)
    measured = Measured({KINDS[kind]: [1 / rate for rate in rates[kind]] for kind in KINDS}, {})
    for kind, name in KINDS.items():
        p50, p99 = (Spread.of([each[key] * 1e3 for each in times[kind]]) for key in ("p50", "p99"))
        note = f"p50 {p50.median:.2f} ms, p99 {p99.median:.2f} ms"
        part.row(name, Spread.of(rates[kind]), "requests/s", note)
    part.pictures["Requests a second"] = bars(
        {name: measured.rate(name).median for name in KINDS.values()}
    )
    why = WHY.format(number_text(Spread.of(alone).median))
    workflow = "rate against the same endpoint without the bus, the workflow of three"
    for claim, ours, other, reason in (
        (workflow, "rendered", "by-hand", why),
        ("the same, with no worker and no read models beside it", "alone", "by-hand", why),
        (
            "rate against the same endpoint without the bus, one command",
            "one",
            "one-by-hand",
            WHY_ONE,
        ),
    ):
        speed = partial(measured.speed, KINDS[ours], KINDS[other])
        bound = 0.92 if claim == workflow else 0.9
        part.limit(claim, speed, bound, at_least=True, why=reason)
    return part


@contextmanager
def _serving(kind: str, ground: Ground) -> Iterator[int]:
    """The port on which a server of this kind answers."""
    port, service = free_port(), ground.service("sqlite")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(service / "src"), str(TEMPLATE)]),
        "PYTHONSAFEPATH": "1",
        "STORE": "memory",
        "FILES_PATH": str(ground.folder / f"files-{kind}"),
    }
    with (ground.folder / f"web-{kind}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.ours.web", kind, str(port)],
            cwd=ground.folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait()
