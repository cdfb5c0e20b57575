{{ aggregate_part.through('data: dict[str, Any]') }}
    location: str | None
{{ aggregate_part.through('created_at: str') }}
    location: str | None
{{ aggregate_part.through('created_at=') }}
            location=row.location,
{{ aggregate_part.through('data=view.data') }}
        location=view.location,
{{ aggregate_part.rest }}
