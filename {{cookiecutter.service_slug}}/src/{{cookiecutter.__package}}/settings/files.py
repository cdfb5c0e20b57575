"""Where files go: FILES_PATH and S3_BUCKET."""

from pathlib import Path

from . import Mixin


class FilesSettings(Mixin):
    """A folder, or a bucket if one is named."""

    files_path: Path = Path("var/files")
    s3_bucket: str | None = None
