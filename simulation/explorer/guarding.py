"""Who may ask the explorer for anything: its own pages alone, whatever else the browser has open.

A browser lets any page open a socket to any server, and tells only where the page is from; Streamlit takes pages of
every port of this machine, of every name that leads to it, and asks another machine for its address to judge the rest.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS: Final = ("127.0.0.1", "localhost")
"""As which a browser may know the explorer; by any other name a page is somebody else's."""


class Guard:
    """Middleware that opens no socket for pages of others, and lets nobody show the pages in a frame."""

    def __init__(self, app: "ASGIApp") -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass on what our own pages ask for."""
        from starlette.datastructures import Headers, MutableHeaders  # noqa: PLC0415 - not installed everywhere

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Content-Security-Policy", "frame-ancestors 'self'")
            await send(message)

        if scope["type"] == "websocket" and not is_ours(Headers(scope=scope)):
            await send({"type": "websocket.close"})
        else:
            await self._app(scope, receive, send_guarded)


def is_ours(headers: Mapping[str, str]) -> bool:
    """Return whether a page that the explorer has served asks for a socket."""
    try:
        origin = urlsplit(headers.get("origin", ""))
    except ValueError:  # no browser sends such a one
        return False
    return origin.netloc == headers.get("host") and origin.hostname in HOSTS
