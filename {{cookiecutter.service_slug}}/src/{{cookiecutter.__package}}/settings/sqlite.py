"""The event store in a SQLite file: SQLITE_PATH."""

from pathlib import Path

from . import Mixin


class SQLiteSettings(Mixin):
    """The file."""

    sqlite_path: Path = Path("var/{{ cookiecutter.service_slug }}.db")
