{{ aggregate_part.rest }}


class Process{{ cookiecutter.__aggregate }}(Command):
    """Do the work that the service is for."""

    {{ cookiecutter.__aggregate_snake }}_id: str


class Archive{{ cookiecutter.__aggregate }}(Command):
    """Write the result to the file store."""

    {{ cookiecutter.__aggregate_snake }}_id: str
