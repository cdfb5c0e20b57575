"""The contract suite on a real Postgres, and what only it can show."""

import re
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import cast

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
    PostgresDatabase,
    PostgresEventStore,
    horizon,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres.database import (
    REVISION,
    check_revision,
    checked_url,
)
from {{ cookiecutter.__package }}.bus import (
    ConcurrencyError,
    ConfigurationError,
    Dispatch,
    EventStore,
    Position,
    StoreUnavailable,
    Worker,
    operations,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import status
from {{ cookiecutter.__package }}.entrypoints.cli.old_snapshots import (
    old_snapshots,
)

from ..support import counter
from ..support.commits import append, commit
from ..support.postgres import database, proxied, server, template, url, waiting
from ..support.process import until
from ..support.proxy import proxy
from .event_store_contract import EventStoreContract

__all__ = ["server", "template", "url"]

NOBODY = "postgresql://nobody:secret@127.0.0.1:1/none"
ADD_FROM_ANOTHER_PROCESS = """
import sys
from {{ cookiecutter.__package }}.adapters.event_store.postgres import (
    PostgresEventStore,
)
from tests.bus.support import counter

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


def test_a_load_of_a_long_stream_writes_no_temporary_file(url: str) -> None:
    """`temp_file_limit` makes an error of it, whichever plan the server chooses."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(
            "INSERT INTO commits (stream_id, version, count, events, command_id, command,"
            " correlation_id, context, recorded_at) SELECT 's/' || i % 2, i / 2 + 1, 1,"
            " repeat('x', 200), '', '', '', '{}', now() FROM generate_series(0, 3999) AS i"
        )
        for setting in ("work_mem = '64kB'", "temp_file_limit = 0"):
            connection.execute(f'ALTER DATABASE "{name}" SET {setting}'.encode())
        for mode, prepare in (
            ("custom", "SELECT"),
            ("generic", "SELECT"),
            ("custom", "VACUUM ANALYZE commits"),
            ("generic", "INSERT INTO snapshots VALUES ('s/1', 100, 'print', '{}')"),
        ):
            connection.execute(prepare.encode())
            plans = f"plan_cache_mode = force_{mode}_plan"
            connection.execute(f'ALTER DATABASE "{name}" SET {plans}'.encode())
            store = PostgresEventStore(url)
            for _ in range(6):  # from the fifth on, the statement is prepared
                assert len(store.load("s/1").events) == 2000
            assert len(store.load("s/1", 1500).events) == 1500
            after = 100 if "snapshots" in prepare else 0
            assert len(store.load("s/1", fingerprint="print").events) == 2000 - after
            store.close()


def test_the_table_of_what_is_open_is_vacuumed_when_a_hundredth_of_it_is_dead(url: str) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT option_name, option_value FROM pg_class, pg_options_to_table(reloptions)"
            " WHERE oid = 'pending'::regclass"
        )
        assert dict(found) == {
            "autovacuum_vacuum_threshold": "1000",
            "autovacuum_vacuum_scale_factor": "0.01",
        }


