"""A service and four workers of eight threads each, killed again and again under load."""

import json
import random
import time
from pathlib import Path
from threading import Event, Thread

import httpx

from ..support.process import run, running, serving, until

PATH = "/parcels"
ID = "parcel_id"
NAME = "Parcel"
WORKFLOW = [f"{NAME}Created", f"{NAME}Processed", f"{NAME}Archived"]
SECONDS, CLIENTS = 20.0, 4


class Service:
    """Where it is now."""

    url = ""


def load(service: Service, done: Event, accepted: list[str], name: str) -> None:
    """One client: it sends one after the other, and notes what was accepted."""
    number = 0
    while not done.is_set():
        number += 1
        new_id = f"{name}-{number}"
        try:
            answer = httpx.post(f"{service.url}{PATH}", json={ID: new_id, "data": {}}, timeout=5)
        except httpx.TransportError:
            done.wait(0.05)
            continue
        if answer.status_code == 201:
            accepted.append(new_id)


def kill_now_and_then(
    folder: Path, settings: dict[str, str], service: Service, done: Event, kills: list[str]
) -> None:
    """One process, started again as soon as it is dead."""
    folder.mkdir()
    command = folder.name.partition("-")[0]
    while not done.is_set():
        process = serving if command == "serve" else running
        dispatch = random.choice(["inline", "worker"])
        with process(folder, command, DISPATCH=dispatch, **settings) as server:
            service.url = server.url or service.url
            done.wait(random.uniform(1.5, 4))
            server.kill()
        kills.append(folder.name)


def killed_under_load(folder: Path, **settings: str) -> None:
    """Kill and restart for a while; then all that was accepted is archived, with three events."""
    # A short grace: each kill counts an attempt, and the wait for the next one doubles.
    settings = {"SQLITE_PATH": str(folder / "a.db"), "GRACE_SECONDS": "1", **settings}
    done, accepted, kills, service = Event(), list[str](), list[str](), Service()
    threads = [
        Thread(target=kill_now_and_then, args=(folder / name, settings, service, done, kills))
        for name in ("serve", "worker-1", "worker-2", "worker-3", "worker-4")
    ]
    for thread in threads:
        thread.start()
    until(lambda: service.url or None)
    clients = [
        Thread(target=load, args=(service, done, accepted, f"c{number}"))
        for number in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    time.sleep(SECONDS)
    try:
        until(lambda: (len(kills) >= 6 and len(accepted) >= 10) or None)
    finally:
        done.set()
        for thread in threads + clients:
            thread.join()

    with running(folder, "worker", **settings):
        until(lambda: "commands: 0 open" in run(folder, "status", **settings).stdout or None)
    assert "0 parked" in run(folder, "status", **settings).stdout
    events: dict[str, list[tuple[int, str]]] = {}
    for line in run(folder, "feed", "--all", "--once", "--json", **settings).stdout.splitlines():
        event = json.loads(line)
        stream = events.setdefault(event["stream_id"].partition("/")[2], [])
        stream.append((event["version"], event["type"]))
    assert set(accepted) <= set(events)
    expected = list(enumerate(WORKFLOW, 1))
    assert [each for each in events.values() if sorted(set(each)) != expected] == []
