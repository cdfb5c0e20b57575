"""The example workflow, crashed at every call of the store and of the files.

A program: the environment names the store; the argument is a folder for the ledger of what was
accepted.
"""

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from {{ cookiecutter.__package }}.bootstrap import make_bus, open_store
from {{ cookiecutter.__package }}.bus import (
    AggregateNotFound,
    Clock,
    Context,
    Dispatch,
    Idempotency,
    MessageBus,
    Worker,
)
from {{ cookiecutter.__package }}.config import Settings, load_settings
from {{ cookiecutter.__package }}.observability import log

from ...support.fakes import FakeClock
from ..parcel import commands, queries
from ..parcel.files import DiskFileStore, FileStore
from ..support import parcels
from ..support.crash import Mortal, crash_at_every_call

WORKFLOW = [f"Parcel{done}" for done in ("Created", "Processed", "Archived")]
ROUNDS = 50


def main(folder: Path) -> None:
    own = {"snapshot_every": 2, "log_level": "error"}
    settings = load_settings().model_copy(update=own)
    log.configure(settings)
    parcels.install(http=False)
    for inline in (True, False):
        points = crash_at_every_call(
            partial(act, settings, folder, inline),
            partial(check, settings, folder, inline),
        )
        print(f"{'inline' if inline else 'worker'}: {points} points")


def bus_of(
    settings: Settings,
    folder: Path,
    inline: bool,
    mortal: Mortal[Any] = lambda port: port,
    later: timedelta = timedelta(0),
) -> MessageBus:
    return make_bus(
        settings,
        store=mortal(open_store(settings)),
        dependencies={
            FileStore: mortal(DiskFileStore(folder / "files")),
            Clock: FakeClock(datetime.now(UTC) + later),
        },
        dispatch=Dispatch(inline=inline),
    )


def id_of(number: int, inline: bool) -> str:
    return f"{'inline' if inline else 'worker'}-{number}"


def create(new_id: str) -> commands.CreateParcel:
    return commands.CreateParcel(parcel_id=new_id, data={})


def key_of(new_id: str) -> Idempotency:
    return Idempotency("crash", new_id, "the same each time")


def act(settings: Settings, folder: Path, inline: bool, number: int, mortal: Mortal[Any]) -> None:
    """Take in one, write into the ledger that it was accepted, and run what follows."""
    bus = bus_of(settings, folder, inline, mortal)
    new_id = id_of(number, inline)
    bus.handle(create(new_id), idempotency=key_of(new_id), context=Context(new_id, actor="Ada"))
    (folder / new_id).write_text("accepted")
    finish(bus)


def finish(bus: MessageBus) -> None:
    """Run what is due, and bring the read models up to date."""
    worker = Worker(bus)
    for _ in range(ROUNDS):
        if not worker.run_once():
            break
    for subscription in bus.subscriptions.values():
        while subscription.advance():
            pass


def check(settings: Settings, folder: Path, inline: bool, number: int) -> None:
    """After a restart: what was accepted is done, once; and nothing is half done, or stuck."""
    bus = bus_of(settings, folder, inline, later=timedelta(hours=1))
    finish(bus)
    new_id = id_of(number, inline)
    archived = list((folder / "files").rglob(f"{new_id}.json"))
    query = queries.GetParcelHistory(parcel_id=new_id)
    try:
        history = bus.ask(query)
    except AggregateNotFound:
        assert not (folder / new_id).exists(), "it was accepted, and is lost"
        assert not archived, "it never was, and is archived"
    else:
        happened = [recorded.event.message_name for recorded in history]
        assert happened == WORKFLOW, f"there happened {happened}"
        seen = {(each.context.correlation_id, each.context.actor) for each in history}
        assert seen == {(new_id, "Ada")}, f"the context of what followed is {seen}"
        assert [each.context.depth for each in history] == [0, 1, 2]
        assert len(archived) == 1, f"it is archived as {archived}"
        row = bus.ask(queries.GetParcelRow(parcel_id=new_id))
        assert (row.status, row.version) == ("archived", 3), f"the list shows {row}"
        again = bus.handle(create(new_id), idempotency=key_of(new_id))
        assert again.replayed, "sent again under its key, it was not known"
        assert [each.event_id for each in again.events] == [bus.ask(query)[0].event_id]
        assert len(bus.ask(query)) == len(WORKFLOW), "sent again, it had a second effect"
    assert bus.store.due(bus.clock.now()) == [], "it is stuck"
    assert bus.store.parked() == [], "it was given up"
    bus.store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
