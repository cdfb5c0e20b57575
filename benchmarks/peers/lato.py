"""lato: a command and the event that it publishes, with a handler each, as its README shows."""

from __future__ import annotations

from collections.abc import Callable

from lato import Application, Command, Event, TransactionContext

from benchmarks.contender import serve, timed


class Open(Command):
    counter_id: str


class Opened(Event):
    counter_id: str


app = Application("counters")
log: list[Opened] = []


@app.on_enter_transaction_context
def begin(ctx: TransactionContext) -> None:
    ctx.dependency_provider.update(publish=ctx.publish)


@app.handler(Open)
def open_counter(command: Open, publish: Callable[[Event], None]) -> None:
    publish(Opened(counter_id=command.counter_id))


@app.handler(Opened)
def keep(event: Opened) -> None:
    log.append(event)


def turn(n: int) -> float:
    log.clear()
    seconds = timed(lambda number: app.execute(Open(counter_id=str(number))), n)
    assert len(log) == n
    return seconds


if __name__ == "__main__":
    serve("lato", turn=turn)
