"""Where files go: a dictionary, a folder, or an S3 bucket."""

import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import Any

from ..config import Settings
from ..service.ports import files
from . import aws


class MemoryFileStore:
    """A dictionary, for tests."""

    def __init__(self) -> None:
        self._lock, self.files = Lock(), dict[str, bytes]()

    def put(self, name: str, content: bytes) -> str:
        with self._lock:
            self.files[name] = content
        return f"memory:{name}"

    def get(self, name: str) -> bytes:
        try:
            return self.files[name]
        except KeyError:
            raise FileNotFoundError(name) from None


class DiskFileStore:
    """A folder. A write is atomic: the file is written under another name, synced, and then
    renamed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def put(self, name: str, content: bytes) -> str:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        return path.as_uri()

    def get(self, name: str) -> bytes:
        return self._path(name).read_bytes()

    def _path(self, name: str) -> Path:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise ValueError(f"{name!r} is outside of the file store")
        return path


class S3FileStore:
    """A bucket. It needs the permissions s3:PutObject and s3:GetObject. `client` is botocore's, for
    S3."""

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket, self._client = bucket, client

    def put(self, name: str, content: bytes) -> str:
        self._client.put_object(Bucket=self._bucket, Key=name, Body=content)
        return f"s3://{self._bucket}/{name}"

    def get(self, name: str) -> bytes:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=name)
        except self._client.exceptions.NoSuchKey:
            raise FileNotFoundError(name) from None
        content: bytes = found["Body"].read()
        return content


def open_files(settings: Settings) -> files.FileStore:
    """The bucket at S3_BUCKET if one is named, else the folder at FILES_PATH."""
    if not settings.s3_bucket:
        return DiskFileStore(settings.files_path)
    from botocore.config import Config  # imported here: slow, and not needed for a folder

    client = aws.session().create_client(
        "s3",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path"} if settings.aws_endpoint_url else None,
        ),
    )
    return S3FileStore(settings.s3_bucket, client)
