"""The contract suite on a real Postgres, and what only it can show."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import conninfo
from pydantic import SecretStr

from {{ cookiecutter.__package }}.adapters.event_store import (
    postgres,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres import (
    PostgresEventStore,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres.database import (
    REVISION,
    check_feed,
    check_revision,
    checked_url,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres.feed import (
    HOLDERS,
    PostgresFeed,
)
from {{ cookiecutter.__package }}.bus import (
    ConcurrencyError,
    ConfigurationError,
    EventStore,
    Position,
    StoreUnavailable,
)
from {{ cookiecutter.__package }}.config import Settings

from ..support import counter
from ..support.commits import append, commit, drain
from ..support.fakes import FakeClock
from ..support.postgres import database, server, template, url
from ..support.process import until
from .event_store_contract import EventStoreContract

__all__ = ["server", "template", "url"]

NOBODY = "postgresql://nobody:secret@127.0.0.1:1/none"
ADD_FROM_ANOTHER_PROCESS = """
import sys
from {{ cookiecutter.__package }}.adapters.event_store.postgres import (
    PostgresEventStore,
)
from tests.support import counter

store = PostgresEventStore(sys.argv[1])
bus = counter.make_bus(store)
for _ in range(20):
    bus.handle(counter.Add(counter_id="c"))
store.close()
"""


class TestPostgresEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, url: str) -> Iterator[EventStore]:
        store = PostgresEventStore(url, wait=30)
        yield store
        store.close()


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
        feed = PostgresFeed(ScriptedServer((9, "start", False, "2/7"), then))  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match="held back"):
        feed.end()


def test_nothing_is_settled_after_a_connection_was_lost() -> None:
    server: Any = ScriptedServer((9, "start", False, ""), (9, "start", False, "3/1"))
    feed = PostgresFeed(server)
    assert [feed.end(), feed.end()] == ["9", "9"]
    server.losses += 1
    with pytest.raises(StoreUnavailable, match="held back"):
        feed.end()


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


def test_the_feed_does_not_stall_at_a_number_that_was_never_used(
    store: PostgresEventStore, url: str
) -> None:
    with psycopg.connect(url) as failed:
        insert(failed, "s/never")
        failed.rollback()
    store.append(commit(append(Position.start("s/1"))))
    assert [each.stream_id for each in drain(store)[0]] == ["s/1"]


def test_what_a_commit_has_read_is_held_until_it_is_done(
    store: PostgresEventStore, url: str
) -> None:
    """The first waits for a lock of ours between reading one stream and writing the other. The
    second reads and writes them the other way round."""
    read, written = Position("s/read", 1), Position("s/written", 1)
    for end in (read, written):
        store.append(commit(append(Position.start(end.stream_id))))
    with (
        psycopg.connect(url) as ours,
        psycopg.connect(url, autocommit=True) as looking,
        ThreadPoolExecutor(2) as pool,
    ):
        ours.execute("SELECT FROM streams WHERE stream_id = 's/written' FOR UPDATE")
        first = pool.submit(store.append, commit(append(written), unchanged=(read,)))
        until(lambda: waiting(looking) == 1 or None)
        second = pool.submit(store.append, commit(append(read), unchanged=(written,)))
        until(lambda: second.done() or waiting(looking) == 2 or None)
        ours.rollback()
        first.result()
        with pytest.raises(ConcurrencyError):
            second.result()


def waiting(connection: psycopg.Connection[Any]) -> int:
    """How many statements wait for a lock."""
    found = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ).fetchone()
    return int(found[0]) if found else 0


def test_processes_on_one_database_lose_no_update(store: PostgresEventStore, url: str) -> None:
    bus = counter.make_bus(store)
    bus.handle(counter.Open(counter_id="c"))
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADD_FROM_ANOTHER_PROCESS, url],
            cwd=root,
            env={"PYTHONPATH": f"{root / 'src'}:{root}"},
        )
        for _ in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert bus.ask(counter.GetTotal(counter_id="c")) == 60


def test_a_connection_that_was_cut_is_replaced(store: PostgresEventStore, url: str) -> None:
    store.append(commit(append(Position.start("s/1"))))
    store.end()
    with psycopg.connect(url) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        insert(other, "s/2")
        with pytest.raises(StoreUnavailable):
            store.load("s/1")
        assert len(store.commits("s/1")) == 1
        with pytest.raises(StoreUnavailable, match="the feed is held back"):  # it begins anew
            store.end()


def test_a_server_that_does_not_answer_is_waited_for() -> None:
    store = PostgresEventStore(NOBODY, wait=0.2)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.load("s/1")
    assert time.monotonic() - started < 5
    store.close()


def test_whoever_finds_no_connection_free_waits_a_bounded_time(url: str) -> None:
    store = PostgresEventStore(url, connections=1, wait=0.2)
    with store._database.connection():
        answers: list[str] = []

        def load() -> None:
            try:
                store.load("s/1")
            except StoreUnavailable as error:
                answers.append(str(error).rpartition(":")[0])

        threads = [Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert answers == ["Postgres: no connection is free"] * 3
    assert store.commits("s/1") == []
    store.close()


def test_an_old_schema_stops_the_start_with_one_line(url: str, server: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(ConfigurationError, match=r"at revision 0000, .* run `.* create-store`"):
        PostgresEventStore(url)
    with (
        database(server) as empty,
        pytest.raises(ConfigurationError, match=r"the schema is empty, .* run `.* create-store`"),
    ):
        PostgresEventStore(empty)


def test_the_adapter_needs_the_newest_of_the_migrations() -> None:
    config = Config()
    folder = Path(postgres.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_a_server_that_refuses_says_why_and_what_to_do(url: str) -> None:
    gone = conninfo.make_conninfo(url, dbname="gone", password="hunter2")
    nobody = conninfo.make_conninfo(url, user="nobody", password="hunter2")
    for asked, reason in (
        (gone, r'database "gone" does not exist: create .*, then run `.* create-store`'),
        (nobody, r'role "nobody" does not exist: is DATABASE_URL right'),
    ):
        store = PostgresEventStore(asked, wait=0.5)
        with pytest.raises(StoreUnavailable, match=reason) as refused:
            store.load("s/1")
        store.close()
        with pytest.raises(StoreUnavailable, match=reason) as not_created:
            postgres.create(Settings(database_url=SecretStr(asked)))
        assert "hunter2" not in f"{refused.value}{not_created.value}"


@pytest.fixture
def clerk(server: str) -> Iterator[str]:
    """The URL of a user whose password is asked for."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE ROLE clerk SUPERUSER LOGIN PASSWORD 'right'")
        with database(server) as empty:
            yield conninfo.make_conninfo(empty, user="clerk", password="right")
        connection.execute("DROP ROLE clerk")


