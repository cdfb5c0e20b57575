"""A command, its event, its handler and its route, each at the end of its file, and one row in each
table."""

import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from growth import Growth
from wiring import Change, Place, at_end, row_of


def changes(names: Mapping[str, str]) -> list[Change]:
    package, snake = Path("src", names["__package"]), names["__aggregate_snake"]
    service = package / "service" / snake / "__init__.py"
    command, event = names["__command"], names["__event"]
    rows = {
        "COMMANDS": f"""    (
        commands.{command},
        command_handlers.{command}Handler,
    ),
""",
        "PUBLIC": f"    commands.{command},\n",
        "EVENTS": f"    (events.{event}, []),\n",
    }
    return [
        *(Change(service, row, row_of(table)) for table, row in rows.items()),
        *(Change(path, end, at_end) for path, end in _ends(package, names).items()),
        _route(package / "entrypoints/api", names),
    ]


def _ends(package: Path, names: Mapping[str, str]) -> dict[Path, str]:
    snake, method = names["__aggregate_snake"], names["__method"]
    command, event = names["__command"], names["__event"]
    domain, service = package / "domain" / snake, package / "service" / snake
    return {
        domain / "commands.py": f'''

class {command}(Command):
    """Say what is to be done."""

    {snake}_id: str
''',
        domain / "events.py": f'''

class {event}(Event):
    """Say what has happened."""

    {snake}_id: str
''',
        domain / "aggregate.py": f'''
    def {method}(self) -> None:
        """Decide whether it may be done: raise an error of the domain if not."""
        self.record(
            events.{event}(
                {snake}_id=self.id,
            )
        )

    @applies(events.{event})
    def _{method}_applied(
        self,
        event: events.{event},
    ) -> None:
        """Say what changes in the state."""
''',
        service / "command_handlers.py": f'''

class {command}Handler(
    CommandHandler[commands.{command}],
):
    """Lets the aggregate decide."""

    def handle(
        self,
        command: commands.{command},
        uow: UnitOfWork,
    ) -> None:
        found = uow.get(
            aggregate.{names["__aggregate"]},
            command.{snake}_id,
        )
        found.{method}()
''',
    }


def _route(api: Path, names: Mapping[str, str]) -> Change:
    """Into the module of the aggregate's routes, which is named after its plural."""
    snake, method = names["__aggregate_snake"], names["__method"]
    path = "/{" + snake + "_id}/" + method.replace("_", "-")
    route = f'''

@router.post(
    "{path}",
    responses=documented(404, 409, 413, 422, 503),
)
def {method}_{snake}(
    {snake}_id: Id,
    bus: Bus,
    context: RequestContext,
    idempotency: IdempotencyKey,
) -> shapes.Taken:
    """Say what it does. Sent again under the same Idempotency-Key, it has no second effect."""
    command = commands.{names["__command"]}(
        {snake}_id={snake}_id,
    )
    return shapes.taken(bus.handle(command, idempotency=idempotency, context=context))
'''
    imported = f"from ...domain.{snake} import "
    found = (each for each in sorted(api.glob("*.py")) if imported in each.read_text("utf-8"))
    return Change(next(found, api), route, Place(f"module with `{imported}`", at_end.insert))


class Part(Growth):
    prompts = Path(__file__).with_name("cookiecutter.json")
    changes = staticmethod(changes)
