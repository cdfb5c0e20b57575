"""The URL of the database comes from a secret of AWS Secrets Manager."""

import json
from collections.abc import Iterator

import pytest

from {{ cookiecutter.__package }}.adapters import aws
from {{ cookiecutter.__package }}.adapters.event_store import postgres
from {{ cookiecutter.__package }}.bus import ConfigurationError
from {{ cookiecutter.__package }}.config import Settings

from ...support.moto_server import REGION, moto_server
from ..support.postgres import server, template, url

__all__ = ["server", "template", "url"]

PASSWORD = "hunter2"


@pytest.fixture(scope="module")
def where() -> Iterator[str]:
    with moto_server() as address:
        yield address


def settings(where: str, name: str, secret: str | None) -> Settings:
    """The settings of a service whose secret has this text."""
    client = aws.session().create_client("secretsmanager", region_name=REGION, endpoint_url=where)
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{name}"
    if secret is not None:
        arn = client.create_secret(Name=name, SecretString=secret)["ARN"]
    client.close()
    return Settings(
        store="postgres", database_secret_arn=arn, aws_endpoint_url=where, aws_region=REGION
    )


def test_the_store_is_the_one_that_the_secret_names(where: str, url: str) -> None:
    store = postgres.open_store(settings(where, "good", json.dumps({"url": url})))
    assert store.commits("Parcel/a") == []
    store.close()


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("text", PASSWORD),
        ("list", f'["{PASSWORD}"]'),
        ("other", json.dumps({"password": PASSWORD})),
        ("malformed", json.dumps({"url": f"postgresql://user:{PASSWORD}@:x@host/name"})),
        ("missing", None),
    ],
)
def test_a_secret_that_is_of_no_use_stops_the_start_and_is_not_repeated(
    where: str, name: str, secret: str | None
) -> None:
    with pytest.raises(ConfigurationError, match=r"^DATABASE_(SECRET_ARN|URL): ") as refused:
        postgres.open_store(settings(where, name, secret))
    assert PASSWORD not in str(refused.value)
