"""The event store on DynamoDB: DYNAMODB_TABLE, SWEEP_HOURS and DUE_SHARDS."""

from pydantic import Field

from . import Mixin


class DynamoDBSettings(Mixin):
    """The table; how often, in hours, the read models scan the whole table; and over how many
    partitions the index of pending commands is spread."""

    dynamodb_table: str = "{{ cookiecutter.service_slug }}"
    sweep_hours: float = Field(default=24, gt=0)
    due_shards: int = Field(default=4, ge=1, le=256)
