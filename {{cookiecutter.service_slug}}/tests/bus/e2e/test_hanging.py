"""The service as a process, while calls to an outside system hang for ever."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import httpx
import pytest

from ..support.process import serving, until

PATH = "/parcels"
ID = "parcel_id"
SETTINGS = {
    "WORKER_THREADS": "2",
    "TIME_LIMIT_SECONDS": "0.3",
    "GRACE_SECONDS": "0.2",
    "STOP_SECONDS": "2",
}
SECONDS = 10  # what would hang takes longer


@pytest.mark.slow
@pytest.mark.parametrize("dispatch", ["inline", "worker"])
def test_calls_that_hang_hold_up_no_others_and_no_stop(tmp_path: Path, dispatch: str) -> None:
    def create(new_id: str) -> int:
        body = {ID: new_id, "data": {}}
        return httpx.post(f"{server.url}{PATH}", json=body, timeout=SECONDS).status_code

    def status(known_id: str) -> str:
        found: str = httpx.get(f"{server.url}{PATH}/{known_id}").json()["status"]
        return found

    def waiting() -> list[str]:
        names: list[str] = httpx.get(f"{server.url}/ready", timeout=SECONDS).json().get("waiting")
        return names

    module = "tests.bus.support.hanging"
    with serving(tmp_path, module=module, DISPATCH=dispatch, **SETTINGS) as server:
        with ThreadPoolExecutor(45) as pool:
            answers = pool.map(create, [f"it-hangs{number}" for number in range(45)])
            assert httpx.get(f"{server.url}/health", timeout=SECONDS).status_code == 200
            assert set(answers) == {201}
        assert until(waiting) == ["ArchiveParcel"]
        assert create("good") == 201
        until(lambda: status("good") == "processed" or None)
        with ThreadPoolExecutor(1) as pool:
            in_flight = pool.submit(create, "hangs")
            sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(SECONDS) == 0
            assert in_flight.result() == 503
        given_up = [line for line in server.lines() if line["event"] == "given up"]
        assert len(given_up) >= 2
        assert {line["level"] for line in given_up} == {"error"}
