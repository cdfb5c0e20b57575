{{ aggregate_part.rest }}

from ...bus import DomainError


class AlreadyProcessed(DomainError):
    """The work on it was done, or has failed: it is not done again."""

    def __init__(self, {{ cookiecutter.__aggregate_snake }}_id: str) -> None:
        super().__init__(f"{ {{- cookiecutter.__aggregate_snake }}_id} has already been processed")


class NotProcessed(DomainError):
    """There is no result to archive."""

    def __init__(self, {{ cookiecutter.__aggregate_snake }}_id: str) -> None:
        super().__init__(f"{ {{- cookiecutter.__aggregate_snake }}_id} has no result to archive")
