"""Operations: what whoever runs a service asks of it, and does to it.

They return data, and print nothing: the command line shows it, and so may any other entry point.
Stored text is read by the codec alone. A listing goes on at a message that this code does not know,
and gives it by the name that it is stored under.
"""

from ...store.codec import Unknown
from .errors import NotFound
from .streams import Listed, State, UnknownRecord, correlated, history, listed, state, stream_id
from .work import (
    COUNTED,
    FOREVER,
    Lag,
    OpenCommand,
    Waiting,
    Work,
    dead_letter,
    dead_letters,
    drop,
    lags,
    pending,
    replay,
    work,
)

__all__ = [
    "COUNTED",
    "FOREVER",
    "Lag",
    "Listed",
    "NotFound",
    "OpenCommand",
    "State",
    "Unknown",
    "UnknownRecord",
    "Waiting",
    "Work",
    "correlated",
    "dead_letter",
    "dead_letters",
    "drop",
    "history",
    "lags",
    "listed",
    "pending",
    "replay",
    "state",
    "stream_id",
    "work",
]
