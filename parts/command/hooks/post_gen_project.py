"""Adds the command, its event and its handler, each at the end of its file, and wires them: one row in
each table. Run again, it changes nothing."""

import re
import sys
from pathlib import Path

PACKAGE = Path("src", {{ cookiecutter.__package | tojson }})
AGGREGATE = {{ cookiecutter.__aggregate | tojson }}
SNAKE = {{ cookiecutter.__aggregate_snake | tojson }}
COMMAND = {{ cookiecutter.__command | tojson }}
EVENT = {{ cookiecutter.__event | tojson }}
METHOD = {{ cookiecutter.__method | tojson }}

DOMAIN, SERVICE = PACKAGE / "domain" / SNAKE, PACKAGE / "service" / SNAKE

ENDS = {
    DOMAIN / "commands.py": f'''

class {COMMAND}(Command):
    """Say what is to be done."""

    {SNAKE}_id: str
''',
    DOMAIN / "events.py": f'''

class {EVENT}(Event):
    """Say what has happened."""

    {SNAKE}_id: str
''',
    DOMAIN / "aggregate.py": f'''
    def {METHOD}(self) -> None:
        """Decide whether it may be done: raise an error of the domain if not."""
        self.record(
            events.{EVENT}(
                {SNAKE}_id=self.id,
            )
        )

    @applies(events.{EVENT})
    def _{METHOD}_applied(
        self,
        event: events.{EVENT},
    ) -> None:
        """Say what changes in the state."""
''',
    SERVICE / "command_handlers.py": f'''

class {COMMAND}Handler(
    CommandHandler[commands.{COMMAND}],
):
    """Lets the aggregate decide."""

    def handle(
        self,
        command: commands.{COMMAND},
        uow: UnitOfWork,
    ) -> None:
        found = uow.get(
            aggregate.{AGGREGATE},
            command.{SNAKE}_id,
        )
        found.{METHOD}()
''',
}

ROWS = {
    "COMMANDS": f"""    (
        commands.{COMMAND},
        command_handlers.{COMMAND}Handler,
    ),
""",
    "EVENTS": f"    (events.{EVENT}, []),\n",
}


def with_row(text, table, row):
    """The text with the row at the end of the table, in which it was not."""
    found = re.search(rf"^{table}\b.*= \(\n(?:    .*\n)*\)\n", text, re.MULTILINE)
    if not found:
        return None
    end = found.end() - len(")\n")
    return text if row in found[0] else text[:end] + row + text[end:]


wiring = SERVICE / "__init__.py"
text = wiring.read_text()
for table, row in ROWS.items():
    wired = with_row(text, table, row)
    if wired is None:
        sys.exit(f"{wiring} has no table {table}: add the row there by hand:\n{row}")
    text = wired
changed = {wiring: text}
for path, end in ENDS.items():
    before = path.read_text()
    changed[path] = before if end in before else f"{before.rstrip()}\n{end}"
for path, text in changed.items():
    path.write_text(text)
