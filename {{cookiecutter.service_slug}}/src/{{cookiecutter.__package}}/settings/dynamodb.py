"""The event store on DynamoDB: DYNAMODB_TABLE and SWEEP_HOURS."""

from pydantic import Field

from . import Mixin


class DynamoDBSettings(Mixin):
    """The table, and how often, in hours, the read models scan the whole table."""

    dynamodb_table: str = "{{ cookiecutter.service_slug }}"
    sweep_hours: float = Field(default=24, gt=0)
