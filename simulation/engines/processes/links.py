"""One end of each of a party's pipes.

A pipe without a reader blocks its writer when its buffer is full. So the thread that decides never writes: each link
has a writer thread and a bounded queue, and a link whose reader has stopped loses frames instead of stopping the node.
Only `send_bytes` and `recv_bytes` touch a pipe between parties: `recv` would unpickle what a peer sends.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from multiprocessing.connection import Connection
from queue import Full, Queue
from typing import Final

MAX_BACKLOG: Final = 4_096
"""Frames that wait for one link; more are dropped, and catch-up makes good for them."""

MAX_TRANSPORT_BYTES: Final = 8 << 20
"""Longest frame a link carries at all; the protocol's own, lower limit is judged by the core."""


class Link:
    """A pipe to one peer."""

    def __init__(self, peer: str, connection: Connection) -> None:
        """Take over a connection; the writer thread starts with the first frame."""
        self.peer = peer
        self.connection = connection
        self.dropped = 0
        self._queue: Queue[bytes] = Queue(MAX_BACKLOG)
        self._writer: threading.Thread | None = None

    def send(self, frame: bytes) -> bool:
        """Queue a frame; return whether there was room."""
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name=f"to-{self.peer}", daemon=True)
            self._writer.start()
        try:
            self._queue.put_nowait(frame)
        except Full:
            self.dropped += 1
            return False
        return True

    def receive(self) -> bytes:
        """Return the next frame.

        Raises:
            EOFError: The peer has gone.
            OSError: The peer has gone in the middle of a frame, or sent one beyond the transport's limit.
        """
        return self.connection.recv_bytes(MAX_TRANSPORT_BYTES)

    def _write(self) -> None:
        try:
            while True:
                self.connection.send_bytes(self._queue.get())
        except OSError:
            return  # the peer has gone; the reading side notices


class Links:
    """All links of a party."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        """Take over the connections, by peer."""
        self._links = {peer: Link(peer, connection) for peer, connection in connections.items()}
        self._dropped_before = 0

    def __iter__(self) -> Iterator[Link]:
        """Iterate over the links."""
        return iter(self._links.values())

    def send(self, peers: Iterable[str], frame: bytes) -> int:
        """Queue a frame for some peers; return for how many there was a link with room."""
        return sum(self._links[peer].send(frame) for peer in peers if peer in self._links)

    def remove(self, peer: str) -> None:
        """Forget a peer that has gone."""
        link = self._links.pop(peer, None)
        self._dropped_before += link.dropped if link is not None else 0

    def count_dropped(self) -> int:
        """Return the frames lost to full queues."""
        return self._dropped_before + sum(link.dropped for link in self._links.values())
