{{ aggregate_part.through('created_at: datetime') }}
    location: str | None = None
{{ aggregate_part.through('return None') }}
        match event:
            case events.{{ cookiecutter.__aggregate }}Processed():
                return msgspec.structs.replace(row, status="processed", version=version)
            case events.{{ cookiecutter.__aggregate }}Failed():
                return msgspec.structs.replace(row, status="failed", version=version)
            case events.{{ cookiecutter.__aggregate }}Archived():
                return msgspec.structs.replace(
                    row,
                    status="archived",
                    version=version,
                    location=event.location,
                )
{{ aggregate_part.rest }}
