"""`make load`: locust against the server at URL, or against one of its own on an embedded file."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..support.process import serving

LOCUSTFILE = Path(__file__).with_name("locustfile.py")


def main() -> int:
    """Returns locust's exit code: 1 if any request failed."""
    url = os.environ.get("URL")
    if url:
        return load(url)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), STORE="sqlite") as server:
        return load(server.url)


def load(url: str) -> int:
    users, seconds = os.environ.get("USERS", "20"), os.environ.get("SECONDS", "10")
    print(f"{users} users for {seconds} seconds on {url}", flush=True)
    command = [
        *(sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--host", url),
        *("--headless", "--only-summary", "--users", users, "--spawn-rate", users),
        *("--run-time", f"{seconds}s", "--loglevel", "WARNING"),
    ]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
