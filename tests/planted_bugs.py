"""Bugs to plant in a rendered service: the file, below its package, a text, and what to put there.

Each must turn the service's own tests red. A text that is no longer there is an error, too.
"""

BUS = [
    # the unit of work
    (
        "bus/runtime/unit_of_work.py",
        "[row for row, _ in follow_ups] + scheduled if",
        "scheduled if",
    ),
    (
        "bus/runtime/unit_of_work.py",
        "[row for row, _ in follow_ups] + scheduled if",
        "[row for row, _ in follow_ups] if",
    ),
    ("bus/runtime/unit_of_work.py", "if at.tzinfo is None:", "if False:"),
    ("bus/runtime/pending_maker.py", ", due_at, in_order=False)", ", due_at)"),
    ("bus/runtime/unit_of_work.py", "ordinal + number", "number"),
    ("bus/runtime/unit_of_work.py", "with suppress(StoreError):", "if True:"),
    ("bus/runtime/unit_of_work.py", "consumes=envelope.consumes,", "consumes=None,"),
    (
        "bus/runtime/unit_of_work.py",
        "for name in enlisted if name not in by_stream",
        "for name in ()",
    ),
    ("bus/runtime/unit_of_work.py", "for _ in range(resends):", "for _ in range(0):"),
    (
        "bus/runtime/unit_of_work.py",
        "for stream_id in self._added.intersection(error.streams):",
        "for stream_id in ():",
    ),
    (
        "bus/runtime/unit_of_work.py",
        "self._added.intersection(error.streams)",
        "set(self._enlisted).intersection(error.streams)",
    ),
    (
        "bus/runtime/unit_of_work.py",
        "            self._enlist(new)\n",
        "            self.add(new)\n",
    ),
    (
        "bus/runtime/unit_of_work.py",
        "if not (key or appends or envelope.consumes):",
        "if False:",
    ),
    (
        "bus/runtime/unit_of_work.py",
        "if commit.idempotency is None or commit.idempotency.idempotency.scope != OWN_SCOPE:",
        "if True:",
    ),
    (
        "bus/runtime/unit_of_work.py",
        "commit.idempotency is None or commit.idempotency.idempotency.scope != OWN_SCOPE",
        "False",
    ),
    ("bus/runtime/unit_of_work.py", "if pending.key != own", "if False"),
    (
        "bus/runtime/unit_of_work.py",
        "or envelope.consumes or envelope.idempotency:",
        "or envelope.idempotency:",
    ),
    (
        "bus/runtime/unit_of_work.py",
        "or envelope.consumes or envelope.idempotency:",
        "or envelope.consumes:",
    ),
    ("bus/runtime/unit_of_work.py", "or envelope.consumes or envelope.idempotency:", "or True:"),
    # keys, snapshots, upcasters
    ("bus/runtime/message_bus.py", "if record.idempotency != idempotency:", "if False:"),
    ("bus/runtime/message_bus.py", "after.version + 1, after.version + 1", "after.version + 1"),
    (
        "bus/runtime/message_bus.py",
        "except (DuplicateCommand, DomainError):",
        "except DomainError:",
    ),
    (
        "bus/runtime/message_bus.py",
        "except (DuplicateCommand, DomainError):",
        "except DuplicateCommand:",
    ),
    (
        "bus/runtime/message_bus.py",
        "sha256(msgspec.json.encode(idempotency)).hexdigest()[:32]",
        "self._ids.new_id()",
    ),
    ("bus/runtime/snapshots.py", 'if checksum != f"{crc32(text):08x}":', "if False:"),
    ("bus/runtime/snapshots.py", "if self._state(kind, text) == state:", "if True:"),
    ("bus/runtime/snapshots.py", "                _source(aggregate_type),\n", ""),
    (
        "bus/runtime/snapshots.py",
        "aggregate.version - since >= self.every",
        "aggregate.version % self.every == 0",
    ),
    ("bus/model/upcasting.py", "if upcaster.source in self._by_source:", "if False:"),
    ("bus/model/upcasting.py", "if self._end(source) not in current:", "if False:"),
    ("bus/model/upcasting.py", "if source in current:", "if False:"),
    ("bus/store/codec.py", "events = self._lifted(text)", "events = []"),
    ("bus/runtime/repository.py", "at >= loaded.position.version", "at >= 1"),
    ("bus/runtime/repository.py", "aggregate.version = loaded.position.version", "pass"),
    # the read side
    ("bus/runtime/projector.py", "if generations.building:", "if False:"),
    ("bus/runtime/projector.py", "if now == before:", "if True:"),
    ("bus/runtime/projector.py", "if not _follow_each_other(seen, fresh):", "if False:"),
    (
        "bus/runtime/projector.py",
        "if commit.version > seen]\n        if not fresh",
        "]\n        if not fresh",
    ),
    ("bus/runtime/projector.py", "self._store.views.clear(self._view(stale))", "pass"),
    ("bus/runtime/projector.py", "if (stored or was) != was or not", "if not"),
    (
        "bus/runtime/subscription.py",
        "page.checkpoint, self._stored_checkpoint\n",
        "page.checkpoint, self._store.views.cell(self._cell)\n",
    ),
    (
        "bus/runtime/subscription.py",
        "return page.more or not self._checkpoint_is_loaded",
        "return page.more",
    ),
    ("bus/runtime/reader.py", "more = len(found) > limit", "more = False"),
    # the cycle
    ("bus/runtime/message_bus.py", "queue.popleft()", "queue.pop()"),
    ("bus/runtime/message_bus.py", "queue is in_order and not goes_on:", "False:"),
    ("bus/runtime/message_bus.py", "queue is in_order and not goes_on:", "not goes_on:"),
    ("bus/runtime/message_bus.py", "            if queue is in_order:\n", "            if True:\n"),
    (
        "bus/runtime/message_bus.py",
        "queue = in_order or out_of_order",
        "queue = out_of_order or in_order",
    ),
    # follow-ups
    ("bus/model/follow_up.py", "if self.delay < AT_ONCE:", "if False:"),
    ("bus/runtime/dispatch.py", "depth > 0 and depth % (self.max_depth + 1) == 0", "False"),
    ("bus/runtime/dispatch.py", "depth % (self.max_depth + 1) == 0", "depth > self.max_depth"),
    ("bus/runtime/loops.py", "len(set(names)) == len(names)", "len(names)"),
    ("bus/runtime/loops.py", "cause = earlier.context.causation_id", "pass"),
    (
        "bus/runtime/pending_maker.py",
        "command, in_order, delay = follows.command, follows.in_order, follows.delay",
        "command, in_order, delay = follows.command, True, follows.delay",
    ),
    ("bus/runtime/pending_maker.py", "            if delay:\n", "            if False:\n"),
    (
        "bus/runtime/pending_maker.py",
        "cause.event_id, self._now + delay)",
        "cause.event_id, self._now)",
    ),
    ("bus/runtime/pending_maker.py", "if type(command) in self._codec.types.values():", "if True:"),
    (
        "bus/runtime/pending_maker.py",
        "if type(command) in self._codec.types.values():",
        "if False:",
    ),
    ("bus/runtime/message_bus.py", "any(pending.key < key and", "any(False and"),
    ("bus/runtime/message_bus.py", "and pending.in_order for", "for"),
    ("bus/runtime/message_bus.py", "range(1, self.retry.attempts)", "range(1, 1)"),
    (
        "bus/runtime/message_bus.py",
        "range(1, self.retry.attempts)",
        "range(1, self.retry.attempts + 5)",
    ),
    ("bus/runtime/message_bus.py", "reversed(list(middleware))", "list(middleware)"),
    ("bus/runtime/message_bus.py", "or time.monotonic() > deadline", ""),
    ("bus/runtime/message_bus.py", "range(self.dispatch.steps)", "range(100)"),
    ("bus/runtime/message_bus.py", "or not self.dispatch.inline", ""),
    ("bus/runtime/message_bus.py", "last and self._try_to_park(pending, error)", "False"),
    (
        "bus/runtime/message_bus.py",
        "(DomainError, CommitTooLarge, CodecError)",
        "(CommitTooLarge,)",
    ),
    ("bus/runtime/message_bus.py", "(DomainError, CommitTooLarge, CodecError)", "(DomainError,)"),
    ("bus/runtime/dispatch.py", "self.grace * doubled", "self.grace"),
    # text and back
    ("bus/store/codec.py", "if self._decoder.decode(text) == messages:", "if True:"),
    ("bus/store/codec.py", ", RecursionError)", ")"),
    ("bus/store/commit.py", "if size > MAX_COMMIT_BYTES:", "if False:"),
    ("bus/store/commit.py", "if rows > MAX_COMMIT_ROWS:", "if False:"),
    ("bus/model/aggregate.py", "self.version += len(events)", "pass"),
    # workers
    ("bus/runtime/worker.py", "if held_back and pending.in_order:", "if held_back:"),
    ("bus/runtime/worker.py", "if held_back and pending.in_order:", "if False:"),
    ("bus/runtime/worker.py", "if pending.attempts >= dispatch.attempts:", "if False:"),
    ("bus/runtime/worker.py", "return None, parked", "return None, False"),
    ("bus/runtime/worker.py", "if not self._bus.store.claim(pending, due_at):", "if False:"),
    ("bus/runtime/worker.py", "if pending.due_at > now or", "if"),
    ("bus/runtime/worker.py", " or not self._is_known(pending, now):", ":"),
    ("bus/runtime/worker.py", "if report_at <= now:", "if True:"),
    ("bus/runtime/worker.py", "self._report_at[pending.key] = now + REPORT_AFTER", "pass"),
    ("bus/runtime/worker.py", "sorted(rows, key=lambda row: not row.in_order)", "rows"),
    ("bus/runtime/worker.py", "held_back = held_back or not goes_on", "pass"),
    # the checks at start
    ("bus/runtime/wiring.py", "if message in rows:", "if False:"),
    ("bus/runtime/wiring.py", "if own is not message:", "if False:"),
    ("bus/runtime/wiring.py", "if not has_known_parameters:", "if False:"),
    ("bus/runtime/wiring.py", "if hint not in self._ports:", "if False:"),
    ("bus/runtime/wiring.py", "if event_type in aggregate_type.appliers:", "if True:"),
    ("bus/runtime/wiring.py", "issubclass(hint, msgspec.Struct))", "issubclass(hint, object))"),
    # the context of a message
    (
        "bus/runtime/pending_maker.py",
        "context.caused_by(cause.event_id)",
        "type(context)(context.correlation_id, cause.event_id)",
    ),
    ("bus/runtime/pending_maker.py", "causation_id=cause, depth=0", "causation_id=cause"),
    ("bus/model/context.py", "depth=self.depth + 1", "depth=self.depth"),
    ("bus/model/context.py", "if len(text) > MAX", "if len(self.actor) > MAX"),
    ("bus/model/context.py", 'if any("\\0" in each', 'if any("\\0" == each'),
    ("bus/runtime/message_bus.py", "checked = given.checked()", "checked = given"),
    ("observability/log.py", "for name, value in context.items() if", "for name, value in () if"),
    ("adapters/event_store/sqlite/rows.py", "stored.context.text()", "'{}'"),
    ("adapters/event_store/sqlite/rows.py", "pending.context.text()", "'{}'"),
    ("adapters/event_store/sqlite/store.py", "WHERE correlation_id = ?", "WHERE '' <> ?"),
    (
        "adapters/event_store/memory/store.py",
        "if each.context.correlation_id == correlation_id]",
        "]",
    ),
    # open lists
    ("bus/runtime/unit_of_work.py", "sorted(journal, key=itemgetter(0))", "journal"),
    ("bus/runtime/wiring.py", "if handler in row:", "if False:"),
    ("bus/runtime/wiring.py", "row = rows.setdefault(event, [])", "row = rows[event] = []"),
    ("bus/runtime/wiring.py", "hints.get(asked[-1]) is RecordedEvent", "True"),
    (
        "bus/runtime/message_bus.py",
        "return lambda recorded: handle(recorded.event, recorded)",
        "return lambda recorded: ()",
    ),
    ("bus/runtime/message_bus.py", "if subscriber.name in self.subscriptions:", "if False:"),
    ("bus/runtime/subscription.py", "report(subscription.subscriber.name, error)", "raise"),
    (
        "bus/runtime/projector.py",
        "if key not in rows or commit.version > rows[key].version",
        "if commit",
    ),
    ("bootstrap.py", "store = layer(settings, store)", "pass"),
    ("bootstrap.py", "[*MIDDLEWARE, *middleware]", "[*middleware]"),
    # the embedded stores
    (
        "adapters/event_store/memory/store.py",
        "if consumes and not self._is_open(consumes):",
        "if False:",
    ),
    ("adapters/event_store/memory/store.py", "            if moved:\n", "            if False:\n"),
    ("adapters/event_store/memory/store.py", ", *commit.unchanged)", ",)"),
    ("adapters/event_store/memory/store.py", "if moved and self._has(commit):", "if False:"),
    ("adapters/event_store/memory/store.py", "if row.parked_at is None]", "]"),
    ("adapters/event_store/sqlite/database.py", 'execute("BEGIN IMMEDIATE")', 'execute("BEGIN")'),
    (
        "adapters/event_store/sqlite/database.py",
        'connection.execute("BEGIN")\n            yield connection\n            connection.execute("COMMIT")',
        "yield connection",
    ),
    ("adapters/event_store/memory/store.py", "commit.version >= first and", ""),
    (
        "adapters/event_store/sqlite/store.py",
        "_head(connection, stream_id, at)",
        "_head(connection, stream_id)",
    ),
    ("adapters/event_store/sqlite/store.py", "AND version >= ?", "AND ?"),
    ("adapters/event_store/sqlite/store.py", "            if moved:\n", "            if False:\n"),
    ("adapters/event_store/sqlite/store.py", "if moved and _has(connection, commit):", "if False:"),
    (
        "adapters/event_store/sqlite/database.py",
        'connection.execute("ROLLBACK")',
        'connection.execute("COMMIT")',
    ),
    ("adapters/event_store/sqlite/store.py", "SET attempts = attempts + 1, due_at", "SET due_at"),
    ("adapters/event_store/sqlite/rows.py", "parked_at IS NULL AND attempts = ?", "? IS NOT NULL"),
    ("adapters/event_store/sqlite/store.py", "in_order = 0, parked_at", "parked_at"),
    ("adapters/event_store/sqlite/store.py", 'batch, "ON CONFLICT DO NOTHING"', "batch"),
    (
        "adapters/event_store/sqlite/store.py",
        "if commit.idempotency and not _use",
        "if False and not _use",
    ),
    ("adapters/event_store/sqlite/store.py", " AND expires_at > ?", " AND ? <> ''"),
    ("adapters/event_store/sqlite/store.py", " AND fingerprint = ?", " AND ? <> ''"),
    ("adapters/event_store/sqlite/store.py", "WHERE position > ?", "WHERE position >= ?"),
    ("adapters/event_store/sqlite/views.py", " WHERE excluded.version > version", ""),
    (
        "adapters/event_store/sqlite/views.py",
        "WHERE name = ? AND text = ?",
        "WHERE name = ? AND ? <> ''",
    ),
    ("adapters/event_store/sqlite/views.py", "sort DESC, key DESC", "sort DESC, key"),
]

