"""A service whose log holds every kind of data: it keeps ledgers.

`tests/bus/golden` keeps what it has written, so its messages must not change.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Clock,
    Command,
    CommandHandler,
    Dispatch,
    Event,
    EventHandler,
    EventStore,
    IdSource,
    MessageBus,
    Query,
    QueryHandler,
    Reader,
    UnitOfWork,
    Upcaster,
    applies,
    bootstrap,
)

from ...support.fakes import CountingIds, FakeClock


class Entry(msgspec.Struct, frozen=True):
    text: str
    cents: int


class Open(Command):
    ledger_id: str


class Post(Command):
    ledger_id: str
    entries: list[Entry]
    at: datetime


class Transfer(Command):
    ledger_id: str
    to: str
    cents: int


class Remind(Command, name="SendReminder"):
    ledger_id: str
    text: str = "é ☃"


class RemindLater(Command):
    ledger_id: str
    at: datetime


class Opened(Event):
    ledger_id: str


class Posted(Event, version=2):
    ledger_id: str
    entries: list[Entry]
    at: datetime | None = None
    ratio: float = 0.1
    tags: dict[str, bool] = {}  # noqa: RUF012 - msgspec copies it


class Reminded(Event, name="ReminderSent"):
    ledger_id: str
    text: str


class GetLedger(Query["Ledger"]):
    ledger_id: str


class Ledger(Aggregate):
    cents: int
    texts: list[str]

    @applies(Opened)
    def _opened(self, _event: Opened) -> None:
        self.cents, self.texts = 0, []

    @applies(Posted)
    def _posted(self, event: Posted) -> None:
        self.cents += sum(entry.cents for entry in event.entries)
        self.texts += [entry.text for entry in event.entries]

    @applies(Reminded)
    def _reminded(self, event: Reminded) -> None:
        self.texts.append(event.text)


class OpenHandler(CommandHandler[Open]):
    def handle(self, command: Open, uow: UnitOfWork) -> None:
        ledger = Ledger(command.ledger_id)
        ledger.record(Opened(ledger_id=ledger.id))
        uow.add(ledger)


class PostHandler(CommandHandler[Post]):
    def handle(self, command: Post, uow: UnitOfWork) -> None:
        ledger = uow.get(Ledger, command.ledger_id)
        tags = {"Übertrag": True, "": False}
        posted = Posted(ledger_id=ledger.id, entries=command.entries, at=command.at, tags=tags)
        ledger.record(posted)


class TransferHandler(CommandHandler[Transfer]):
    def handle(self, command: Transfer, uow: UnitOfWork) -> None:
        for ledger_id, cents in ((command.ledger_id, -command.cents), (command.to, command.cents)):
            ledger = uow.get(Ledger, ledger_id)
            for half in (cents // 2, cents - cents // 2):
                ledger.record(Posted(ledger_id=ledger.id, entries=[Entry("transfer", half)]))


class RemindHandler(CommandHandler[Remind]):
    def handle(self, command: Remind, uow: UnitOfWork) -> None:
        ledger = uow.get(Ledger, command.ledger_id)
        ledger.record(Reminded(ledger_id=ledger.id, text=command.text))


class RemindLaterHandler(CommandHandler[RemindLater]):
    def handle(self, command: RemindLater, uow: UnitOfWork) -> None:
        uow.schedule(Remind(ledger_id=command.ledger_id, text="later"), at=command.at)


class WhenPosted(EventHandler[Posted]):
    def handle(self, event: Posted) -> Iterable[Remind]:
        if event.at:
            yield Remind(ledger_id=event.ledger_id)


def of_one_entry(stored: dict[str, Any]) -> dict[str, Any]:
    """`Posted` as it was in the beginning."""
    return {
        "ledger_id": stored["ledger_id"],
        "entries": [{"text": stored["text"], "cents": stored["cents"]}],
    }


class GetLedgerHandler(QueryHandler[GetLedger]):
    def handle(self, query: GetLedger, reader: Reader) -> Ledger:
        return reader.get(Ledger, query.ledger_id)


def make_bus(store: EventStore, clock: FakeClock) -> MessageBus:
    """A bus that keeps ledgers, and leaves all follow-ups to a worker."""
    return bootstrap(
        commands=[
            (Open, OpenHandler),
            (Post, PostHandler),
            (Transfer, TransferHandler),
            (Remind, RemindHandler),
            (RemindLater, RemindLaterHandler),
        ],
        events=[(Opened, []), (Posted, [WhenPosted]), (Reminded, [])],
        queries=[(GetLedger, GetLedgerHandler)],
        upcasters=[Upcaster("Posted", 1, of_one_entry)],
        store=store,
        dependencies={Clock: clock, IdSource: CountingIds()},
        dispatch=Dispatch(steps=0, time_limit=timedelta(seconds=2), grace=timedelta(seconds=3)),
    )
