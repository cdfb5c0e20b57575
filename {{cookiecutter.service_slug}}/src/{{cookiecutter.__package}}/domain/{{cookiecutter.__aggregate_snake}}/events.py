{{ aggregate_part.rest }}


class {{ cookiecutter.__aggregate }}Processed(Event):
    """The work was done; `result` is what came of it."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    result: dict[str, Any]


class {{ cookiecutter.__aggregate }}Failed(Event):
    """The work could not be done, for this reason."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    reason: str


class {{ cookiecutter.__aggregate }}Archived(Event):
    """The result was written; `location` is where."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    location: str