def test_status_names_who_holds_an_old_snapshot_of_this_database(
    store: PostgresEventStore, url: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that holds none keeps no dead row: only its last statement's was needed."""
    with (
        psycopg.connect(url, application_name="a report") as reader,
        psycopg.connect(url) as harmless,
        psycopg.connect(server) as elsewhere,
    ):
        harmless.execute("SELECT 1")
        for connection in (reader, elsewhere):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT 1")
        assert store.old_snapshots() == []
        monkeypatch.setattr(horizon, "OLD", timedelta(0))
        (line,) = old_snapshots(Settings(), counter.make_bus(store))
        pid = reader.info.backend_pid
        ends_it = rf"SELECT pg_terminate_backend\({pid}\) ends it"
        assert re.fullmatch(rf"kept by pid {pid} \(a report\), for 0\.\d s: {ends_it}", line.text)
        reader.rollback()
        assert list(old_snapshots(Settings(), counter.make_bus(store))) == []
        harmless.execute("SELECT pg_current_xact_id()")
        harmless.execute("PREPARE TRANSACTION 'it''s'")
        (name,) = store.old_snapshots()
        harmless.rollback()
        harmless.autocommit = True
        harmless.execute("ROLLBACK PREPARED 'it''s'")
    assert name.startswith("prepared transaction 'it''s', for 0.")
    assert old_snapshots in status.LINES


def test_where_no_age_is_known_an_old_snapshot_is_one_of_many_transactions_ago(
    monkeypatch: pytest.MonkeyPatch, url: str, server: str
) -> None:
    """As of a standby that reports what it needs, or if the server hides the age."""
    name = conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, options="-c role=postgres") as reader:
        reader.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO pg_signal_backend")
        reader.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO pg_signal_backend")
        reader.execute(f'ALTER DATABASE "{name}" SET role = pg_signal_backend'.encode())
        reader.commit()
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")
        store = PostgresEventStore(url)
        assert store.old_snapshots() == []
        monkeypatch.setattr(horizon, "MANY", 0)
        (found,) = store.old_snapshots()
        assert re.match(rf"pid {reader.info.backend_pid}.*, for \d+ transactions: ", found)
        store.close()
    slot = (None, None, "standby", "", None, 12_345)
    asked = SimpleNamespace(fetch=lambda _statement, _values: [slot])
    told = "replication slot standby, for 12,345 transactions: "
    assert horizon.old_snapshots(cast("PostgresDatabase", asked))[0].startswith(told)


def test_processes_on_one_database_lose_no_update(store: PostgresEventStore, url: str) -> None:
    bus = counter.make_bus(store)
    bus.handle(counter.Open(counter_id="c"))
    root = Path(__file__).parents[3]
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


def test_connections_that_were_closed_while_idle_are_replaced_unseen(
    store: PostgresEventStore, url: str
) -> None:
    store.append(commit(append(Position.start("s/1"))))
    database = store._database
    with database.connection(), database.connection(), database.connection():
        pass
    with psycopg.connect(url, autocommit=True) as other:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
        own = (other.info.backend_pid,)
        other.execute(f"SELECT pg_terminate_backend(pid) {others}".encode(), own)
        until(lambda: not other.execute(f"SELECT {others}".encode(), own).fetchall() or None)
    assert len(store.commits("s/1")) == 1


def test_a_server_that_froze_is_given_up_in_time_and_used_again(url: str) -> None:
    """Each of two idle connections has to be given up. Late answers are not taken for others."""
    with proxied(url) as (between, through):
        store = PostgresEventStore(through, wait=1)
        with store._database.connection(), store._database.connection():
            pass
        written = commit(append(Position.start("s/1")))
        between.freeze()
        started = time.monotonic()
        for _ in range(3):  # a commit, and sent again twice
            with pytest.raises(StoreUnavailable, match="no answer within"):
                store.append(written)
        assert time.monotonic() - started < 1.2
        between.thaw()
        until(lambda: answer(store))
        store.append(written)
        assert (store.load("s/2").position.version, len(store.commits("s/1"))) == (0, 1)
        store.close()


def answer(store: PostgresEventStore) -> bool | None:
    """True if the store answers."""
    try:
        store.ping()
    except StoreUnavailable:
        return None
    return True


@pytest.mark.parametrize("pooled", [True, False])
def test_behind_a_pooler_nothing_is_left_in_a_session(url: str, pooled: bool) -> None:
    with proxied(url) as (between, through):
        store = PostgresEventStore(through, connections=1, pooled=pooled)
        for _ in range(8):
            store.load("s/1")
        with store._database.reading() as connection:
            connection.execute("SELECT 1")
        store.close()
        left = [each in between.sent for each in (b"statement_timeout", b"lock_timeout", b"_pg3_")]
    assert left == [not pooled] * 3


