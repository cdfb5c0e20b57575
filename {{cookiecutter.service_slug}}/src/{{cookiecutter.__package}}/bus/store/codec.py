"""The codec: encodes messages as stored text, and decodes them.

The text is a JSON array with an object for each message. ``$type`` names the message and, from
version 2 on, its version. Before a message is written, the codec decodes its text and refuses it if
the result is not equal. JSON libraries turn NaN into null and a tuple into a list without an error,
and a stream with such a value could never be loaded again.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, Union

import msgspec

from ..model.aggregate import Aggregate
from ..model.errors import CodecError, ConfigurationError, UnknownEvent
from ..model.messages import Command, Event, Message
from ..model.recorded_event import RecordedEvent
from ..model.upcasting import Upcasters
from .commit import StoredCommit

M = TypeVar("M", bound=Message)

RESERVED = ("command", "deadline", "refused")
"""What the names of streams that the bus makes itself begin with."""

CODEC_VERSION = 1
"""Goes up when the meaning of stored text changes."""

REPEATED_VALUE = re.compile(r"(?<=^Invalid enum value) .*(?= - at )", re.DOTALL)
"""The one message of msgspec that repeats the value, which must not be logged."""


class Unknown(msgspec.Struct, frozen=True):
    """A stored message that this code cannot read: its stored name and its stored fields. Only
    listings return one."""

    name: str
    fields: dict[str, Any]


class Codec(Generic[M]):
    """Encodes and decodes messages of the given types; upcasters lift older shapes of them.

    Raises `ConfigurationError` if two of them are stored under one name and version.
    """

    def __init__(self, types: Iterable[type[M]], upcasters: Upcasters | None = None) -> None:
        by_tag: dict[str, type[M]] = {}
        for message_type in types:
            tag = str(message_type.__struct_config__.tag)
            other = by_tag.setdefault(tag, message_type)
            if other is not message_type:
                raise ConfigurationError(
                    f"{other.__name__} and {message_type.__name__} are both stored as {tag!r}: "
                    "give one of them another name= or version="
                )
        self.types, self._upcasters = by_tag, upcasters or Upcasters()
        # `Union[...]`, because its members are known only at run time.
        union: Any = Union[tuple(by_tag.values())] if by_tag else None  # noqa: UP007 - at run time
        self._decoder = msgspec.json.Decoder(list[union])

    def encode(self, messages: Sequence[M]) -> str:
        """The messages as the text of a JSON array. Raises `CodecError` for a value that would not
        be equal after decoding."""
        try:
            text = msgspec.json.encode(messages)
            if self._decoder.decode(text) == messages:
                return text.decode()
            reason = "it reads back as another value (NaN, or a type that JSON has no word for?)"
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            reason = REPEATED_VALUE.sub("", str(error))
        names = ", ".join(type(message).__name__ for message in messages)
        raise CodecError(f"{names} cannot be stored: {reason}")

    def decode(self, text: str) -> list[M]:
        """The messages of this JSON array, in order. Raises `UnknownEvent`."""
        try:
            return self._decoder.decode(text)
        except msgspec.ValidationError:
            return self._lifted(text)

    def listed(self, text: str) -> list[M | Unknown]:
        """The messages of this JSON array for a listing. It does not stop at a message that it
        cannot read, but gives an `Unknown`. It never raises, whatever the text is."""
        try:
            stored = msgspec.json.decode(text, type=list[msgspec.Raw])
        except ValueError:
            return [Unknown("not readable", {})]
        return [self._listed(bytes(each).decode()) for each in stored]

    def _listed(self, text: str) -> M | Unknown:
        try:
            return self.decode(f"[{text}]")[0]
        except (UnknownEvent, ValueError):
            fields = msgspec.json.decode(text)
            if not isinstance(fields, dict):
                return Unknown("not readable", {})
            return Unknown(str(fields.pop("$type", "not readable")), fields)

    def replay(self, texts: Iterable[str], aggregate: Aggregate) -> None:
        """Decode these JSON arrays and apply their events to the aggregate, array by array.

        This is one loop, without a call for each array and without a list of all events, so that it
        adds little to the cost of decoding. Raises `UnknownEvent`.
        """
        decode = self._decoder.decode
        appliers: Mapping[Any, Callable[[Any, Any], None]] = aggregate.appliers
        for text in texts:
            try:
                events = decode(text)
            except msgspec.ValidationError:
                events = self._lifted(text)
            for event in events:
                appliers[type(event)](aggregate, event)

    def _lifted(self, text: str) -> list[M]:
        stored = msgspec.json.decode(text, type=list[dict[str, Any]])
        lifted = [self._upcasters.lift(each) for each in stored]
        try:
            return self._decoder.decode(text if lifted == stored else msgspec.json.encode(lifted))
        except msgspec.ValidationError as error:
            raise UnknownEvent(self._unknown(lifted, error)) from error

    def _unknown(self, lifted: list[dict[str, Any]], error: Exception) -> str:
        for stored in lifted:
            if stored.get("$type") not in self.types:
                known = ", ".join(sorted(self.types))
                return f"{stored.get('$type')!r} is not known here; known are: {known}"
        return f"the stored shape is not the declared one: {error}"


class Codecs:
    """The codecs of one service: one for its commands, and one for the events of each aggregate.

    Raises `ConfigurationError` if two aggregates have the same `stream_name`, if one has a name of
    `RESERVED`, or if a chain of upcasters does not end at one of these messages.
    """

    def __init__(
        self,
        commands: Iterable[type[Command]],
        aggregates: Iterable[type[Aggregate]] = (),
        upcasters: Upcasters | None = None,
    ) -> None:
        self._upcasters = upcasters or Upcasters()
        self.commands = Codec[Command](commands, self._upcasters)
        self._events: dict[type[Aggregate], Codec[Event]] = {}
        self._aggregates: dict[str, type[Aggregate]] = {}
        for aggregate_type in aggregates:
            if aggregate_type.stream_name in RESERVED:
                raise ConfigurationError(
                    f"{aggregate_type.__name__}: the stream_name {aggregate_type.stream_name!r} is "
                    "the bus's own: give it another"
                )
            other = self._aggregates.setdefault(aggregate_type.stream_name, aggregate_type)
            if other is not aggregate_type:
                raise ConfigurationError(
                    f"two aggregates have streams named {aggregate_type.stream_name!r}: "
                    "give one of them another stream_name="
                )
            self._events[aggregate_type] = Codec[Event](aggregate_type.appliers, self._upcasters)
        codecs: list[Codec[Any]] = [self.commands, *self.of_events()]
        self._upcasters.check(
            {
                tag: (message.message_name, message.message_version)
                for codec in codecs
                for tag, message in codec.types.items()
            }
        )

    @property
    def aggregates(self) -> Mapping[str, type[Aggregate]]:
        """The aggregates whose streams can be read, by `stream_name`."""
        return self._aggregates

    def events(self, aggregate_type: type[Aggregate]) -> Codec[Event]:
        """The codec of the events that this aggregate applies. Raises `ConfigurationError` if it is
        none of the aggregates given."""
        codec = self._events.get(aggregate_type)
        if codec is None:
            raise ConfigurationError(
                f"{aggregate_type.__name__} is in use, and no row of EVENTS names one of its events: "
                "add a row for each"
            )
        return codec

    def of_events(self) -> list[Codec[Event]]:
        """The codecs of all aggregates."""
        return [self.events(aggregate_type) for aggregate_type in self._aggregates.values()]

    def of_stream(self, stream_id: str) -> Codec[Event]:
        """The codec of the events in this stream. Raises `UnknownEvent` if no aggregate has such
        streams."""
        name = stream_id.partition("/")[0]
        aggregate_type = self._aggregates.get(name)
        if aggregate_type is None:
            raise UnknownEvent(f"{stream_id}: no aggregate here has streams named {name!r}")
        return self.events(aggregate_type)

    def recorded(self, commit: StoredCommit) -> list[RecordedEvent]:
        """The recorded events of a stored commit. Raises `UnknownEvent`."""
        events = self.of_stream(commit.stream_id).decode(commit.events)
        return [commit.recorded(event, offset) for offset, event in enumerate(events)]

    def listed(self, commit: StoredCommit) -> list[Event | Unknown]:
        """The events of a stored commit for a listing. It gives an `Unknown` for each event that it
        cannot read, also if it does not know the stream's aggregate."""
        try:
            codec = self.of_stream(commit.stream_id)
        except UnknownEvent:
            codec = Codec[Event](())
        return codec.listed(commit.events)
