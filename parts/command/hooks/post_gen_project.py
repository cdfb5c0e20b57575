"""Adds the command, its event, its handler and its route, each at the end of its file, and wires
them: one row in each table. A second run changes nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path({{ cookiecutter._repo_dir | tojson }}).parent))
from wiring import Change, at_end, row_of, wire

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

PATH = "/{" + SNAKE + "_id}/" + METHOD.replace("_", "-")
ROUTE = f'''

@router.post(
    "{PATH}",
    responses=documented(404, 409, 413, 422, 503),
)
def {METHOD}_{SNAKE}(
    {SNAKE}_id: Id,
    bus: Bus,
    context: RequestContext,
    idempotency: IdempotencyKey,
) -> shapes.Taken:
    """Say what it does. Sent again under the same Idempotency-Key, it has no second effect."""
    command = commands.{COMMAND}(
        {SNAKE}_id={SNAKE}_id,
    )
    return shapes.taken(bus.handle(command, idempotency=idempotency, context=context))
'''

ROWS = {
    "COMMANDS": f"""    (
        commands.{COMMAND},
        command_handlers.{COMMAND}Handler,
    ),
""",
    "PUBLIC": f"    commands.{COMMAND},\n",
    "EVENTS": f"    (events.{EVENT}, []),\n",
}


def routes() -> Path:
    """The module of the aggregate's routes, which is named after its plural."""
    imported = f"from ...domain.{SNAKE} import "
    found = sorted((PACKAGE / "entrypoints/api").glob("*.py"))
    return next((path for path in found if imported in path.read_text("utf-8")), Path("its routes"))


wire(
    [
        *(Change(SERVICE / "__init__.py", row, row_of(table)) for table, row in ROWS.items()),
        *(Change(path, end, at_end) for path, end in ENDS.items()),
        Change(routes(), ROUTE, at_end),
    ]
)
