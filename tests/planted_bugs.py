"""Bugs to plant in a rendered service: the file, below its package, a text, and what to put there.

Each must turn the service's own tests red. A text that is no longer there is an error, too.
"""

BUS = [
    # the unit of work
    ("bus/unit_of_work.py", "[row for row, _ in follow_ups] + scheduled", "scheduled"),
    (
        "bus/unit_of_work.py",
        "[row for row, _ in follow_ups] + scheduled",
        "[row for row, _ in follow_ups]",
    ),
    ("bus/unit_of_work.py", "if at.tzinfo is None:", "if False:"),
    ("bus/unit_of_work.py", "                in_order=False,\n", ""),
    ("bus/unit_of_work.py", "ordinal + number", "number"),
    ("bus/unit_of_work.py", "with suppress(StoreError):", "if True:"),
    ("bus/unit_of_work.py", "consumes=envelope.consumes,", "consumes=None,"),
    ("bus/unit_of_work.py", "for name in enlisted if name not in by_stream", "for name in ()"),
    ("bus/unit_of_work.py", "for _ in range(resends):", "for _ in range(0):"),
    ("bus/unit_of_work.py", "if enlisted.position == Position.start(stream_id):", "if False:"),
    ("bus/unit_of_work.py", "if pending.key != own", "if False"),
    (
        "bus/unit_of_work.py",
        "or envelope.consumes or envelope.idempotency:",
        "or envelope.idempotency:",
    ),
    (
        "bus/unit_of_work.py",
        "or envelope.consumes or envelope.idempotency:",
        "or envelope.consumes:",
    ),
    ("bus/unit_of_work.py", "or envelope.consumes or envelope.idempotency:", "or True:"),
    # keys, snapshots, upcasters
    ("bus/message_bus.py", "if record.idempotency != idempotency:", "if False:"),
    ("bus/message_bus.py", "after.version + 1, after.version + 1", "after.version + 1"),
    ("bus/message_bus.py", "except (DuplicateCommand, DomainError):", "except DomainError:"),
    ("bus/message_bus.py", "except (DuplicateCommand, DomainError):", "except DuplicateCommand:"),
    (
        "bus/message_bus.py",
        "sha256(msgspec.json.encode(idempotency)).hexdigest()[:32]",
        "self._ids.new_id()",
    ),
    ("bus/snapshots.py", 'if checksum != f"{crc32(text):08x}":', "if False:"),
    ("bus/snapshots.py", "if self._state(kind, text) == state:", "if True:"),
    ("bus/snapshots.py", "                _source(aggregate_type),\n", ""),
    (
        "bus/snapshots.py",
        "aggregate.version - since >= self._every",
        "aggregate.version % self._every == 0",
    ),
    ("bus/upcasting.py", "if upcaster.source in self._by_source:", "if False:"),
    ("bus/upcasting.py", "if self._end(source) not in current:", "if False:"),
    ("bus/upcasting.py", "if source in current:", "if False:"),
    ("bus/codec.py", "events = self._lifted(text)", "events = []"),
    ("bus/repository.py", "at >= loaded.position.version", "at >= 1"),
    ("bus/repository.py", "aggregate.version = loaded.position.version", "pass"),
    # the read side
    ("bus/projection.py", "if generations.building:", "if False:"),
    ("bus/projection.py", "if now == before:", "if True:"),
    ("bus/projection.py", "if not _follow_each_other(seen, fresh):", "if False:"),
    (
        "bus/projection.py",
        "if commit.version > seen]\n        if not fresh",
        "]\n        if not fresh",
    ),
    ("bus/projection.py", "self._store.views.clear(self._view(stale))", "pass"),
    ("bus/projection.py", "if (kept or was) != was or not", "if not"),
    (
        "bus/subscription.py",
        "page.checkpoint, self._kept)",
        "page.checkpoint, self._store.views.cell(self._cell))",
    ),
    ("bus/subscription.py", "return page.more or not self._known", "return page.more"),
    ("bus/reader.py", "more = len(found) > limit", "more = False"),
    # the cycle
    ("bus/message_bus.py", "queue.popleft()", "queue.pop()"),
    ("bus/message_bus.py", "if not goes_on:", "if False:"),
    ("bus/message_bus.py", "any(pending.key < key and", "any(False and"),
    ("bus/message_bus.py", "and pending.in_order for", "for"),
    ("bus/message_bus.py", "range(1, self.retry.attempts)", "range(1, 1)"),
    ("bus/message_bus.py", "range(1, self.retry.attempts)", "range(1, self.retry.attempts + 5)"),
    ("bus/message_bus.py", "reversed(list(middleware))", "list(middleware)"),
    ("bus/message_bus.py", "or time.monotonic() > deadline", ""),
    ("bus/message_bus.py", "range(self.dispatch.steps)", "range(100)"),
    ("bus/message_bus.py", "or not self.dispatch.inline", ""),
    ("bus/message_bus.py", "last and self._parked(pending, error)", "False"),
    ("bus/message_bus.py", "(DomainError, CommitTooLarge, CodecError)", "(CommitTooLarge,)"),
    ("bus/message_bus.py", "(DomainError, CommitTooLarge, CodecError)", "(DomainError,)"),
    ("bus/message_bus.py", "self.grace * doubled", "self.grace"),
    # text and back
    ("bus/codec.py", "if self._decoder.decode(text) == messages:", "if True:"),
    ("bus/codec.py", ", RecursionError)", ")"),
    ("bus/store.py", "if size > MAX_COMMIT_BYTES:", "if False:"),
    ("bus/store.py", "if rows > MAX_COMMIT_ROWS:", "if False:"),
    ("bus/aggregate.py", "self.version += len(events)", "pass"),
    # workers
    ("bus/pending.py", "if held_back and pending.in_order:", "if held_back:"),
    ("bus/pending.py", "if held_back and pending.in_order:", "if False:"),
    ("bus/pending.py", "if pending.attempts >= dispatch.attempts:", "if False:"),
    ("bus/pending.py", "return None, parked", "return None, False"),
    ("bus/pending.py", "if not self._bus.store.claim(pending, due_at):", "if False:"),
    ("bus/pending.py", "if pending.due_at > now:", "if False:"),
    ("bus/pending.py", "(pending.in_order and not goes_on)", "(not goes_on)"),
    # the checks at start
    ("bus/wiring.py", "if message in rows:", "if False:"),
    ("bus/wiring.py", "if own is not message:", "if False:"),
    ("bus/wiring.py", "if len(asked) != len(expected):", "if False:"),
    ("bus/wiring.py", "if hint not in self._ports:", "if False:"),
    ("bus/wiring.py", "if event_type in aggregate_type.appliers:", "if True:"),
    ("bus/wiring.py", "issubclass(hint, msgspec.Struct))", "issubclass(hint, object))"),
    # the embedded stores
    ("adapters/event_store/memory.py", "if consumes and not self._is_open(consumes):", "if False:"),
    ("adapters/event_store/memory.py", "            if moved:\n", "            if False:\n"),
    ("adapters/event_store/memory.py", ", *commit.unchanged)", ",)"),
    ("adapters/event_store/memory.py", "if moved and self._has(commit):", "if False:"),
    ("adapters/event_store/memory.py", "if row.parked_at is None]", "]"),
    ("adapters/event_store/sqlite_database.py", 'execute("BEGIN IMMEDIATE")', 'execute("BEGIN")'),
    (
        "adapters/event_store/sqlite_database.py",
        'connection.execute("BEGIN")\n            yield connection\n            connection.execute("COMMIT")',
        "yield connection",
    ),
    ("adapters/event_store/memory.py", "commit.version >= first and", ""),
    (
        "adapters/event_store/sqlite.py",
        "_head(connection, stream_id, at)",
        "_head(connection, stream_id)",
    ),
    ("adapters/event_store/sqlite.py", "AND version >= ?", "AND ?"),
    ("adapters/event_store/sqlite.py", "            if moved:\n", "            if False:\n"),
    ("adapters/event_store/sqlite.py", "if moved and _has(connection, commit):", "if False:"),
    (
        "adapters/event_store/sqlite_database.py",
        'connection.execute("ROLLBACK")',
        'connection.execute("COMMIT")',
    ),
    ("adapters/event_store/sqlite.py", "SET attempts = attempts + 1, due_at", "SET due_at"),
    ("adapters/event_store/sqlite.py", "parked_at IS NULL AND attempts = ?", "? IS NOT NULL"),
    ("adapters/event_store/sqlite.py", "in_order = 0, parked_at", "parked_at"),
    ("adapters/event_store/sqlite.py", 'batch, "ON CONFLICT DO NOTHING"', "batch"),
    (
        "adapters/event_store/sqlite.py",
        "if commit.idempotency and not _use",
        "if False and not _use",
    ),
    ("adapters/event_store/sqlite.py", " AND expires_at > ?", " AND ? <> ''"),
    ("adapters/event_store/sqlite.py", " AND fingerprint = ?", " AND ? <> ''"),
    ("adapters/event_store/sqlite.py", "WHERE position > ?", "WHERE position >= ?"),
    ("adapters/event_store/sqlite_views.py", " WHERE excluded.version > version", ""),
    (
        "adapters/event_store/sqlite_views.py",
        "WHERE name = ? AND text = ?",
        "WHERE name = ? AND ? <> ''",
    ),
    ("adapters/event_store/sqlite_views.py", "sort DESC, key DESC", "sort DESC, key"),
]

