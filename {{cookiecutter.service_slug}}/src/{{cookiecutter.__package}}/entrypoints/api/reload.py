"""`serve --reload`: the server in a process that is started again when the code changes.

This imports nothing of the service until that process runs: after a broken edit, it has to start
all the same, to say what is wrong.
"""

import sys
import traceback
from pathlib import Path
from socket import socket

import uvicorn
from starlette.responses import PlainTextResponse
from uvicorn.supervisors import ChangeReload

PACKAGE = Path(__file__).parents[2]


def watch(listener: socket) -> None:
    """Serve on this socket, until SIGTERM or SIGINT."""
    # A new process would first import the main module of this one. That is the command line, which
    # imports the service.
    vars(sys.modules["__main__"]).pop("__file__", None)
    config = uvicorn.Config("", reload=True, reload_dirs=[str(PACKAGE)], log_config=None)
    ChangeReload(config, target=serve, sockets=[listener]).run()


def serve(sockets: list[socket] | None) -> None:
    """Serve the code as it is now. If it cannot be loaded, each request is answered with the
    traceback."""
    try:
        from ...config import load_settings
        from . import app, server

        serving: uvicorn.Server = server.make_server(app.from_environment(), load_settings())
    except Exception:
        wrong = traceback.format_exc()
        sys.stderr.write(wrong)
        answer = PlainTextResponse(wrong, 500)
        serving = uvicorn.Server(
            uvicorn.Config(answer, log_config=None, access_log=False, lifespan="off", ws="none")
        )
    serving.run(sockets=sockets)
