"""What is wired wrong is refused at start, by name."""

from collections.abc import Generator, Iterable, Iterator
from typing import Any, Protocol

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Command,
    CommandHandler,
    ConfigurationError,
    Event,
    EventHandler,
    EventStore,
    FollowUp,
    MessageBus,
    Query,
    QueryHandler,
    Reader,
    RecordedEvent,
    UnitOfWork,
    applies,
    bootstrap,
)
from {{ cookiecutter.__package }}.config import Settings


class Send(Command):
    """A command."""


class Receive(Command):
    """Another."""


class Sent(Event):
    """An event."""


class Lost(Event):
    """An event that no aggregate applies."""


class Ask(Query[str]):
    """A query."""


class Parcel(Aggregate):
    @applies(Sent)
    def _sent(self, _event: Sent) -> None:
        pass


class Posted(Event):
    """An event of a letter, and the next one another."""


class Opened(Event):
    pass


class Letter(Aggregate):
    @applies(Posted)
    def _posted(self, _event: Posted) -> None:
        pass

    @applies(Opened)
    def _opened(self, _event: Opened) -> None:
        pass


class LetterFromAbroad(Letter):
    """Applies only what it inherits."""


class Postman(Protocol):
    def carry(self) -> str: ...


class Bicycle:
    def carry(self) -> str:
        return "by bicycle"


class WhenSentOfAnother(EventHandler[Sent]):
    def handle(self, event: Lost) -> Iterable[Command]:  # type: ignore[override]  # tested
        return []


class WhenSentToo(EventHandler[Sent]):
    """Asks for more than the event."""

    def handle(self, event: Sent, recorded: RecordedEvent) -> Iterable[Command]:
        if recorded.context.depth == 0:
            yield Receive()


def deciding(returned: Any) -> type[EventHandler[Sent]]:
    """An event handler whose return annotation is this."""

    class WhenSentDeciding(EventHandler[Sent]):
        def handle(self, event: Sent) -> Any:
            return []

    WhenSentDeciding.handle.__annotations__["return"] = returned
    return WhenSentDeciding


class Rates(msgspec.Struct, frozen=True):
    """Settings."""

    stamps: int


class SendHandler(CommandHandler[Send]):
    def handle(self, command: Send, uow: UnitOfWork) -> None: ...


class SendByPostman(CommandHandler[Send]):
    def __init__(self, postman: Postman) -> None:
        self.postman = postman

    def handle(self, command: Send, uow: UnitOfWork) -> None: ...


class SendUntyped(CommandHandler[Send]):
    def __init__(self, postman) -> None:  # type: ignore[no-untyped-def]  # what is tested
        self.postman = postman

    def handle(self, command: Send, uow: UnitOfWork) -> None: ...


class SendAlone(CommandHandler[Send]):
    def handle(self, command: Send) -> None:  # type: ignore[override]  # what is tested
        pass


class SendUnfinished(CommandHandler[Send]):
    pass


class WhenSent(EventHandler[Sent]):
    def handle(self, event: Sent) -> Iterable[Command]:
        return []


class WhenSentAtARate(EventHandler[Sent]):
    def __init__(self, rates: Rates) -> None:
        self.rates = rates

    def handle(self, event: Sent) -> Iterable[Command]:
        return []


class WhenSentReading(WhenSent):
    def __init__(self, store: EventStore) -> None: ...


class WhenSentWriting(WhenSent):
    def __init__(self, postman: Postman) -> None: ...


class WhenSentWorking(WhenSent):
    def __init__(self, uow: UnitOfWork) -> None: ...


class WhenSentMeddling(WhenSent):
    def __init__(self, bus: MessageBus) -> None: ...


class WhenSentGreedy(EventHandler[Sent]):
    def handle(self, event: Sent, uow: UnitOfWork) -> Iterable[Command]:  # type: ignore[override]
        return []


class AskHandler(QueryHandler[Ask]):
    def handle(self, query: Ask, reader: Reader) -> str:
        return "an answer"