DYNAMODB = [
    ("item.save(condition=self.item.sort.does_not_exist())\n\n", "item.save()\n\n"),
    (
        "            with answering():\n                item.save(condition=",
        "            with answering():\n                item.save() or (lambda condition: None)(condition=",
    ),
    ("elif fingerprint and item.fingerprint == fingerprint:", "else:"),
    ("absent | expired)", "absent)"),
    ("absent | expired)", "expired)"),
    ("if record.expires_at > now else None", ""),
    ("transaction.save(item, absent)", "transaction.save(item)"),
    ("table.todo(key)), still_open)", "table.todo(key)))"),
    ("if None in refused:", "if False:"),
    ("if commit.consumes or not self._has(commit):", "if True:"),
    ("return there.command_id == commit.command_id", "return True"),
    ("for position in commit.unchanged:", "for position in ():"),
    ('if reason and reason.code == "ConditionalCheckFailed"', "if reason"),
    ('case "TransactionConflictException":', 'case "Nothing":'),
    ("events.reverse()", "pass"),
    ("if snapshot and not events:", "if False:"),
    (" if not table.is_snapshot(item)]", "]"),
    ("for shard in range(table.SHARDS)", "for shard in range(1)"),
    ("if not settings.aws_endpoint_url:", "if False:"),
    (
        "& (self.item.attempts == pending.attempts)\n"
        "            & (self.item.due_at == utc_text(pending.due_at))\n",
        "",
    ),
    ("self.item.parked_at.does_not_exist()\n            & (self", "(self"),
    ("condition=self.item.parked_at.exists()", ""),
    ("if item.parked_at is None:", "if True:"),
    ("self.item.due_shard.set(table.PARKED + table.shard(pending.key)),", ""),
    ("self._connection._local.session = aws.session()", "pass"),
]

