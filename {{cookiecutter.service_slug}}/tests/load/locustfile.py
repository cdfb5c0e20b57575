"""Who uses the HTTP API under `make load`: each takes in one, then reads it and the list."""

from locust import HttpUser, task

PATH = "/{{ cookiecutter.aggregate_plural }}"


class Caller(HttpUser):
    """Sends the next request as soon as the last one is answered."""

    @task
    def create_and_read(self) -> None:
        created = self.client.post(PATH, json={"data": {"item": "book"}})
        if created.ok:
            self.client.get(created.headers["location"], name=f"{PATH}/[id]")

    @task
    def page(self) -> None:
        self.client.get(PATH, params={"limit": "20"}, name=PATH)
