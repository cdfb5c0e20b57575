"""The URL of the database from AWS Secrets Manager. So its password stands in no variable."""

import json
from typing import Any

from ....bus import ConfigurationError
from ....config import Settings
from ... import aws


def database_url(settings: Settings) -> str:
    """The key `url` of the secret at DATABASE_SECRET_ARN. Raises `ConfigurationError` if it cannot
    be read, or has no such key; the error never repeats what is in it."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        text = _read(settings)
        url = json.loads(text)["url"]
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(f"DATABASE_SECRET_ARN: {error}") from None
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(
            'DATABASE_SECRET_ARN: the secret is not JSON with a key "url"'
        ) from None
    return str(url)


def _read(settings: Settings) -> str:
    from botocore.config import Config  # imported here: slow, and not needed with DATABASE_URL

    client: Any = aws.session().create_client(
        "secretsmanager",
        region_name=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        config=Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    try:
        text: str = client.get_secret_value(SecretId=settings.database_secret_arn)["SecretString"]
    finally:
        client.close()
    return text
