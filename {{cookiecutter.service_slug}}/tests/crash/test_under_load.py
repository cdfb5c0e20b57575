"""Killed again and again under load: every one that was accepted is archived, with three events."""

import json
import random
import time
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from ..support.process import Server, run, running, serving, until

PATH = "/orders"
ID = "order_id"
NAME = "Order"
WORKFLOW = [f"{NAME}Created", f"{NAME}Processed", f"{NAME}Archived"]
SECONDS, CLIENTS = 20.0, 4


def load(service: "Service", done: Event, accepted: list[str], name: str) -> None:
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


class Service:
    url = ""


def kill_now_and_then(
    folder: Path, kind: str, service: Service, done: Event, kills: list[str]
) -> None:
    """One process, started again as soon as it is dead."""
    own = folder / f"{kind}-{len(kills)}-{random.random()}"
    while not done.is_set():
        own.mkdir(exist_ok=True)
        settings = {"SQLITE_PATH": str(folder / "a.db"), "FILES_PATH": str(folder / "files")}
        server: Server
        if kind == "serve":
            with serving(own, **settings) as server:
                service.url = server.url
                done.wait(random.uniform(0.5, 2))
                server.kill()
        else:
            with running(own, "worker", **settings) as server:
                done.wait(random.uniform(0.5, 2))
                server.kill()
        kills.append(kind)


@pytest.mark.slow
def test_every_one_that_was_accepted_is_archived_with_exactly_three_events(tmp_path: Path) -> None:
    done, accepted, kills, service = Event(), list[str](), list[str](), Service()
    threads = [
        Thread(target=kill_now_and_then, args=(tmp_path, kind, service, done, kills))
        for kind in ("serve", "worker", "worker")
    ]
    for thread in threads:
        thread.start()
    until(lambda: service.url or None)
    threads += [
        Thread(target=load, args=(service, done, accepted, f"c{number}"))
        for number in range(CLIENTS)
    ]
    for thread in threads[3:]:
        thread.start()
    time.sleep(SECONDS)
    done.set()
    for thread in threads:
        thread.join()
    assert len(kills) > 10
    assert len(accepted) > 50

    settings = {"SQLITE_PATH": str(tmp_path / "a.db"), "FILES_PATH": str(tmp_path / "files")}
    with running(tmp_path, "worker", **settings):
        until(lambda: "commands   0 open" in run(tmp_path, "status", **settings).stdout or None)
    events: dict[str, list[str]] = {}
    for line in run(tmp_path, "feed", "--all", "--once", "--json", **settings).stdout.splitlines():
        event = json.loads(line)
        events.setdefault(event["stream_id"].partition("/")[2], []).append(event["type"])
    assert set(accepted) <= set(events)
    assert [each for each in events.values() if each != WORKFLOW] == []
    assert "0 parked" in run(tmp_path, "status", **settings).stdout
