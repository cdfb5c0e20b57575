"""Files in an S3 bucket: S3_BUCKET."""

from . import Mixin


class S3Settings(Mixin):
    """The bucket. If one is named, files go there and not into the folder."""

    s3_bucket: str | None = None