def wire(**tables: Any) -> MessageBus:
    return bootstrap(**{"commands": [], "store": MemoryEventStore(), **tables})


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        (
            {"commands": [(Send, SendHandler), (Send, SendByPostman)]},
            "command Send is listed twice",
        ),
        ({"queries": [(Ask, AskHandler), (Ask, AskHandler)]}, "query Ask is listed twice"),
        (
            {"events": [(Sent, [WhenSent]), (Sent, [WhenSent])]},
            "event Sent names the handler WhenSent twice",
        ),
        ({"events": [(Sent, [WhenSentOfAnother])]}, "handle takes a Lost, but handles Sent"),
        ({"commands": [(Receive, SendHandler)]}, "SendHandler handles Send, .* row of Receive"),
        ({"events": [(Lost, [WhenSent])]}, "WhenSent handles Sent, .* row of Lost"),
        ({"commands": [(Send, WhenSent)]}, "WhenSent in the row of Send is not a CommandHandler"),
        ({"events": [(Sent, [SendHandler])]}, "SendHandler .* is not a EventHandler"),
        ({"commands": [(Send, SendHandler())]}, "row of Send is not a CommandHandler"),
        ({"events": [(Lost, [])]}, r"no aggregate applies Lost: .* @applies\(Lost\)"),
        ({"events": [(Posted, [])]}, r"Letter applies Opened, and no row .* add \(Opened, \[\]\)"),
        ({"events": [(Sent, [deciding("Nowhere")])]}, "handle: name 'Nowhere' is not defined"),
        ({"commands": [(Send, SendByPostman)]}, "SendByPostman asks for postman: Postman"),
        ({"commands": [(Send, SendUntyped)]}, "SendUntyped asks for postman: None"),
        ({"commands": [(Send, SendAlone)]}, r"SendAlone.handle takes \(self, command\)"),
        ({"commands": [(Send, SendUnfinished)]}, "SendUnfinished cannot be made: .*handle"),
        ({"events": [(Sent, [WhenSentGreedy])]}, r"handle takes \(self, event, uow\)"),
        ({"events": [(Sent, [WhenSentReading])]}, "WhenSentReading asks for store: EventStore"),
        ({"events": [(Sent, [WhenSentWriting])]}, "WhenSentWriting asks for postman: Postman"),
        ({"events": [(Sent, [WhenSentWorking])]}, "WhenSentWorking asks for uow: UnitOfWork"),
        ({"events": [(Sent, [WhenSentMeddling])]}, "WhenSentMeddling asks for bus: MessageBus"),
        ({"events": [(Sent, [WhenSentAtARate])]}, "WhenSentAtARate asks for rates: Rates"),
    ],
)
def test_a_mistake_is_refused_by_name(tables: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        wire(**tables)


@pytest.mark.parametrize(
    "returned",
    [
        Iterable[Receive],
        "list[Send | Receive] | None",
        Iterator[FollowUp[Receive]],
        Generator[FollowUp[Send] | FollowUp[Receive], None, None],
    ],
)
def test_a_follow_up_that_nothing_handles_is_refused_by_name(returned: Any) -> None:
    tables = {"commands": [(Send, SendHandler)], "events": [(Sent, [deciding(returned)])]}
    with pytest.raises(ConfigurationError, match="WhenSentDeciding lets Receive follow from Sent"):
        wire(**tables)


class Urgent(Send):
    """One of several that are sent."""


class UrgentHandler(CommandHandler[Urgent]):
    def handle(self, command: Urgent, uow: UnitOfWork) -> None: ...


@pytest.mark.parametrize(
    "returned", [Any, Iterable[Command], Iterable[FollowUp[Send]], list[Urgent]]
)
def test_a_follow_up_may_be_any_that_a_row_handles(returned: Any) -> None:
    wire(commands=[(Urgent, UrgentHandler)], events=[(Sent, [deciding(returned)])])


class SendLetter(CommandHandler[Send]):
    def handle(self, command: Send, uow: UnitOfWork) -> None:
        letter = LetterFromAbroad("l")
        letter.record(Posted())
        uow.add(letter)


def test_an_aggregate_that_no_row_knows_of_stops_the_first_command_that_uses_it() -> None:
    bus = wire(commands=[(Send, SendLetter)])
    with pytest.raises(ConfigurationError, match="no row of EVENTS names one of its events"):
        bus.handle(Send())
    assert bus.store.feed().commits == []


def test_an_aggregate_may_inherit_what_it_applies() -> None:
    bus = wire(commands=[(Send, SendLetter)], events=[(Posted, []), (Opened, [])])
    bus.handle(Send())
    assert bus.store.load("LetterFromAbroad/l").position.version == 1


@pytest.mark.parametrize("dependency", [Postman, EventStore, UnitOfWork, MessageBus])
def test_an_event_handler_is_refused_a_port_even_if_it_is_provided(dependency: Any) -> None:
    handlers = [WhenSentReading, WhenSentWriting, WhenSentWorking, WhenSentMeddling]
    for handler in handlers:
        with pytest.raises(ConfigurationError, match="decides from the event alone"):
            wire(events=[(Sent, [handler])], dependencies={dependency: object()})


def test_handlers_are_made_once_with_the_ports_they_ask_for() -> None:
    bicycle, rates = Bicycle(), Rates(3)
    bus = wire(
        commands={Send: SendByPostman},
        events={Sent: [WhenSentAtARate, WhenSent]},
        queries={Ask: AskHandler},
        dependencies={Postman: bicycle, Rates: rates},
    )
    command_handler: Any = bus.registry.commands[Send]
    event_handler: Any = bus.registry.events[Sent][0]
    assert command_handler.postman is bicycle
    assert event_handler.rates is rates
    assert bus.ask(Ask()) == "an answer"


def test_a_handler_may_extend_another() -> None:
    class Faster(SendHandler):
        pass

    assert isinstance(wire(commands=[(Send, Faster)]).registry.commands[Send], Faster)


def test_a_handler_need_not_say_of_which_type_its_message_is() -> None:
    class OfAny(CommandHandler[Send]):
        def handle(self, command: Any, uow: UnitOfWork) -> None:
            pass

    assert isinstance(wire(commands=[(Send, OfAny)]).registry.commands[Send], OfAny)


def test_this_service_is_wired_right() -> None:
    bus = make_bus(Settings(store="memory"))
    assert bus.registry.commands
    assert bus.registry.events
    assert bus.registry.queries
