"""Where AWS is: AWS_ENDPOINT_URL and AWS_REGION."""

from . import Mixin


class AWSSettings(Mixin):
    """A region, and an address of your own for local use."""

    aws_endpoint_url: str | None = None
    aws_region: str | None = None
