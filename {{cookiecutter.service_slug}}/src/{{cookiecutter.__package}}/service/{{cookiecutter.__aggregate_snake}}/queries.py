{{ aggregate_part.through('data: dict[str, Any]') }}
    location: str | None
{{ aggregate_part.through('cursor: str | None = None') }}


class Get{{ cookiecutter.__aggregate }}Row(
    Query[projections.{{ cookiecutter.__aggregate }}Row],
):
    """The row of one of them, at version `min_version` or a later one."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    min_version: int = 0
{{ aggregate_part.through('found.data') }}
            found.location,
{{ aggregate_part.rest }}


class Get{{ cookiecutter.__aggregate }}RowHandler(
    QueryHandler[Get{{ cookiecutter.__aggregate }}Row],
):
    """Reads the read model, after bringing the row up to `min_version`."""

    def handle(
        self,
        query: Get{{ cookiecutter.__aggregate }}Row,
        reader: Reader,
    ) -> projections.{{ cookiecutter.__aggregate }}Row:
        return reader.row(
            projections.{{ cookiecutter.__aggregate }}List,
            query.{{ cookiecutter.__aggregate_snake }}_id,
            query.min_version,
        )
