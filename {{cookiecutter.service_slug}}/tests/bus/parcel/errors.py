"""What the business refuses."""

from {{ cookiecutter.__package }}.bus import DomainError


class AlreadyProcessed(DomainError):
    """The work on it was done, or has failed: it is not done again."""

    def __init__(self, parcel_id: str) -> None:
        super().__init__(f"{parcel_id} has already been processed")


class NotProcessed(DomainError):
    """There is no result to archive."""

    def __init__(self, parcel_id: str) -> None:
        super().__init__(f"{parcel_id} has no result to archive")