def test_a_wrong_password_is_named_and_not_shown(clerk: str) -> None:
    wrong = conninfo.make_conninfo(clerk, password="hunter2")
    reason = "password authentication failed for user .*: is DATABASE_URL right"
    with pytest.raises(StoreUnavailable, match=reason) as refused:
        postgres.create(Settings(database_url=SecretStr(wrong)))
    assert "hunter2" not in str(refused.value)
    postgres.create(Settings(database_url=SecretStr(clerk)))


def test_a_user_without_the_right_is_told_so(url: str, server: str) -> None:
    reader = "-c role=pg_monitor"
    with (
        psycopg.connect(url, options=reader) as connection,
        pytest.raises(ConfigurationError, match="DATABASE_URL: permission denied"),
    ):
        check_revision(connection)
    with database(server) as empty:
        asked = Settings(database_url=SecretStr(conninfo.make_conninfo(empty, options=reader)))
        with pytest.raises(ConfigurationError, match="DATABASE_URL: permission denied"):
            postgres.create(asked)


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "postgresql://a:hunter2@[",
        "host=hunter2 nonsense",
        "postgresql://a:x@hunter2@127.0.0.1:1/b",
        "postgresql://a:hunter2/x@127.0.0.1:1/b",
        "postgresql://a:1/hunter2@127.0.0.1:1/b",
        "postgresql://a:hunter2%x@127.0.0.1:1/b",
        "postgresql://a:hunter2 x@127.0.0.1:1/b",
        "postgresql://a:hunter2/b",
    ],
)
def test_what_is_no_url_stops_the_start_and_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as refused:
        postgres.create(Settings(store="postgres", database_url=SecretStr(url)))
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        postgres.open_store(Settings(store="postgres", database_url=SecretStr(url)))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a%40b:%40%2F%3A%3F%23%25%20@127.0.0.1:1/b",
        "postgresql://a:p:?#&=@[::1]:1/b?sslmode=disable",
        "postgres://a@one:1,two:2/b",
        "postgresql:///b?host=/run/postgresql&password=a@b",
        "host=@abstract dbname=b password=a@b",
    ],
)
def test_a_url_whose_password_is_written_as_it_should_be_is_taken(url: str) -> None:
    assert checked_url(url) == url


def test_without_a_url_the_start_says_so() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL: not set"):
        postgres.open_store(Settings(store="postgres"))
