"""What a command costs on DynamoDB, in units: computed, not measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from benchmarks import servers
from benchmarks.ground import Ground
from benchmarks.measure import Spread
from benchmarks.report import Part
from benchmarks.svg import bars

COMMANDS = 3
TIP_BYTES = 32 * 1024
"""What a tip holds before it is set aside as a batch, as Equinox has it by default."""

ABOUT = """Write units by DynamoDB's documented rules (one for each begun KiB; twice that in a transaction, condition
checks included; one for each entry of an index that comes or goes), by the calculator of the rendered tests from
the requests that are really sent. The other layouts are computed by the same rules for items of the same sizes:
an item for each event with the head of its stream and an outbox entry, in a transaction, the entry later marked as
sent and deleted (2 + 2 + 2 + 1 + 1); an event and a snapshot in a transaction, as event-store-adapter has it (2 + 2); an
item for each event and no more, as Castore has it (1); a tip that each append rewrites and that is set
aside as a batch at 32 KiB, as Equinox has it. Only the first of them keeps what follows from an event in the same
write, as ours does; with the others it is lost if the process ends at the wrong moment, or is to be derived from
the table's stream."""


def measure(ground: Ground) -> Part:
    part = Part("cost", "Cost on DynamoDB, in units", ABOUT)
    with servers.moto(ground.folder) as url, ground.contenders() as start:
        ours = start("ours.cost", store="dynamodb", **servers.aws(url))
        opened, large, added = ours.ask("opened"), ours.ask("opened", data=1500), ours.ask("added")
        workflow, sizes = ours.ask("workflow"), ours.ask("sizes")
    for name, of in (
        ("ours, a plain command that makes an aggregate", opened),
        (f"ours, the same of {large['kib']} KiB", large),
        ("ours, a plain command on one that is there", added),
        ("ours, the workflow of three commands", workflow),
    ):
        part.row(name, _exactly(of["writes"]), "write units", _requests(of["requests"]))
        part.row(f"{name}: reads", _exactly(of["reads"]), "read units")
    typical = sum(sizes) / len(sizes)
    others = {
        "event, head and outbox": (8.0, 8.0 * COMMANDS),
        "event and snapshot": (4.0, 4.0 * COMMANDS),
        "an item for each event": (1.0, 1.0 * COMMANDS),
        "tip with batches": (float(units(typical)), float(sum(_tips(sizes)))),
    }
    for name, (plain, whole) in others.items():
        part.row(f"{name}, a plain command", _exactly(plain), "write units")
        part.row(f"{name}, three commands", _exactly(whole), "write units")
    long = _tips([round(typical)] * 200)
    part.row(
        "tip with batches, a command in a stream of 200",
        _exactly(sum(long) / 200),
        "write units",
        "the tip is written anew each time",
    )
    part.row("ours, a command in a stream of 200", _exactly(float(added["writes"])), "write units")
    each_plain = {"ours": float(opened["writes"])} | {
        name: each[0] for name, each in others.items()
    }
    each_whole = {"ours": float(workflow["writes"])} | {
        name: each[1] for name, each in others.items()
    }
    part.pictures["Write units of a plain command"] = bars(each_plain)
    part.pictures[
        "Write units of three commands, each the cause of the next; what follows is kept only by the first two"
    ] = bars(each_whole)
    for name, of in (("a plain command", opened), ("a plain command of several KiB", large)):
        part.limit(
            f"write units of {name}, per KiB",
            partial(_exactly, of["writes"] / of["kib"]),
            1,
            unit="",
        )
    part.limit(
        "write units of the workflow of three", partial(_exactly, workflow["writes"]), 18, unit=""
    )
    return part


def units(size: float) -> int:
    """Write units of an item of so many bytes, outside a transaction."""
    return max(1, math.ceil(size / 1024))


def _tips(sizes: Sequence[int]) -> list[int]:
    """The units of each append, if each goes into the tip; when that is full, a transaction sets it
    aside as a batch and begins anew."""
    cost, tip = [], 0
    for size in sizes:
        if tip + size > TIP_BYTES:
            cost.append(2 * units(tip) + 2 * units(max(tip, size)))
            tip = size
        else:
            tip += size
            cost.append(units(tip))
    return cost


def _exactly(value: float) -> Spread:
    return Spread.of([float(value)])


def _requests(names: Sequence[str]) -> str:
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
