"""What every file store does, and that the folder keeps files in the folder."""

from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.adapters.files import (
    DiskFileStore,
    MemoryFileStore,
    open_files,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.service.ports.files import FileStore


@pytest.fixture(params=["memory", "disk"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return MemoryFileStore() if request.param == "memory" else DiskFileStore(tmp_path / "files")


def test_what_is_put_can_be_got(files: FileStore) -> None:
    files.put("a/b.json", b"\x00one")
    files.put("a/c.json", b"two")
    assert (files.get("a/b.json"), files.get("a/c.json")) == (b"\x00one", b"two")


def test_putting_again_replaces_and_is_at_the_same_place(files: FileStore) -> None:
    assert files.put("a/b.json", b"one") == files.put("a/b.json", b"two")
    assert files.get("a/b.json") == b"two"


def test_a_file_that_is_not_there_is_not_found(files: FileStore) -> None:
    with pytest.raises(FileNotFoundError):
        files.get("a/b.json")


def test_the_folder_holds_whole_files_and_nothing_else(tmp_path: Path) -> None:
    location = DiskFileStore(tmp_path / "files").put("a/b.json", b"one")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "files/a/b.json"]
    assert location == (tmp_path / "files/a/b.json").as_uri()


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/outside"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="outside of the file store"):
        DiskFileStore(tmp_path / "files").put(name, b"one")
    assert list(tmp_path.rglob("outside")) == []


def test_files_go_to_the_folder_unless_a_bucket_is_named(tmp_path: Path) -> None:
    assert isinstance(open_files(Settings(store="memory", files_path=tmp_path)), DiskFileStore)