DYNAMODB = [
    ("if each.context.correlation_id == correlation_id]", "]"),
    ("contains(quoted[1:-1])", "contains(correlation_id)"),
    ("item.save(condition=self.item.sort.does_not_exist())\n\n", "item.save()\n\n"),
    (
        "            with translating_errors():\n                item.save(condition=",
        "            with translating_errors():\n                item.save() or (lambda condition: None)(condition=",
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

DYNAMODB_BESIDE = [
    ("dynamodb/__init__.py", "if not settings.aws_endpoint_url:", "if False:"),
    ("dynamodb/connection.py", "connection._local.session = aws.session()", "pass"),
    ("dynamodb/errors.py", "isinstance(error.cause, BotoCoreError) or", "False or"),
    (
        "dynamodb/views.py",
        "condition=absent | (self.item.row_version < row.version)",
        "condition=None",
    ),
    ("dynamodb/views.py", "for shard in range(table.SHARDS)", "for shard in range(1)"),
    ("dynamodb/views.py", "item.save(condition=as_was)", "item.save()"),
    ("dynamodb/feed.py", "shard.iterator = self._iterator", "self._iterator"),
    ("dynamodb/feed.py", 'if "events" in image', ""),
    ("dynamodb/feed.py", "with self._making:", "if True:"),
    ("dynamodb/table.py", '"\\t".join(place)', '"~".join(place)'),
]

POSTGRES = [
    ("postgres/store.py", "WHERE correlation_id = %s", "WHERE '' <> %s"),
    ("postgres/append.py", '"context": commit.context.text(),', '"context": "{}",'),
    ("postgres/rows.py", "pending.context.text()", "'{}'"),
    ("postgres/append.py", "ORDER BY stream_id FOR UPDATE", "ORDER BY stream_id"),
    ("postgres/append.py", "FROM token WHERE NOT EXISTS (SELECT FROM moved)", "FROM token"),
    ("postgres/append.py", "FROM token WHERE NOT EXISTS", "WHERE NOT EXISTS"),
    ("postgres/append.py", " WHERE head.version = %(at)s\n", "\n"),
    ("postgres/append.py", "%(becomes)s FROM token", "%(becomes)s"),
    ("postgres/append.py", "AND parked_at IS NULL FOR UPDATE", "FOR UPDATE"),
    (
        "postgres/append.py",
        "CASE WHEN idempotency.expires_at",
        "CASE WHEN true OR idempotency.expires_at",
    ),
    ("postgres/store.py", "ORDER BY commits.xid, position LIMIT %s", "ORDER BY position LIMIT %s"),
    ("postgres/store.py", "xid < pg_snapshot_xmin(pg_current_snapshot())", "true"),
    ("postgres/store.py", "if commit.consumes or not self._has(commit):", "if True:"),
    ("postgres/store.py", "AND version > coalesce((SELECT version FROM kept), 0)", ""),
    ("postgres/store.py", "version >= %s", "%s > 0"),
    ("postgres/store.py", "end or (snapshot.version if snapshot else 0)", "end or 0"),
    ("postgres/views.py", " WHERE excluded.version > view_rows.version", ""),
    ("postgres/views.py", "WHERE name = %s AND text = %s", "WHERE name = %s AND %s <> ''"),
    ("postgres/database.py", "if row is None or row[0] != REVISION:", "if False:"),
]

LAMBDA = [
    ("aws/http.py", '            state["caller"] = caller', "            pass"),
    ("aws/http.py", 'f"{issuer} {subject}"', "str(subject)"),
    ("aws/http.py", '{"iam": {"userArn": arn}}', '{"iam": {"userId": arn}}'),
    ("aws/http.py", '        state["trace"] = own_trace()\n', ""),
    ("aws/http.py", "except Exception as error:  # Mangum", "except KeyError as error:  # Mangum"),
    ("aws/http.py", 'if event == {"warm-up": True}:', "if False:"),
    ("aws/http.py", "413 if isinstance(refused, intake.TooLarge) else 422", "422"),
    (
        "aws/http.py",
        "actor=_invoker(context), trace=own_trace()",
        "actor=strict.ANONYMOUS, trace=own_trace()",
    ),
    (
        "aws/http.py",
        "    except Exception as error:\n        return _as_answer(problems.from_the_bus(error))\n",
        "",
    ),
    (
        "aws/http.py",
        '        return json.dumps(event, ensure_ascii=False, separators=(",", ":"))',
        '        return __import__("msgspec").json.encode(event).decode()',
    ),
    (
        "aws/queue.py",
        "[record for record in records if not _is_taken(record)]",
        "[] if all([_is_taken(each) for each in records]) else records",
    ),
    ("aws/queue.py", "if not isinstance(records, list):", "if False:"),
    ("aws/queue.py", "key=key, trace=_trace(record)", "trace=_trace(record)"),
    ("aws/queue.py", "actor=str(queue)", "actor=strict.ANONYMOUS"),
    (
        "aws/queue.py",
        "structlog.contextvars.bound_contextvars(queue_message_id=_id(record))",
        "structlog.contextvars.bound_contextvars()",
    ),
    (
        "aws/queue.py",
        '            log.logger.warning("message refused", reason=str(refused))\n',
        "",
    ),
    ("aws/queue.py", "reason=str(refused)", "reason=str(record)"),
    (
        "aws/queue.py",
        "from .. import intake, strict",
        "from .. import intake, strict\nfrom ..api import problems",
    ),
    (
        "aws/stream.py",
        "return [each for record in records for each in _project([record])]",
        "return records",
    ),
    (
        "aws/stream.py",
        "    except StoreUnavailable as error:  # each alone would wait for it, too\n        log.log_error(error)\n        return records\n",
        "",
    ),
    ("aws/stream.py", "            run_due(context)", "            pass"),
    ("aws/stream.py", "bus.project(_commits_in(records))", "_commits_in(records)"),
    ("aws/stream.py", "from .runtime import", "from . import http\nfrom .runtime import"),
    (
        "aws/stream.py",
        'not hasattr(bus.store, "commits_in")',
        'not hasattr(type(bus.store), "commits_in")',
    ),
    ("aws/worker.py", "list(bus.subscriptions.values())", "[]"),
    (
        "aws/worker.py",
        "                if not advance_all(subscriptions, log.subscriber_failed, PAGE):\n                    break",
        "                advance_all(subscriptions, log.subscriber_failed, PAGE)\n                break",
    ),
    ("aws/worker.py", ", share=0.5", ""),
    ("aws/worker.py", "attempted + run_due(context)", "attempted"),
    ("aws/runtime.py", "if not just_now:", "if True:"),
    ("aws/runtime.py", "- MARGIN_SECONDS if left", "if left"),
    ("aws/runtime.py", "seconds * share", "seconds"),
    ("aws/runtime.py", "    else:\n        stop.set()\n", ""),
    (
        "../bus/runtime/subscription.py",
        "        if page.commits:\n            self.subscriber",
        "        if True:\n            self.subscriber",
    ),
    ("api/request.py", 'state.get("trace")', "None"),
]

INTAKE = [
    (
        "intake.py",
        'if command is None:\n        raise Refused(f"there is no such',
        'if command is None:\n        raise KeyError(f"there is no such',
    ),
    (
        "intake.py",
        "for service in SERVICES for command in service.PUBLIC",
        "for service in SERVICES for command, _ in service.COMMANDS",
    ),
    ("intake.py", "if len(encoded) > strict.MAX_BODY_BYTES:", "if False:"),
    (
        "intake.py",
        "if len(encoded) > strict.MAX_BODY_BYTES:",
        "if len(text) > strict.MAX_BODY_BYTES:",
    ),
    (
        "intake.py",
        "if len(encoded) > strict.MAX_BODY_BYTES:",
        "if len(encoded) >= strict.MAX_BODY_BYTES:",
    ),
    ("intake.py", 'text.encode("utf-8", "surrogatepass")', "text.encode()"),
    (
        "intake.py",
        "        value = strict.json(encoded)",
        '        value = __import__("json").loads(encoded)',
    ),
    (
        "intake.py",
        '        _refuse_unknown(value, Incoming.__struct_fields__, "the message")',
        "        pass",
    ),
    ("intake.py", "    if isinstance(value, dict):\n", "    if True:\n"),
    ("intake.py", "    _refuse_unknown(body, command.__struct_encode_fields__, name)", "    pass"),
    ("intake.py", "and not strict.is_id(value)", "and False"),
    ("intake.py", 'field.endswith("_id")', "False"),
    ("intake.py", 'field == "id" or ', ""),
    ("intake.py", "and isinstance(value, str) and", "and"),
    ("intake.py", "if strict.is_too_deep(value):", "if False:"),
    (
        "intake.py",
        'said.startswith(("Expected ", "Object missing "))',
        '"Invalid" in said or "Exp" in said or "Object" in said',
    ),
    ("intake.py", "place[0] if place else ''", "said"),
    ("intake.py", "        actor=actor,\n", ""),
    ("intake.py", "strict.correlation_id(message.correlation_id)", '""'),
    (
        "intake.py",
        "strict.traceparent(message.traceparent or trace)",
        "strict.traceparent(trace or message.traceparent)",
    ),
    (
        "intake.py",
        "strict.traceparent(message.traceparent or trace)",
        "strict.traceparent(message.traceparent)",
    ),
    (
        "intake.py",
        "strict.traceparent(message.traceparent or trace)",
        "message.traceparent or trace",
    ),
    ("intake.py", 'f"{door} {message.command} {actor}"', 'f"{message.command} {actor}"'),
    ("intake.py", 'f"{door} {message.command} {actor}"', 'f"{door} {actor}"'),
    ("intake.py", 'f"{door} {message.command} {actor}"', 'f"{door} {message.command}"'),
    (
        "intake.py",
        "message.idempotency_key if message.idempotency_key is not None else key",
        "key if key is not None else message.idempotency_key",
    ),
    (
        "intake.py",
        "message.idempotency_key if message.idempotency_key is not None else key",
        "message.idempotency_key",
    ),
    (
        "intake.py",
        "message.idempotency_key if message.idempotency_key is not None else key",
        "message.idempotency_key or key",
    ),
    ("intake.py", "if not strict.is_key(named):", "if False:"),
    ("intake.py", ', order="sorted"', ""),
    ("intake.py", "sha256(body).hexdigest()", '""'),
    ("strict.py", "re.fullmatch(KEY_PATTERN, text)", "re.match(KEY_PATTERN, text)"),
    ("strict.py", "re.fullmatch(ID_PATTERN, text)", "re.match(ID_PATTERN, text)"),
    ("strict.py", "if level > MAX_LEVELS:", "if level >= MAX_LEVELS:"),
    ("strict.py", "and TRACEPARENT.fullmatch(given)", ""),
    ("strict.py", "and SANE_CORRELATION_ID.fullmatch(given)", ""),
    ("strict.py", "except (ValueError, RecursionError):", "except ValueError:"),
]

CRASH = [
    # two commits of one
    (
        "adapters/event_store/sqlite/store.py",
        "            _insert(connection, commit.follow_ups)\n",
        "            connection.execute('COMMIT')\n            connection.execute('BEGIN IMMEDIATE')\n"
        "            _insert(connection, commit.follow_ups)\n",
    ),
    # what follows, what is done, what was tried
    (
        "bus/runtime/unit_of_work.py",
        "[row for row, _ in follow_ups] + scheduled if",
        "scheduled if",
    ),
    ("bus/runtime/unit_of_work.py", "consumes=envelope.consumes,", "consumes=None,"),
    ("adapters/event_store/sqlite/store.py", "SET attempts = attempts + 1, due_at", "SET due_at"),
    (
        "adapters/event_store/sqlite/store.py",
        "if commit.idempotency and not _use",
        "if False and not _use",
    ),
    ("bus/runtime/worker.py", "if pending.due_at > now or", "if True or"),
    # the feed and the read side
    ("bus/runtime/subscription.py", "            self.subscriber.receive(page.commits)\n", ""),
    ("bus/runtime/projector.py", "self._store.views.put(view, changed)", "pass"),
    # an import
    ("entrypoints/cli/transfer.py", '    _save_progress(store, f"{header.export_id} 0")', "    #"),
]
"""Found by killing a process at every call: each loses something, or does it twice."""

# What is stored, read or written in another way. Nearly all of these agree with themselves.
WRITTEN = [
    (
        "sqlite",
        (
            "bus/store/codec.py",
            "text = msgspec.json.encode(messages)",
            'text = msgspec.json.encode(messages, order="sorted")',
        ),
    ),
    (
        "sqlite",
        (
            "bus/model/messages.py",
            'f"{name}.v{version}"',
            'f"{name} {version}"',
        ),
    ),
    ("sqlite", ("bus/store/pending.py", 'tag="pending"', 'tag="pending command"')),
    ("sqlite", ("bus/runtime/message_bus.py", "sha256(msgspec.json", "sha256(b'2' + msgspec.json")),
    ("sqlite", ("adapters/event_store/__init__.py", 'timespec="micro', 'timespec="milli')),
    (
        "sqlite",
        (
            "adapters/event_store/sqlite/database.py",
            "    error          TEXT NOT NULL DEFAULT '',\n",
            "    error          TEXT NOT NULL DEFAULT '',\n    note TEXT,\n",
        ),
    ),
    ("sqlite", ("entrypoints/cli/transfer.py", "format == 1", "format == 2")),
    ("defaults", ("adapters/event_store/dynamodb/table.py", "key.version:010", "key.version:012")),
    (
        "defaults",
        ("adapters/event_store/dynamodb/table.py", 'attr_name="count"', 'attr_name="size"'),
    ),
    (
        "defaults",
        ("adapters/event_store/dynamodb/table.py", "SHARDS, PARKED = 4", "SHARDS, PARKED = 8"),
    ),
    (
        "postgres",
        (
            "adapters/event_store/postgres/migrations/versions/1_0_0_event_store.py",
            "        error          text NOT NULL,\n",
            "        error          text NOT NULL,\n        note text NOT NULL DEFAULT '',\n",
        ),
    ),
]

SERVER = [
    ("api/server.py", "socket.TCP_NODELAY, 1", "socket.TCP_NODELAY, 0"),
    ("api/server.py", "app.state.stopping = True", "pass"),
    ("api/server.py", "or not self._drain_seconds or", "or True or"),
    ("api/server.py", "or self._is_draining:", "or False:"),
    ("cli/feed.py", "signal.signal(signal.SIGTERM, signal.default_int_handler)", "pass"),
    ("api/problems.py", 'headers["Allow"] = ", ".join(methods)', "pass"),
]
