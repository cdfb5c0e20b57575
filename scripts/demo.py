"""Renders a service with the default answers, starts it, sends it an order and shows what happened.

What it makes is kept in a temporary folder and gone afterwards, however it ends.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

TEMPLATE = Path(__file__).resolve().parent.parent
SERVICE = "order-service"
HOST = "127.0.0.1"
WORKFLOW = [
    ("CreateOrder", "OrderCreated"),
    ("ProcessOrder", "OrderProcessed"),
    ("ArchiveOrder", "OrderArchived"),
]
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


class DemoFailed(Exception):
    """A step did not do what it should; the message says what, and what would help."""


def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        service = render(Path(folder))
        show_tree(service)
        install(service)
        with running(service, port):
            order_id = create_order(port)
            show_timeline(history(service, order_id))
    step("Stopped by SIGTERM with exit code 0, and the folder is gone")


def free_port() -> int:
    """The port of the environment if it is free, else one that is."""
    wanted = os.environ.get("PORT", "0")
    if not wanted.isdecimal() or int(wanted) > 65535:
        raise DemoFailed(f"PORT is {wanted!r}, and must be a number up to 65535, such as 8000")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(wanted)))
        except OSError as error:
            raise DemoFailed(
                f"port {wanted} of {HOST} cannot be used ({error.strerror}); name another"
                " (`PORT=8123 make demo`) or none"
            ) from error
        port: int = probe.getsockname()[1]
        return port


def render(folder: Path) -> Path:
    step("Rendering the template with its default answers")
    # Kept apart from the caller's own cookiecutter settings and replays.
    config = folder / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: {folder}/cookiecutters\nreplay_dir: {folder}/replay\n")
    options = ["--no-input", f"--config-file={config}", f"--output-dir={folder}"]
    # Cookiecutter forgets the hooks that it renders into the temporary folder: here they go with it.
    environment = os.environ | {"TMPDIR": str(folder)}
    run([sys.executable, "-m", "cookiecutter", str(TEMPLATE), *options], folder, environment)
    return folder / SERVICE


def show_tree(service: Path) -> None:
    print(bold(f"{service.name}/"))
    for line in tree(service, deeper={"src", "src/*", "tests"}):
        print(line)
    files = sum(path.is_file() for path in service.rglob("*"))
    print(dim(f"{files} files"))


def tree(
    folder: Path, deeper: set[str], root: Path | None = None, indent: str = ""
) -> Iterator[str]:
    root = root or folder
    entries = listed(folder)
    for entry in entries:
        last = entry == entries[-1]
        name = entry.name if entry.is_file() else blue(entry.name + "/")
        below = entry.is_dir() and any(entry.relative_to(root).match(each) for each in deeper)
        inside = ""
        if entry.is_dir() and not below:
            inside = dim("  " + " ".join(path.name for path in listed(entry)))
        yield f"{dim(indent + ('└── ' if last else '├── '))}{name}{inside}"
        if below:
            yield from tree(entry, deeper, root, indent + ("    " if last else "│   "))


def listed(folder: Path) -> list[Path]:
    named = [path for path in folder.iterdir() if path.name != "__init__.py"]
    return sorted(named, key=lambda path: (path.is_file(), path.name))


def install(service: Path) -> None:
    step("Installing it, as its own Makefile does")
    started = time.monotonic()
    # Not a part of the make that may have started this script.
    environment = {name: os.environ[name] for name in os.environ if "MAKE" not in name}
    run(["make", ".venv/synced"], service, environment, show=True)
    print(dim(f"  {time.monotonic() - started:.0f} s"))


@contextmanager
def running(service: Path, port: int) -> Iterator[None]:
    step(f"Starting it on its embedded store: {SERVICE} serve, at http://{HOST}:{port}")
    log = service / "serve.log"
    environment = settings(service) | {"HOST": HOST, "PORT": str(port)}
    with log.open("w") as output:
        # A session of its own: Ctrl-C reaches this script alone, which then stops the service.
        server = subprocess.Popen(
            [service / ".venv/bin" / SERVICE, "serve"],
            cwd=service,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_healthy(server, port)
        yield
        server.send_signal(signal.SIGTERM)
        if (code := server.wait(timeout=15)) != 0:
            raise DemoFailed(f"the service answered SIGTERM with exit code {code} instead of 0")
    except DemoFailed as failure:
        raise DemoFailed(f"{failure}\n{tail(log.read_text())}") from failure
    except subprocess.TimeoutExpired as failure:
        raise DemoFailed("the service did not stop within 15 s of SIGTERM") from failure
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if (code := server.poll()) is not None:
            raise DemoFailed(f"the service ended with exit code {code} while starting")
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise DemoFailed("the service was not healthy within 30 s")


def create_order(port: int) -> str:
    step("Sending it an order")
    created = request(port, "POST", "/orders", {"data": {"item": "book", "quantity": 2}}, 201)
    path = f"/orders/{created['order_id']}"
    request(port, "GET", path, None, 200)
    request(port, "GET", f"{path}/history", None, 200)
    return str(created["order_id"])


def request(port: int, method: str, path: str, body: object, expected: int) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    call = urllib.request.Request(f"http://{HOST}:{port}{path}", data, headers, method=method)
    print(f"  {bold(method)} {path} {data.decode() if data else ''}")
    try:
        with urllib.request.urlopen(call, timeout=10) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read().decode()
    except OSError as error:
        raise DemoFailed(f"{method} {path} got no answer: {error}") from error
    print(
        f"  {green(str(status)) if status == expected else red(str(status))} {dim(shorten(text))}"
    )
    if status != expected:
        raise DemoFailed(f"{method} {path} answered {status} instead of {expected}: {text}")
    answer: dict[str, Any] = json.loads(text)
    return answer


def history(service: Path, order_id: str) -> list[dict[str, Any]]:
    """The events of the finished workflow, each with the command that caused it."""
    step(f"What it recorded: {SERVICE} history {order_id}")
    command = [str(service / ".venv/bin" / SERVICE), "history", order_id, "--json"]
    deadline = time.monotonic() + 10
    while True:
        answer = json.loads(run(command, service, settings(service)))
        events: list[dict[str, Any]] = answer["events"]
        if len(events) >= len(WORKFLOW) or time.monotonic() > deadline:
            return events
        time.sleep(0.2)


def show_timeline(events: list[dict[str, Any]]) -> None:
    for event in events:
        recorded_at = re.sub(r"^.*T|(Z|\+00:00)$", "", event["recorded_at"])
        command = f"{event['command']:<14}"
        data = {name: value for name, value in event["data"].items() if name != "order_id"}
        print(
            f"  {event['version']}  {dim(recorded_at)}  {yellow(command)} →  "
            f"{green(format(event['type'], '<14'))}  {dim(shorten(json.dumps(data)))}"
        )
    seen = [(event["command"], event["type"]) for event in events]
    if seen != WORKFLOW:
        raise DemoFailed(f"the workflow should have been {WORKFLOW}, and was {seen}")


def settings(service: Path) -> dict[str, str]:
    """The caller's environment without what would change the service: its defaults are shown."""
    named = re.findall(r"^# ([A-Z0-9_]+)=", (service / ".env.example").read_text(), re.MULTILINE)
    return {name: value for name, value in os.environ.items() if name not in named}