DYNAMODB_BESIDE = [
    ("dynamodb_errors.py", "isinstance(error.cause, BotoCoreError) or", "False or"),
    (
        "dynamodb_views.py",
        "condition=absent | (self.item.row_version < row.version)",
        "condition=None",
    ),
    ("dynamodb_views.py", "for shard in range(table.SHARDS)", "for shard in range(1)"),
    ("dynamodb_views.py", "item.save(condition=as_was)", "item.save()"),
    ("dynamodb_feed.py", "shard.iterator = self._iterator", "self._iterator"),
    ("dynamodb_feed.py", 'if "events" in image', ""),
    ("dynamodb_feed.py", "with self._making:", "if True:"),
    ("dynamodb_table.py", '"\\t".join(place)', '"~".join(place)'),
]

POSTGRES = [
    ("postgres_append.py", "ORDER BY stream_id FOR UPDATE", "ORDER BY stream_id"),
    ("postgres_append.py", "FROM token WHERE NOT EXISTS (SELECT FROM moved)", "FROM token"),
    ("postgres_append.py", "FROM token WHERE NOT EXISTS", "WHERE NOT EXISTS"),
    ("postgres_append.py", " WHERE head.version = %(at)s\n", "\n"),
    ("postgres_append.py", "%(becomes)s FROM token", "%(becomes)s"),
    ("postgres_append.py", "AND parked_at IS NULL FOR UPDATE", "FOR UPDATE"),
    (
        "postgres_append.py",
        "CASE WHEN idempotency.expires_at",
        "CASE WHEN true OR idempotency.expires_at",
    ),
    ("postgres.py", "ORDER BY commits.xid, position LIMIT %s", "ORDER BY position LIMIT %s"),
    ("postgres.py", "xid < pg_snapshot_xmin(pg_current_snapshot())", "true"),
    ("postgres.py", "if commit.consumes or not self._has(commit):", "if True:"),
    ("postgres.py", "AND version > coalesce((SELECT version FROM kept), 0)", ""),
    ("postgres.py", "version >= %s", "%s > 0"),
    ("postgres.py", "end or (snapshot.version if snapshot else 0)", "end or 0"),
    ("postgres_views.py", " WHERE excluded.version > view_rows.version", ""),
    ("postgres_views.py", "WHERE name = %s AND text = %s", "WHERE name = %s AND %s <> ''"),
    ("postgres_database.py", "if row is None or row[0] != REVISION:", "if False:"),
]

