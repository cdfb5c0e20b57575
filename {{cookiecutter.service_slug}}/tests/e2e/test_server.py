"""The service as it runs: a process with a real server on loopback, on the embedded store."""

from pathlib import Path

import httpx

from ..support.process import run, serving

PATH = "/{{ cookiecutter.aggregate_plural }}"
ID = "{{ cookiecutter.__aggregate_snake }}_id"


def test_data_survives_a_stop_and_a_start(tmp_path: Path) -> None:
    with serving(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        created = client.post(PATH, json={ID: "a", "data": {"x": 1}})
        assert (created.status_code, created.json()["version"]) == (201, 1)
        before = client.get(f"{PATH}/a").json()
        history = client.get(f"{PATH}/a/history").json()
        assert client.get("/ready").status_code == 200
        assert server.stop() == 0
    assert len(run(tmp_path, "history", "a").stdout.splitlines()) == len(history["events"])

    with serving(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        assert client.get(f"{PATH}/a").json() == before
        assert client.get(f"{PATH}/a/history").json() == history
        assert server.stop() == 0
