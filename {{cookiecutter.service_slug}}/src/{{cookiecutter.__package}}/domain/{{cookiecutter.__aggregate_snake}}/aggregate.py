{{ aggregate_part.instead_of('from . import events') }}
from . import errors, events
{{ aggregate_part.instead_of('Status =') }}
Status = Literal["created", "processed", "archived", "failed"]
{{ aggregate_part.instead_of('"""Created') }}
    """Created, then processed or failed; what was processed is archived."""
{{ aggregate_part.through('data: dict[str, Any]') }}
    result: dict[str, Any]
    location: str | None = None
{{ aggregate_part.through('return new') }}

    def process(self) -> None:
        """Do the work. This is where your business logic goes: the example notes which fields
        came, and fails when the data says so: `{"fail": "<reason>"}`."""
        if self.status != "created":
            raise errors.AlreadyProcessed(self.id)
        if "fail" in self.data:
            self.record(
                events.{{ cookiecutter.__aggregate }}Failed(
                    {{ cookiecutter.__aggregate_snake }}_id=self.id,
                    reason=str(self.data["fail"]),
                )
            )
        else:
            self.record(
                events.{{ cookiecutter.__aggregate }}Processed(
                    {{ cookiecutter.__aggregate_snake }}_id=self.id,
                    result={"fields": sorted(self.data)},
                )
            )

    def to_archive(self) -> dict[str, Any]:
        """What the archive is to hold."""
        if self.status != "processed":
            raise errors.NotProcessed(self.id)
        return {"id": self.id, "data": self.data, "result": self.result}

    def archived(self, location: str) -> None:
        """What `to_archive` gave has been written there."""
        self.record(
            events.{{ cookiecutter.__aggregate }}Archived(
                {{ cookiecutter.__aggregate_snake }}_id=self.id,
                location=location,
            )
        )
{{ aggregate_part.rest }}

    @applies(events.{{ cookiecutter.__aggregate }}Processed)
    def _processed(self, event: events.{{ cookiecutter.__aggregate }}Processed) -> None:
        self.status = "processed"
        self.result = event.result

    @applies(events.{{ cookiecutter.__aggregate }}Failed)
    def _failed(self, _event: events.{{ cookiecutter.__aggregate }}Failed) -> None:
        self.status = "failed"

    @applies(events.{{ cookiecutter.__aggregate }}Archived)
    def _archived(self, event: events.{{ cookiecutter.__aggregate }}Archived) -> None:
        self.status = "archived"
        self.location = event.location
