"""Command, Event, Query: the messages, and what identifies them.

A message is a frozen, keyword-only `msgspec.Struct`; declaring its fields is all there is to
write::

    class OrderCreated(Event):
        order_id: str

It is stored under the name of its class and version 1. With `name` and `version`, a class can be
renamed or get a new shape while the log keeps the old name::

    class OrderPlaced(Event, name="OrderCreated", version=2):
        order_id: str

A command may say for how long an attempt to run it as a follow-up may take::

    class AskModel(Command, time_limit=timedelta(seconds=90)):
        question: str
"""

from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar, dataclass_transform

import msgspec

R = TypeVar("R")


LONGEST_LIMIT = timedelta(days=1)


def tag_of(name: str, version: int) -> str:
    """The tag of a message in stored text: its name and, from version 2 on, its version."""
    return name if version == 1 else f"{name}.v{version}"


class MessageType(msgspec.StructMeta):
    """The metaclass of messages: makes them frozen and keyword-only, and tags their stored text."""

    message_name: str
    message_version: int

    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        name: str = "",
        version: int = 1,
        time_limit: timedelta | None = None,
        **options: Any,
    ) -> "MessageType":
        stored_name = name or class_name
        if "." in stored_name or version < 1:
            raise TypeError(f"{class_name}: a message name holds no dot, and versions start at 1")
        cls = super().__new__(
            mcls,
            class_name,
            bases,
            namespace,
            tag_field="$type",
            tag=tag_of(stored_name, version),
            # A message that can be stored holds no reference cycle, so garbage collection skips it.
            **{"gc": False, **options, "frozen": True, "kw_only": True},
        )
        cls.message_name, cls.message_version = stored_name, version
        if time_limit is not None:
            if not issubclass(cls, Command):
                raise TypeError(f"{class_name}: only a command has a time limit")
            if not timedelta(0) < time_limit <= LONGEST_LIMIT:
                raise TypeError(f"{class_name}: a time limit is more than 0, and at most a day")
            cls.time_limit = time_limit
        return cls


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Message(msgspec.Struct, frozen=True, metaclass=MessageType):
    """What commands, events and queries have in common: `type(message)` is a `MessageType`."""

    message_name: ClassVar[str]
    message_version: ClassVar[int]


class Command(Message):
    """*Do this.* Exactly one handler runs it, in one unit of work.

    `time_limit` is how long an attempt may take when it runs as a follow-up; without one, that of
    `Dispatch` holds.
    """

    time_limit: ClassVar[timedelta | None] = None


class Event(Message):
    """*This happened.* Recorded by an aggregate, for good."""


class Query(Message, Generic[R]):
    """*Tell me.* `Query[R]` is answered with an `R`; asking changes nothing."""
