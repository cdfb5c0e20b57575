"""Files in an S3 bucket."""

from typing import Any

from ...config import Settings
from .. import aws


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


def open_files(settings: Settings) -> S3FileStore | None:
    """The bucket S3_BUCKET. None, if no bucket is named."""
    if not settings.s3_bucket:
        return None
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
