PRAGMA user_version = 3;
CREATE TABLE cells (
    name           TEXT PRIMARY KEY,
    text           TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE commits (
    position       INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id      TEXT NOT NULL,
    version        INTEGER NOT NULL,
    count          INTEGER NOT NULL,
    events         TEXT NOT NULL,
    command_id     TEXT NOT NULL,
    command        TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    context        TEXT NOT NULL,
    recorded_at    TEXT NOT NULL,
    UNIQUE (stream_id, version)
);
CREATE TABLE idempotency (
    scope          TEXT NOT NULL,
    key            TEXT NOT NULL,
    fingerprint    TEXT NOT NULL,
    command_id     TEXT NOT NULL,
    after          TEXT NOT NULL,
    expires_at     TEXT NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE TABLE pending (
    stream_id      TEXT NOT NULL,
    version        INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    command_id     TEXT NOT NULL,
    payload        TEXT NOT NULL,
    context        TEXT NOT NULL,
    due_at         TEXT NOT NULL,
    attempts       INTEGER NOT NULL,
    in_order       INTEGER NOT NULL DEFAULT 1,
    parked_at      TEXT,
    error          TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (stream_id, version, ordinal)
) WITHOUT ROWID;
CREATE TABLE snapshots (
    stream_id      TEXT PRIMARY KEY,
    version        INTEGER NOT NULL,
    fingerprint    TEXT NOT NULL,
    state          TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE view_rows (
    view           TEXT NOT NULL,
    key            TEXT NOT NULL,
    version        INTEGER NOT NULL,
    label          TEXT NOT NULL,
    sort           TEXT NOT NULL,
    data           TEXT NOT NULL,
    PRIMARY KEY (view, key)
) WITHOUT ROWID;
CREATE INDEX commits_correlated ON commits (correlation_id);
CREATE INDEX idempotency_expired ON idempotency (expires_at);
CREATE INDEX pending_due ON pending (due_at) WHERE parked_at IS NULL;
CREATE INDEX pending_parked ON pending (parked_at) WHERE parked_at IS NOT NULL;
CREATE INDEX view_rows_listed ON view_rows (view, label, sort, key);
INSERT INTO cells (name, text) VALUES ('a cell', 'its text');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (1, 'Ledger/c', 1, 1, '[{"$type":"Opened","ledger_id":"c"}]', 'id-1', 'Open', 'opens c', '{"correlation_id":"opens c"}', '2026-01-02T03:04:05.678901+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (2, 'Ledger/a', 1, 1, '[{"$type":"Opened","ledger_id":"a"}]', '8ee126a6bf937d1e94e08bd92e0d9581', 'Open', 'opens a', '{"correlation_id":"opens a"}', '2026-01-02T03:04:05.678901+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (3, 'Ledger/b', 1, 1, '[{"$type":"Opened","ledger_id":"b"}]', 'id-2', 'Open', 'opens b', '{"correlation_id":"opens b"}', '2026-01-02T03:04:05.678901+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (4, 'Ledger/c', 2, 1, '[{"$type":"Posted","ledger_id":"c","text":"first","cents":1}]', 'long ago', 'Note', 'correlation of long ago', '{"correlation_id":"correlation of long ago"}', '2026-01-02T03:04:05.678901+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (5, 'Ledger/c', 3, 1, '[{"$type":"Posted.v2","ledger_id":"c","entries":[{"text":"second","cents":300}],"at":"2026-01-02T03:04:05.678901Z","ratio":0.1,"tags":{"Übertrag":true,"":false}}]', 'id-3', 'Post', 'id-3', '{"correlation_id":"id-3"}', '2026-01-02T03:04:05.678901+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (6, 'Ledger/c', 4, 1, '[{"$type":"ReminderSent","ledger_id":"c","text":"é ☃"}]', 'id-4', 'SendReminder', 'id-3', '{"correlation_id":"id-3","causation_id":"Ledger/c@3","depth":1}', '2026-01-02T03:04:15.000000+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (7, 'Ledger/a', 2, 1, '[{"$type":"Posted.v2","ledger_id":"a","entries":[{"text":"\u0000 \\ \" ''","cents":100},{"text":"","cents":0}],"at":"2026-01-02T03:04:05.678901Z","ratio":0.1,"tags":{"Übertrag":true,"":false}}]', 'id-5', 'Post', 'id-5', '{"correlation_id":"id-5"}', '2026-01-02T03:04:15.000000+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (8, 'Ledger/b', 2, 1, '[{"$type":"Posted.v2","ledger_id":"b","entries":[],"at":"2026-01-02T03:04:05.678901Z","ratio":0.1,"tags":{"Übertrag":true,"":false}}]', 'id-7', 'Post', 'id-7', '{"correlation_id":"id-7"}', '2026-01-02T03:04:15.000000+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (9, 'Ledger/a', 3, 2, '[{"$type":"Posted.v2","ledger_id":"a","entries":[{"text":"transfer","cents":-3}],"at":null,"ratio":0.1,"tags":{}},{"$type":"Posted.v2","ledger_id":"a","entries":[{"text":"transfer","cents":-2}],"at":null,"ratio":0.1,"tags":{}}]', 'a6a145ca5a85d1dce697674f3dd605c5', 'Transfer', 'a6a145ca5a85d1dce697674f3dd605c5', '{"correlation_id":"a6a145ca5a85d1dce697674f3dd605c5"}', '2026-01-02T03:04:15.000000+00:00');
INSERT INTO commits (position, stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at) VALUES (10, 'Ledger/b', 3, 2, '[{"$type":"Posted.v2","ledger_id":"b","entries":[{"text":"transfer","cents":2}],"at":null,"ratio":0.1,"tags":{}},{"$type":"Posted.v2","ledger_id":"b","entries":[{"text":"transfer","cents":3}],"at":null,"ratio":0.1,"tags":{}}]', 'a6a145ca5a85d1dce697674f3dd605c5', 'Transfer', 'a6a145ca5a85d1dce697674f3dd605c5', '{"correlation_id":"a6a145ca5a85d1dce697674f3dd605c5"}', '2026-01-02T03:04:15.000000+00:00');
INSERT INTO idempotency (scope, key, fingerprint, command_id, after, expires_at) VALUES ('POST /ledgers anonymous', 'ключ', 'print 1', '8ee126a6bf937d1e94e08bd92e0d9581', '[{"stream_id":"Ledger/a","version":0}]', '2026-01-09T03:04:05.678901+00:00');
INSERT INTO idempotency (scope, key, fingerprint, command_id, after, expires_at) VALUES ('POST /transfers anonymous', 'k#2', 'print 2', 'a6a145ca5a85d1dce697674f3dd605c5', '[{"stream_id":"Ledger/a","version":2},{"stream_id":"Ledger/b","version":2}]', '2026-01-09T03:04:15.000000+00:00');
INSERT INTO idempotency (scope, key, fingerprint, command_id, after, expires_at) VALUES ('command', 'id-9', '', 'id-9', '[]', '2026-01-09T03:04:15.000000+00:00');
INSERT INTO pending (stream_id, version, ordinal, command_id, payload, context, due_at, attempts, in_order, parked_at, error) VALUES ('Ledger/a', 2, 0, 'id-6', '[{"$type":"SendReminder","ledger_id":"a","text":"é ☃"}]', '{"correlation_id":"id-5","causation_id":"Ledger/a@2","depth":1}', '2026-01-02T03:04:15.000000+00:00', 2, 1, NULL, '');
INSERT INTO pending (stream_id, version, ordinal, command_id, payload, context, due_at, attempts, in_order, parked_at, error) VALUES ('Ledger/b', 2, 0, 'id-8', '[{"$type":"SendReminder","ledger_id":"b","text":"é ☃"}]', '{"correlation_id":"id-7","causation_id":"Ledger/b@2","depth":1}', '2026-01-02T03:04:20.000000+00:00', 1, 1, '2026-01-02T03:04:15.000000+00:00', 'RuntimeError: it''s nobody’s fault');
INSERT INTO pending (stream_id, version, ordinal, command_id, payload, context, due_at, attempts, in_order, parked_at, error) VALUES ('command/id-9', 0, 0, 'id-10', '[{"$type":"SendReminder","ledger_id":"a","text":"later"}]', '{"correlation_id":"id-9","causation_id":"id-9"}', '2100-01-01T00:00:00.000000+00:00', 0, 0, NULL, '');
INSERT INTO snapshots (stream_id, version, fingerprint, state) VALUES ('Ledger/c', 3, 'older code', '{"cents":301}');
INSERT INTO view_rows (view, key, version, label, sort, data) VALUES ('ledgers', 'a', 3, 'open', '2026', '{"title":"é"}');
