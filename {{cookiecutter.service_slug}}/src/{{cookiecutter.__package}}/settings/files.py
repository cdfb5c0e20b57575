"""Where files go: FILES_PATH."""

from pathlib import Path

from . import Mixin


class FilesSettings(Mixin):
    """A folder."""

    files_path: Path = Path("var/files")
