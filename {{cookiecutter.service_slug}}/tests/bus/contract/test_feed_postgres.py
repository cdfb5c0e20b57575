"""The feed of Postgres, on a real one: what may hold it back, and that it skips nothing."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import conninfo
from pydantic import SecretStr

from {{ cookiecutter.__package }}.adapters.event_store import (
    postgres,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres import (
    PostgresEventStore,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres.database import (
    check_feed,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres.feed import (
    HOLDERS,
    PostgresFeed,
)
from {{ cookiecutter.__package }}.bus import (
    ConfigurationError,
    Position,
    StoreUnavailable,
)
from {{ cookiecutter.__package }}.config import Settings

from ...support.fakes import FakeClock
from ..support.commits import append, commit, drain
from ..support.postgres import database, server, template, url, waiting
from ..support.process import until

__all__ = ["server", "template", "url"]


@pytest.fixture
def store(url: str) -> Iterator[PostgresEventStore]:
    store = PostgresEventStore(url)
    yield store
    store.close()


def insert(connection: psycopg.Connection[tuple[object, ...]], stream_id: str) -> None:
    connection.execute(
        "INSERT INTO commits (stream_id, version, count, events, command_id, command,"
        " correlation_id, context, recorded_at)"
        " VALUES (%s, 1, 1, '[]', 'c', 'C', 'c', '{}', now())",
        (stream_id,),
    )


def listed(store: PostgresEventStore, checkpoint: str | None = None) -> list[str]:
    """The streams of the commits that the feed gives."""
    return [each.stream_id for each in drain(store, checkpoint)[0]]


def test_the_feed_never_skips_a_commit_that_began_first_and_ends_last(
    store: PostgresEventStore, url: str
) -> None:
    with psycopg.connect(url) as early, psycopg.connect(url) as late:
        insert(early, "s/early")
        insert(late, "s/late")
        late.commit()
        commits, checkpoint = drain(store)
        assert [each.stream_id for each in store.visible(checkpoint).commits] == ["s/late"]
        early.commit()
        commits += drain(store, checkpoint)[0]
    assert [each.stream_id for each in commits] == ["s/early", "s/late"]


def test_the_feed_does_not_stall_at_a_number_that_was_never_used(
    store: PostgresEventStore, url: str
) -> None:
    with psycopg.connect(url) as failed:
        insert(failed, "s/never")
        failed.rollback()
    store.append(commit(append(Position.start("s/1"))))
    assert [each.stream_id for each in drain(store)[0]] == ["s/1"]


def test_the_feed_waits_for_those_who_were_there_and_goes_as_far_as_they_had_drawn(
    store: PostgresEventStore, url: str
) -> None:
    with psycopg.connect(url) as early, psycopg.connect(url) as late:
        insert(early, "s/1")
        assert listed(store) == []
        insert(late, "s/2")
        store.append(commit(append(Position.start("s/3"))))
        early.commit()
        assert listed(store) == ["s/1"]
    assert listed(store) == ["s/1", "s/2", "s/3"]


SLOW_LOCKS = """
CREATE FUNCTION wait() RETURNS bool LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN true; END';
CREATE VIEW public.pg_locks AS SELECT * FROM (
    SELECT seen.*, wait() AS waited FROM pg_catalog.pg_locks AS seen OFFSET 0
) AS slow;
SELECT pg_advisory_lock(1)
"""
"""A list of locks that is made at once, and given when the test allows it."""


def test_whoever_comes_while_the_feed_looks_who_is_there_is_not_passed(url: str) -> None:
    name = conninfo.conninfo_to_dict(url)["dbname"]
    store = PostgresEventStore(url)
    with (
        psycopg.connect(url, autocommit=True) as looking,
        psycopg.connect(url) as late,
        ThreadPoolExecutor(1) as pool,
    ):
        looking.execute(SLOW_LOCKS.encode())
        looking.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog'.encode())
        store._database._pool.drain()
        first = pool.submit(drain, store)
        until(lambda: waiting(looking) == 1 or None)
        insert(late, "s/late")
        insert(looking, "s/soon")
        looking.execute("SELECT pg_advisory_unlock(1)")
        seen, checkpoint = first.result()
        late.commit()
        seen += drain(store, checkpoint)[0]
    assert [each.stream_id for each in seen] == ["s/late", "s/soon"]
    store.close()


@pytest.mark.parametrize("more", [(), (Position.start("s/0"),)], ids=["one stream", "two"])
def test_an_append_draws_its_position_when_it_holds_the_log_and_its_stream(
    url: str, more: tuple[Position, ...]
) -> None:
    """The feed rests on it. Who changes the sequence stops the append where it draws. Its statement
    is a prepared one by then."""
    store = PostgresEventStore(url, connections=1)
    for _ in range(6):
        store.append(commit(append(store.load("s/1").position)))
    late = commit(append(Position("s/1", 6)), *map(append, more))
    with (
        psycopg.connect(url) as ours,
        psycopg.connect(url, autocommit=True) as looking,
        ThreadPoolExecutor(1) as pool,
    ):
        ours.execute("ALTER SEQUENCE commits_position_seq MINVALUE 1")
        appended = pool.submit(store.append, late)
        until(lambda: waiting(looking) == 1 or None)
        held = looking.execute(f"SELECT FROM {HOLDERS}".encode()).fetchall()
        free = looking.execute("SELECT stream_id FROM streams FOR UPDATE SKIP LOCKED").fetchall()
        ours.rollback()
        appended.result()
    assert (len(held), free) == (1, [])
    store.close()


def test_nobody_who_leaves_the_log_alone_is_waited_for(
    store: PostgresEventStore, url: str, server: str, template: str
) -> None:
    """The log of a database that was made from the same template has the same number, even."""
    with (
        database(server, template) as foreign,
        psycopg.connect(foreign) as elsewhere,
        psycopg.connect(url) as beside,
        psycopg.connect(url) as reading,
    ):
        insert(elsewhere, "s/1")
        beside.execute("INSERT INTO streams (stream_id, version) VALUES ('s/other', 1)")
        reading.execute("SELECT FROM commits FOR UPDATE")
        store.append(commit(append(Position.start("s/1"))))
        assert listed(store) == ["s/1"]
        assert (listed(store, store.end()), store.holders()) == ([], [])


def test_the_feed_goes_to_what_a_transaction_that_does_not_end_may_have_drawn_and_names_it(
    store: PostgresEventStore, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    feed = PostgresFeed(store._database, lambda: clock.now().timestamp())
    store.append(commit(append(Position.start("s/1"))))
    before = feed.end()
    with psycopg.connect(url) as forgotten:
        insert(forgotten, "s/forgotten")
        pid = forgotten.info.backend_pid
        for number in range(2, 4):
            store.append(commit(append(Position.start(f"s/{number}"))))
            assert feed.end() == before
        (name,) = feed.holders()
        assert re.fullmatch(rf"pid {pid}, open for \d\.\d s: SELECT pg_term.*{pid}\) ends it", name)
        forgotten.execute("PREPARE TRANSACTION 'it''s'")
        (name,) = feed.holders()
        prepared = "prepared transaction 'it''s', open for 0"
        assert re.fullmatch(rf"{prepared}\.\d s: ROLLBACK PREPARED 'it''s' ends it", name)
        assert (feed.end(), caplog.messages) == (before, [])
        for _ in "ab":
            clock.move(seconds=10)
            feed.end()
        (line,) = caplog.messages
        assert line.startswith(f"the feed is held back by {prepared}")
    with pytest.raises(StoreUnavailable, match=f"the feed is held back by {prepared}"):
        store.end()
    assert listed(store) == []
    with psycopg.connect(url, autocommit=True) as operator:
        operator.execute("ROLLBACK PREPARED 'it''s'")
    assert (listed(store), listed(store, before)) == (["s/1", "s/2", "s/3"], ["s/2", "s/3"])
    assert store.holders() == []


def test_if_the_server_hides_ages_the_feed_says_how_long_it_has_waited(
    url: str, server: str
) -> None:
    name = conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET role = pg_signal_backend'.encode())
    with psycopg.connect(url, options="-c role=postgres") as holder:
        holder.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO pg_signal_backend")
        holder.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO pg_signal_backend")
        holder.commit()
        insert(holder, "s/1")
        store = PostgresEventStore(url)
        (name,) = store.holders()
        assert name.startswith(f"pid {holder.info.backend_pid}, waited for 0.")
        store.close()


class ScriptedServer:
    """A server, and the connection to it, that answers as told: the last position drawn, the start
    of the server, whether it is a standby; and who holds the log."""

    losses = 0

    def __init__(self, *answers: tuple[int, str, bool, str]) -> None:
        self._answers = [*answers]

    @contextmanager
    def connection(self) -> Iterator[Any]:
        yield self

    def execute(self, statement: bytes, *_: Any, prepare: bool = True) -> Any:
        if prepare:
            return SimpleNamespace(fetchall=list)
        *row, holders = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return SimpleNamespace(
            fetchone=lambda: row,
            nextset=lambda: True,
            fetchall=lambda: [(each,) for each in str(holders).split()],
        )


@pytest.mark.parametrize(
    "then",
    [
        pytest.param((9, "restarted", False, "3/1"), id="another start"),
        pytest.param((8, "start", False, "3/1"), id="fewer positions"),
        pytest.param((9, "start", False, "-1/7"), id="one that was prepared has another name"),
    ],
)
def test_nothing_is_settled_on_a_server_that_may_have_lost_positions(then: Any) -> None:
    server: Any = ScriptedServer((9, "start", False, ""), then)
    feed = PostgresFeed(server)
    assert feed.end() == "9"
    if then[3] == "-1/7":  # it began with the grace period
        server = ScriptedServer((9, "start", False, "2/7"), then)
        feed = PostgresFeed(server)
    with pytest.raises(StoreUnavailable, match="held back"):
        feed.end()


def test_nothing_is_settled_after_a_connection_was_lost(
    store: PostgresEventStore, url: str
) -> None:
    store.end()
    with psycopg.connect(url) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        insert(other, "s/1")
        with pytest.raises(StoreUnavailable, match="held back by pid"):
            store.end()


def test_a_server_that_becomes_a_standby_is_unavailable() -> None:
    server: Any = ScriptedServer((9, "start", False, ""), (9, "start", True, ""))
    feed = PostgresFeed(server)
    assert feed.end() == "9"
    with pytest.raises(StoreUnavailable, match="the server is a standby"):
        feed.end()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("REVOKE SELECT ON pg_locks FROM public", "permission denied for view pg_locks"),
        ("REVOKE SELECT ON commits_position_seq FROM pg_monitor", "denied for sequence commits_"),
        ("ALTER SEQUENCE commits_position_seq CACHE 2", "run `ALTER SEQUENCE .* CACHE 1`"),
        (
            "CREATE FUNCTION public.pg_is_in_recovery() RETURNS bool RETURN true",
            "the server is a standby",
        ),
        ("SELECT setval('commits_position_seq', 1, false)", "lags behind .*: run `.*create-store`"),
    ],
)
def test_a_server_whose_feed_would_skip_is_refused_in_one_line(
    url: str, change: str, reason: str
) -> None:
    with psycopg.connect(url) as connection:
        insert(connection, "s/1")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO pg_monitor")
        connection.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO pg_monitor")
        connection.execute(change.encode())
        connection.execute("SET ROLE pg_monitor; SET search_path = public, pg_catalog")
        with pytest.raises(ConfigurationError, match=f"^DATABASE_URL: .*{reason}"):
            check_feed(connection)
        connection.rollback()


def test_create_store_sets_a_sequence_that_lags_to_the_end_of_the_log(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(3):
            insert(connection, f"s/{number}")
        connection.execute("SELECT setval('commits_position_seq', 1, false)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            insert(connection, "s/at a position that is taken")
    for _ in "ab":
        postgres.create(Settings(database_url=SecretStr(url)))
        store = PostgresEventStore(url)
        store.append(commit(append(Position.start(f"s/{store.end()}"))))
        store.close()
    store = PostgresEventStore(url)
    assert listed(store) == ["s/0", "s/1", "s/2", "s/3", "s/4"]
    store.close()
