"""The event store, as of version 1.0.0 of the bus."""

from alembic import op

revision = "1.0.0"
down_revision = None


def upgrade() -> None:
    """Create the tables. JSON is stored as text, because jsonb refuses some strings. Ids and names
    are sorted by bytes, as on every store.

    A pending command lives briefly, and leaves some four dead rows. By default, autovacuum comes
    when a fifth of a table is dead: with very many commands that are scheduled for later, hardly
    ever.

    `schema` names the oldest revision whose code this schema serves: see `check_revision`."""
    op.execute("""
    CREATE TABLE schema (
        serves         text NOT NULL
    );
    INSERT INTO schema VALUES ('1.0.0');
    CREATE TABLE streams (
        stream_id      text COLLATE "C" PRIMARY KEY,
        version        bigint NOT NULL
    );
    CREATE TABLE commits (
        position       bigint GENERATED ALWAYS AS IDENTITY,
        stream_id      text COLLATE "C" NOT NULL,
        version        bigint NOT NULL,
        count          int NOT NULL,
        events         text NOT NULL,
        command_id     text NOT NULL,
        command        text NOT NULL,
        correlation_id text NOT NULL,
        context        text NOT NULL,
        recorded_at    timestamptz NOT NULL,
        PRIMARY KEY (stream_id, version)
    );
    CREATE INDEX commits_correlated ON commits (correlation_id);
    CREATE UNIQUE INDEX commits_feed ON commits (position);
    CREATE TABLE pending (
        stream_id      text COLLATE "C" NOT NULL,
        version        bigint NOT NULL,
        ordinal        int NOT NULL,
        command_id     text NOT NULL,
        payload        text NOT NULL,
        context        text NOT NULL,
        attempts       int NOT NULL,
        due_at         timestamptz NOT NULL,
        in_order       bool NOT NULL,
        parked_at      timestamptz,
        error          text NOT NULL,
        PRIMARY KEY (stream_id, version, ordinal)
    ) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.01);
    CREATE INDEX pending_due ON pending (due_at) WHERE parked_at IS NULL;
    CREATE INDEX pending_parked ON pending (parked_at) WHERE parked_at IS NOT NULL;
    CREATE TABLE snapshots (
        stream_id      text COLLATE "C" PRIMARY KEY,
        version        bigint NOT NULL,
        fingerprint    text NOT NULL,
        state          text NOT NULL
    );
    CREATE TABLE idempotency (
        scope          text COLLATE "C" NOT NULL,
        key            text COLLATE "C" NOT NULL,
        fingerprint    text NOT NULL,
        command_id     text NOT NULL,
        after          text NOT NULL,
        expires_at     timestamptz NOT NULL,
        PRIMARY KEY (scope, key)
    );
    CREATE INDEX idempotency_expired ON idempotency (expires_at);
    CREATE TABLE view_rows (
        view           text COLLATE "C" NOT NULL,
        key            text COLLATE "C" NOT NULL,
        version        bigint NOT NULL,
        label          text COLLATE "C" NOT NULL,
        sort           text COLLATE "C" NOT NULL,
        data           text NOT NULL,
        PRIMARY KEY (view, key)
    );
    CREATE INDEX view_rows_listed ON view_rows (view, label, sort, key);
    CREATE TABLE cells (
        name           text COLLATE "C" PRIMARY KEY,
        text           text NOT NULL
    );
    """)
