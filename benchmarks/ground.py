"""What the parts stand on: rendered services, environments for what they are compared with, processes."""

from __future__ import annotations

import hashlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .measure import CouldNotRun, Measured, Turn, interleave

TEMPLATE = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).parent / "peers"
BIN = Path(sys.executable).parent
PACKAGE = "bench_service"
SERVICE = "bench-service"
ANSWER_SECONDS = 180.0


class Contender:
    """A process that does what it is asked for; see `contender.serve`."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=TEMPLATE,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            self.versions: dict[str, str] = self._answer()["versions"]
        except CouldNotRun:
            self.close()
            raise

    def ask(self, work: str, **arguments: Any) -> Any:
        """What came of the work. Raises `CouldNotRun`."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it has ended: the answer says so
            print(json.dumps({"work": work, **arguments}), file=self._process.stdin, flush=True)
        return self._answer()["result"]

    def turn(self, work: str = "turn", **arguments: Any) -> Turn:
        """This work, with a number of times to do it, as a turn."""
        return lambda n: float(self.ask(work, n=n, **arguments))

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        if not select.select([self._process.stdout], [], [], ANSWER_SECONDS)[0]:
            self._process.kill()
            raise CouldNotRun(f"no answer within {ANSWER_SECONDS:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(timeout=10)
            raise CouldNotRun(last_line(self._log.read_text()) or "it ended without a word")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise CouldNotRun(answer["error"])
        return answer


@dataclass
class Ground:
    """One run: a temporary folder, what has been rendered into it, and how thorough it is to be."""

    folder: Path
    environments: Path
    rounds: int = 7
    seconds: float = 0.3
    quick: bool = False
    template: Path = TEMPLATE
    versions: dict[str, str] = field(default_factory=dict)

    def measure(self, turns: dict[str, Turn], **options: Any) -> Measured:
        """The turns, interleaved as this run is set."""
        return interleave(turns, **{"rounds": self.rounds, "seconds": self.seconds, **options})

    def service(self, store: str) -> Path:
        """The service as it is rendered for this store."""
        folder = self.folder / "services" / store
        if not folder.exists():
            render(self.template, folder, store)
        return folder / SERVICE

    def python(self, peer: str) -> Path:
        """The Python of an environment with what `peers/<peer>.txt` names, made by uv if it is not
        there. Raises `CouldNotRun` with what uv had to say."""
        wanted = PEERS / f"{peer}.txt"
        folder = self.environments / peer
        python, stamp = folder / "bin/python", folder / "made"
        fingerprint = hashlib.sha256(wanted.read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text() != fingerprint:
            uv = str(BIN / "uv")
            run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
            run([uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(wanted)])
            stamp.write_text(fingerprint)
        return python

    @contextmanager
    def contenders(self) -> Iterator[Callable[..., Contender]]:
        """Starts contenders by their module's name; they end with the block."""
        with ExitStack() as stack:
            yield partial(self._start, stack)

    def _start(
        self,
        stack: ExitStack,
        module: str,
        *arguments: str,
        store: str = "sqlite",
        peer: str = "",
        **settings: str,
    ) -> Contender:
        python = str(self.python(peer)) if peer else sys.executable
        paths = [] if peer else [str(self.service(store) / "src"), str(self.service(store))]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([*paths, str(TEMPLATE)]),
            "PYTHONSAFEPATH": "1",  # a service has its own `tests`
            "TMPDIR": str(self.folder),
        }
        log = self.folder / f"{module}{'-'.join(arguments)}.log".replace("/", "-")
        command = [python, "-m", f"benchmarks.{module}", *arguments]
        contender = Contender(command, environment | settings, log)
        stack.callback(contender.close)
        self.versions.update(contender.versions)
        return contender


def render(template: Path, folder: Path, store: str, **answers: str) -> float:
    """Render a service in a process of its own, as somebody would. Returns the seconds it took."""
    folder.mkdir(parents=True)
    config = folder / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: {folder}/cookiecutters\nreplay_dir: {folder}/replay\n")
    given = [f"{name}={value}" for name, value in {"store": store, **answers}.items()]
    options = ["--no-input", f"--config-file={config}", f"--output-dir={folder}"]
    command = [sys.executable, "-m", "cookiecutter", str(template), *options]
    started = time.perf_counter()
    run([*command, "service_name=Bench Service", *given], TMPDIR=str(folder))
    return time.perf_counter() - started


def run(command: list[str], folder: Path | None = None, **settings: str) -> str:
    """The output of a command. Raises `CouldNotRun` with its last line if it fails."""
    outcome = subprocess.run(
        command,
        cwd=folder or TEMPLATE,
        env=os.environ | settings,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if outcome.returncode:
        name = " ".join(Path(each).name for each in command[:3])
        raise CouldNotRun(f"{name}: {last_line(outcome.stdout)}")
    return outcome.stdout


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