def run(
    command: list[str], cwd: Path, environment: dict[str, str] | None = None, *, show: bool = False
) -> str:
    """The standard output of a command that succeeds, its progress shown if asked for."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if show else errors,
            text=True,
        )
        output = ""
        assert process.stdout
        try:
            for line in process.stdout:
                output += line
                if show:
                    print(dim(f"  {line.rstrip()}"), flush=True)
        finally:
            if process.poll() is None and sys.exc_info()[0]:
                process.terminate()
            process.wait()
        errors.seek(0)
        if process.returncode != 0:
            what = " ".join(command)
            log = tail(output + errors.read())
            raise DemoFailed(f"`{what}` ended with exit code {process.returncode}\n{log}")
    return output


def tail(log: str) -> str:
    return "\n".join(f"  | {line}" for line in log.splitlines()[-20:])


def shorten(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."


def paint(code: int, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text: str) -> str:
    return paint(1, text)


def dim(text: str) -> str:
    return paint(2, text)


def red(text: str) -> str:
    return paint(31, text)


def green(text: str) -> str:
    return paint(32, text)


def yellow(text: str) -> str:
    return paint(33, text)


def blue(text: str) -> str:
    return paint(34, text)


def step(text: str) -> None:
    print(f"\n{green('▸')} {bold(text)}", flush=True)


def interrupted(number: int, _frame: object) -> NoReturn:
    raise DemoFailed(f"ended by {signal.Signals(number).name}")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    try:
        main()
    except DemoFailed as failure:
        sys.exit(f"\n{red('make demo failed:')} {failure}")