def test_a_pooler_that_refuses_options_stops_the_start_and_names_the_setting() -> None:
    refusal = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"

    def refuse() -> socket.socket:
        client, server = map(servers.enter_context, socket.socketpair())
        server.sendall(b"E" + struct.pack("!i", 4 + len(refusal)) + refusal)
        return client

    with ExitStack() as servers, proxy(refuse) as between:
        url = f"postgresql://a@127.0.0.1:{between.port}/b?sslmode=disable"
        with pytest.raises(ConfigurationError, match="DATABASE_POOLER=transaction"):
            PostgresEventStore(url, wait=1)


def test_a_prepared_statement_that_is_not_there_names_the_setting(url: str) -> None:
    """As if a pooler had gone on with another of its connections."""
    store = PostgresEventStore(url, connections=1)
    for _ in range(8):
        store.load("s/1")
    with store._database.connection() as connection:
        connection.pgconn.exec_(b"DEALLOCATE ALL")
    with pytest.raises(StoreUnavailable, match=r"does not exist.*DATABASE_POOLER=transaction"):
        store.load("s/1")
    store.close()


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


def test_a_date_that_cannot_be_read_is_the_fault_of_its_stream(
    store: PostgresEventStore, url: str
) -> None:
    bus = counter.make_bus(store, dispatch=Dispatch(inline=False))
    for name in "abc":
        bus.handle(counter.Open(counter_id=name))
    for name in "ab":
        bus.handle(counter.Add(counter_id=name, carry_to="c"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE pending SET due_at = '0001-12-31 10:00:00+00 BC' WHERE stream_id = 'Counter/a'"
        )
    told: list[str] = []
    worker = Worker(bus, faulty=lambda stream_id, _error: told.append(stream_id))
    assert (worker.run_once(), told) == (1, ["Counter/a"])
    figures = operations.work(bus)
    assert (figures.due, [stream_id for stream_id, _ in figures.unreadable]) == (1, told)


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


EXPAND = """
revision, down_revision = "1.9.0", "1.0.0"
def upgrade():
    op.execute("ALTER TABLE commits ADD COLUMN note text")
"""
CONTRACT = """
revision, down_revision = "1.10.0", "1.9.0"
def upgrade():
    op.execute("ALTER TABLE commits DROP COLUMN correlation_id")
    op.execute("UPDATE schema SET serves = '1.9.0'")
"""


def test_two_releases_run_on_one_schema_until_it_no_longer_serves_the_older(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=SecretStr(url))
    migrations = Path(shutil.copytree(postgres.MIGRATIONS, tmp_path / "migrations"))

    def released(revision: str, migration: str) -> None:
        """The migration is run by the release that brings it."""
        (migrations / f"versions/{revision}.py").write_text(f"from alembic import op\n{migration}")
        with monkeypatch.context() as released:
            released.setattr(postgres, "MIGRATIONS", migrations)
            for module in (postgres, postgres.database):
                released.setattr(module, "REVISION", revision)
            postgres.create(settings)

    started_before = PostgresEventStore(url)
    released("1.9.0", EXPAND)
    postgres.create(settings)  # once more, by the older release
    started_after = PostgresEventStore(url)
    for name, store in (("a", started_before), ("b", started_after)):
        counter.make_bus(store).handle(counter.Open(counter_id=name))
        assert len(list(store.dump())) == "ab".index(name) + 1
        store.close()
    released("1.10.0", CONTRACT)
    newer = "schema is at revision 1.10.0, which serves releases from 1.9.0 on, and this"
    with pytest.raises(ConfigurationError, match=newer):
        PostgresEventStore(url)
    with pytest.raises(ConfigurationError, match=newer):
        postgres.create(settings)
    monkeypatch.setattr(postgres.database, "REVISION", "1.9.0")
    PostgresEventStore(url).close()


def test_the_adapter_needs_the_newest_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(postgres.MIGRATIONS))
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


@pytest.mark.parametrize(("threads", "connections"), [(8, 10), (20, 22)])
def test_each_thread_of_a_worker_has_a_connection(url: str, threads: int, connections: int) -> None:
    settings = Settings(store="postgres", database_url=SecretStr(url), worker_threads=threads)
    store = postgres.open_store(settings)
    assert isinstance(store, PostgresEventStore)
    assert store._database._pool.max_size == connections
    store.close()
