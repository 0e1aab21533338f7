"""How far a run is, as a page is told through its socket."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from simulation.explorer.desk import Desk
from simulation.explorer.following import Snapshot
from simulation.explorer.going import GoingRun
from simulation.explorer.guarding import Guard
from simulation.explorer.progress import PATH, tell_progress

uvicorn = pytest.importorskip("uvicorn", reason="Streamlit is not installed: make explore")
client = pytest.importorskip("websockets.sync.client", reason="Streamlit is not installed: make explore")

exceptions = pytest.importorskip("websockets.exceptions")

PATIENCE_S = 30.0


class Going:
    """Stands for a run that goes on, and is halted."""

    def __init__(self) -> None:
        self.started, self.is_running = time.monotonic(), True
        self.snapshot = Snapshot("halted", 1.5, 1, 4, (), (), {"malformed": 2}, {}, (), "the latest")


@pytest.fixture
def going(fresh: Desk) -> Going:
    """Return the run that goes on."""
    stands_in = Going()
    fresh.going = cast("GoingRun", stands_in)
    return stands_in


@contextmanager
def serve() -> Iterator[int]:
    """Serve the socket as the explorer does; it is to end in order, whoever listens."""
    from starlette.applications import Starlette  # noqa: PLC0415 - not installed everywhere
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.routing import WebSocketRoute  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = Starlette(routes=[WebSocketRoute(PATH, tell_progress)], middleware=[Middleware(Guard)])
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def listen(port: int, origin: str | None = None, host: str = "127.0.0.1") -> Any:
    """Open a socket as a page of this origin; without one, as the explorer's page."""
    place = socket.create_connection(("127.0.0.1", port))
    return client.connect(f"ws://{host}:{port}{PATH}", sock=place, origin=origin or f"http://{host}:{port}")


def test_a_page_is_told_what_has_changed_and_the_end(going: Going) -> None:
    with serve() as port, listen(port, host="localhost") as page:
        told = json.loads(page.recv(PATIENCE_S))
        latest = "halted; the latest: the latest"
        assert told == {
            "goes_on": True, "share": 0.25, "chain": "1 of 4", "seconds": "1.50", "refused": "2", "latest": latest
        }  # fmt: skip
        going.snapshot = replace(going.snapshot, height=2)
        assert json.loads(page.recv(PATIENCE_S)) == {**told, "share": 0.5, "chain": "2 of 4"}
        going.is_running = False
        ended = json.loads(page.recv(PATIENCE_S))
        assert (ended["goes_on"], ended["latest"]) == (False, "ended; the latest: the latest")
        assert list(page) == []  # and no more


def test_a_page_is_told_at_once_that_nothing_goes_on(fresh: Desk) -> None:
    with serve() as port, listen(port) as page:
        (told,) = map(json.loads, page)
        assert not told["goes_on"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://example.org", "127.0.0.1"),
        ("http://127.0.0.1:1", "127.0.0.1"),  # something else on this machine
        (None, "example.org"),  # whose name leads to this machine
        ("null", "127.0.0.1"),
    ],
)
def test_pages_of_others_are_told_nothing(going: Going, origin: str | None, host: str) -> None:
    with serve() as port, pytest.raises(exceptions.InvalidStatus, match="403"), listen(port, origin, host):
        pass


def test_neither_waits_for_the_other(going: Going) -> None:
    with ExitStack() as pages:
        with serve() as port:
            gone, stays = (pages.enter_context(listen(port)) for _ in range(2))
            gone.recv(PATIENCE_S)
            gone.socket.close()  # without a word
            stays.recv(PATIENCE_S)
            stays.send("a text that nobody asked for")
        with pytest.raises(exceptions.ConnectionClosed):  # the server has ended, though the run stands still
            stays.recv(PATIENCE_S)
