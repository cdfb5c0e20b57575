"""`make demo` says what stands in its way, and leaves nothing behind when it is stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from .support import TEMPLATE


def demo(folder: Path, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(TEMPLATE / "scripts/demo.py")],
        env=os.environ | {"TMPDIR": str(folder)} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_taken_port_stops_the_demo_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = demo(tmp_path, PORT=str(port))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be used (Address already in use)" in errors
    assert "`PORT=8123 make demo`" in errors
    assert not any(tmp_path.iterdir())


def test_a_port_that_is_none_stops_the_demo(tmp_path: Path) -> None:
    process = demo(tmp_path, PORT="http")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "PORT is 'http', and must be a number up to 65535, such as 8000" in errors


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    process = demo(tmp_path, NO_COLOR="1")
    assert process.stdout
    for line in process.stdout:
        if "Installing it" in line:
            assert any(tmp_path.iterdir())
            process.send_signal(signal.SIGINT)
            break
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.strip() == "make demo failed: ended by SIGINT"
    assert not any(tmp_path.iterdir())
