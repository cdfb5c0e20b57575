"""Bugs to plant in a rendered service: the file, below its package, a text, and what to put there.

Each must turn the service's own tests red. A text that is no longer there is an error, too.
"""

BUS = [
    # the unit of work
    ("bus/unit_of_work.py", "[pending for pending, _ in follow_ups]", "[]"),
    ("bus/unit_of_work.py", "consumes=self._envelope.consumes,", "consumes=None,"),
    ("bus/unit_of_work.py", "for name in enlisted if name not in by_stream", "for name in ()"),
    ("bus/unit_of_work.py", "for _ in range(resends):", "for _ in range(0):"),
    ("bus/unit_of_work.py", "if enlisted.position == Position.start(stream_id):", "if False:"),
    ("bus/unit_of_work.py", "if pending.key != own", "if False"),
    ("bus/unit_of_work.py", "if recorded or self._envelope.consumes:", "if recorded:"),
    ("bus/unit_of_work.py", "if recorded or self._envelope.consumes:", "if True:"),
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
    ("bus/wiring.py", "if not owners:", "if False:"),
    ("bus/wiring.py", "issubclass(hint, msgspec.Struct))", "issubclass(hint, object))"),
    # the embedded stores
    ("adapters/event_store/memory.py", "if consumes and not self._is_open(consumes):", "if False:"),
    ("adapters/event_store/memory.py", "            if moved:\n", "            if False:\n"),
    ("adapters/event_store/memory.py", ", *commit.unchanged)", ",)"),
    ("adapters/event_store/memory.py", "if moved and self._has(commit):", "if False:"),
    ("adapters/event_store/memory.py", "if row.parked_at is None]", "]"),
    ("adapters/event_store/sqlite.py", 'BEGIN IMMEDIATE")', 'BEGIN")'),
    ("adapters/event_store/sqlite.py", "            if moved:\n", "            if False:\n"),
    ("adapters/event_store/sqlite.py", "if moved and _has(connection, commit):", "if False:"),
    (
        "adapters/event_store/sqlite.py",
        'connection.execute("ROLLBACK")',
        'connection.execute("COMMIT")',
    ),
    ("adapters/event_store/sqlite.py", "SET attempts = attempts + 1, due_at", "SET due_at"),
    ("adapters/event_store/sqlite.py", "parked_at IS NULL AND attempts = ?", "? IS NOT NULL"),
    ("adapters/event_store/sqlite.py", "in_order = 0, parked_at", "parked_at"),
]

DYNAMODB = [
    (".save(condition=self.item.sort.does_not_exist())", ".save()"),
    ("transaction.save(item, absent)", "transaction.save(item)"),
    ("table.todo(key)), still_open)", "table.todo(key)))"),
    ("if None in refused:", "if False:"),
    ("if commit.consumes or not self._has(commit):", "if True:"),
    ("return there.command_id == commit.command_id", "return True"),
    ("for position in commit.unchanged:", "for position in ():"),
    ('if reason and reason.code == "ConditionalCheckFailed"', "if reason"),
    ('case "TransactionConflictException":', 'case "Nothing":'),
    ("commits.reverse()", "pass"),
    ("for shard in range(table.SHARDS)", "for shard in range(1)"),
    ("isinstance(error.cause, BotoCoreError) or", "False or"),
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
]
