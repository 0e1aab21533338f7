"""The command `explore`: a server for this machine alone, until Ctrl-C."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from simulation.explorer.desk import DESK
from simulation.explorer.guarding import Guard
from simulation.explorer.places import find_place
from simulation.explorer.progress import PATH, tell_progress
from simulation.foundation import EXIT_BAD_INPUT, Interrupted, SimulationError

HOST: Final = "127.0.0.1"
"""Nobody else's machine can reach it."""

PORT: Final = 8501

_APP: Final = Path(__file__).with_name("app.py")

_OPTIONS: Final = {
    "server.address": HOST,
    "server.headless": True,  # opens no browser, asks for no address
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.maxUploadSize": 1,
    "runner.postScriptGC": False,  # it takes a tenth of a second, each time that a page is made; Python does it in time
    "browser.gatherUsageStats": False,
    "browser.serverAddress": HOST,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "global.developmentMode": False,
    "logger.hideWelcomeMessage": True,
}


class ExplorerError(SimulationError):
    """The explorer cannot be opened; the text says why."""

    exit_code = EXIT_BAD_INPUT


def serve(folders: Sequence[Path], port: int, plugins: Sequence[Path] = ()) -> None:
    """Serve the pages until a signal comes; a run that goes on then is ended in order.

    Args:
        folders: Runs and sweeps to offer, besides those below ``runs`` and ``sweeps``.
        port: Where the browser finds them.
        plugins: Files of code that a scenario may be given on the page; no other code is executed.

    Raises:
        ExplorerError: Streamlit is not installed, something else has the port, or a plug-in is not there.
        PlaceError: A folder is not there, or not below the working folder.
    """
    DESK.given = [find_place(folder) for folder in folders]
    DESK.plugins = [_find_plugin(file) for file in plugins]
    if find_spec("streamlit") is None:
        raise ExplorerError("the explorer needs Streamlit, which is not installed: make explore")
    _check_port(port)
    import streamlit as st  # noqa: PLC0415 - a second, and not installed everywhere
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.routing import WebSocketRoute  # noqa: PLC0415

    app = st.App(_APP, routes=[WebSocketRoute(PATH, tell_progress)], middleware=[Middleware(Guard)])
    print(f"explorer: http://{HOST}:{port} (Ctrl-C ends it)", flush=True)  # noqa: T201
    try:
        with suppress(Interrupted):  # the server raises again the signal that has ended it
            app.run(config={**_OPTIONS, "server.port": port, "browser.serverPort": port})
    finally:
        DESK.close()


def _find_plugin(file: Path) -> Path:
    """Return the path of a plug-in, wherever the working folder will be.

    Raises:
        ExplorerError: It is not there.
    """
    if not file.is_file():
        raise ExplorerError(f"--plugin {file}: there is no such file; write the path of a file of Python")
    return file.resolve()


def _check_port(port: int) -> None:
    """Raise an error if something listens there already.

    Raises:
        ExplorerError: Something does, or this user may not.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            what = f"{HOST}:{port} cannot be served: {error.strerror}"
            raise ExplorerError(
                f"--port {port}: {what}; is an explorer open there already? write another one"
            ) from None
