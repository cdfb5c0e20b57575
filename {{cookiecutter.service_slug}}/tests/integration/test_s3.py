"""The file store in an S3 bucket, as moto's server plays it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session

from {{ cookiecutter.__package }}.adapters import aws
from {{ cookiecutter.__package }}.adapters.files import open_files
from {{ cookiecutter.__package }}.adapters.files.s3 import S3FileStore
from {{ cookiecutter.__package }}.config import Settings

from ..support.moto_server import REGION, moto_server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def s3(url: str) -> Iterator[Any]:
    client = aws.session().create_client("s3", region_name=REGION, endpoint_url=url)
    client.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    yield client
    for found in client.list_objects_v2(Bucket="archive").get("Contents", []):
        client.delete_object(Bucket="archive", Key=found["Key"])
    client.delete_bucket(Bucket="archive")
    client.close()


def test_files_go_to_the_bucket_that_is_named(url: str, s3: Any) -> None:
    files = open_files(Settings(s3_bucket="archive", aws_endpoint_url=url, aws_region=REGION))
    assert isinstance(files, S3FileStore)
    assert files.put("a/b:1.json", b"\x00one") == "s3://archive/a/b:1.json"
    assert files.get("a/b:1.json") == b"\x00one"
    assert s3.get_object(Bucket="archive", Key="a/b:1.json")["Body"].read() == b"\x00one"


def test_its_client_is_made_by_the_session_that_all_share(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, Session]] = []
    create = Session.create_client

    def recorded(session: Session, service: str, *arguments: Any, **options: Any) -> Any:
        made.append((service, session))
        return create(session, service, *arguments, **options)

    monkeypatch.setattr(Session, "create_client", recorded)
    open_files(Settings(s3_bucket="archive", aws_endpoint_url=url, aws_region=REGION))
    assert made == [("s3", aws.session())]


def test_putting_again_leaves_one_object(s3: Any) -> None:
    files = S3FileStore("archive", s3)
    assert files.put("a.json", b"one") == files.put("a.json", b"two")
    assert files.get("a.json") == b"two"
    assert s3.list_objects_v2(Bucket="archive")["KeyCount"] == 1


def test_a_file_that_is_not_there_is_not_found(s3: Any) -> None:
    with pytest.raises(FileNotFoundError):
        S3FileStore("archive", s3).get("a.json")


@pytest.mark.parametrize("key", ["one", "two"])
def test_the_credentials_are_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    aws.session.cache_clear()
    assert aws.session().get_credentials().access_key == key
    aws.session.cache_clear()