LAMBDA = [
    ("aws_http.py", 'request["headers"]["idempotency-key"] = _id(record)', "pass"),
    (
        "aws_http.py",
        "[record for record in records if not _take(record, context)]",
        "[] if all([_take(each, context) for each in records]) else records",
    ),
    ("aws_http.py", 'scope.setdefault("state", {})["caller"] = caller', "pass"),
    ("aws_http.py", "except Exception as error:", "except KeyError as error:"),
    ("aws_http.py", "if not isinstance(records, list):", "if False:"),
    ("aws_http.py", 'if event == {"warm-up": True}:', "if False:"),
    ("aws_lambda.py", "[r for r in records if not _is_received([r])]", "records"),
    (
        "aws_lambda.py",
        "        try:\n            run_due(context)",
        "        try:\n            pass",
    ),
    ("aws_lambda.py", "projector.receive(commits)", "pass"),
    (
        "aws_lambda.py",
        "from .aws_runtime import",
        "from . import aws_http\nfrom .aws_runtime import",
    ),
    ("aws_runtime.py", "if not just_now:", "if True:"),
    ("aws_runtime.py", "- MARGIN_SECONDS if left", "if left"),
]

CRASH = [
    # two commits of one
    (
        "adapters/event_store/sqlite.py",
        "            _insert(connection, commit.follow_ups)\n",
        "            connection.execute('COMMIT')\n            connection.execute('BEGIN IMMEDIATE')\n"
        "            _insert(connection, commit.follow_ups)\n",
    ),
    # what follows, what is done, what was tried
    ("bus/unit_of_work.py", "[row for row, _ in follow_ups] + scheduled", "scheduled"),
    ("bus/unit_of_work.py", "consumes=envelope.consumes,", "consumes=None,"),
    ("adapters/event_store/sqlite.py", "SET attempts = attempts + 1, due_at", "SET due_at"),
    (
        "adapters/event_store/sqlite.py",
        "if commit.idempotency and not _use",
        "if False and not _use",
    ),
    ("bus/pending.py", "if pending.due_at > now:", "if True:"),
    # the feed and the read side
    ("bus/subscription.py", "            self._receive(page.commits)\n", ""),
    ("bus/projection.py", "self._store.views.put(view, changed)", "pass"),
    # an import
    ("entrypoints/transfer.py", '    _note(store, f"{header.export_id} 0")', "    #"),
]
"""Found by killing a process at every call: each loses something, or does it twice."""

# What is stored, read or written in another way. Nearly all of these agree with themselves.
WRITTEN = [
    (
        "sqlite",
        (
            "bus/codec.py",
            "text = msgspec.json.encode(messages)",
            'text = msgspec.json.encode(messages, order="sorted")',
        ),
    ),
    (
        "sqlite",
        (
            "bus/upcasting.py",
            'f"{name}.v{version}"',
            'f"{name} {version}"',
        ),
    ),
    ("sqlite", ("bus/store.py", 'tag="pending"', 'tag="pending command"')),
    ("sqlite", ("bus/message_bus.py", "sha256(msgspec.json", "sha256(b'2' + msgspec.json")),
    ("sqlite", ("adapters/event_store/__init__.py", 'timespec="micro', 'timespec="milli')),
    (
        "sqlite",
        (
            "adapters/event_store/sqlite_database.py",
            "    error          TEXT NOT NULL DEFAULT '',\n",
            "    error          TEXT NOT NULL DEFAULT '',\n    note TEXT,\n",
        ),
    ),
    ("sqlite", ("entrypoints/transfer.py", "format == 1", "format == 2")),
    ("defaults", ("adapters/event_store/dynamodb_table.py", "key.version:010", "key.version:012")),
    (
        "defaults",
        ("adapters/event_store/dynamodb_table.py", 'attr_name="count"', 'attr_name="size"'),
    ),
    (
        "defaults",
        ("adapters/event_store/dynamodb_table.py", "SHARDS, PARKED = 4", "SHARDS, PARKED = 8"),
    ),
    (
        "postgres",
        (
            "adapters/event_store/migrations/versions/0001_event_store.py",
            "        error          text NOT NULL,\n",
            "        error          text NOT NULL,\n        note text NOT NULL DEFAULT '',\n",
        ),
    ),
]

SERVER = [
    ("server.py", "socket.TCP_NODELAY, 1", "socket.TCP_NODELAY, 0"),
    ("server.py", "app.state.stopping = True", "pass"),
    ("server.py", "or not self._drain_seconds or", "or True or"),
    ("server.py", "or self._is_draining:", "or False:"),
    ("operations.py", "signal.signal(signal.SIGTERM, signal.default_int_handler)", "pass"),
    ("api/problems.py", 'headers["Allow"] = ", ".join(methods)', "pass"),
]
