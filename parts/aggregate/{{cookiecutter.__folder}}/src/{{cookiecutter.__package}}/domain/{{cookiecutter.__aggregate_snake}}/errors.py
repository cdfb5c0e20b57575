"""What the business refuses."""

from ...bus import DomainError


class {{ cookiecutter.__aggregate }}IsClosed(DomainError):
    """What is closed stays as it is."""

    def __init__(self, {{ cookiecutter.__aggregate_snake }}_id: str) -> None:
        super().__init__(f"{ {{- cookiecutter.__aggregate_snake }}_id} is closed")
