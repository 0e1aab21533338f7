"""All of a party's links: whom they may write to, whose frame is next, and what is put on record about them."""

import selectors
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from multiprocessing.connection import Connection

from simulation.engines.processes.framing import FramingError
from simulation.engines.processes.link import Link
from simulation.records import Dropped, Fact, LinkClosed, Stalled, Unlinked


class Links:
    """The links of a party. No peer can keep the party waiting, nor take another's turn or room."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        selector: selectors.BaseSelector,
        *,
        receive: Callable[[str, bytes], None],
        record: Callable[[Fact], None],
    ) -> None:
        """Take over the connections, by peer; `open` begins to read.

        Args:
            connections: The party's ends of its pipes.
            selector: Tells when a pipe has something or takes something; a key's data is called with the events.
            receive: Takes a frame and the peer it came from.
            record: Takes what happens to links.
        """
        self._links = {peer: Link(peer, connection) for peer, connection in connections.items()}
        self._selector = selector
        self._receive = receive
        self._record = record
        self._due: dict[str, Link] = {}
        """Those with a whole frame, in the order in which they got it."""
        self._behind: set[str] = set()
        """Those whose pipe was full."""
        self._gone: list[Link] = []

    def open(self) -> None:
        """Begin to read; what a faster party has sent by now waits in the pipe."""
        for link in self._links.values():
            self._selector.register(link, selectors.EVENT_READ, partial(self._on_ready, link))

    # ---- sending ----

    def send(self, peers: Iterable[str], frame: bytes) -> int:
        """Send a frame to some peers; return for how many there was a link with room."""
        return sum(self._send(link, link.send, frame) for link in map(self._links.get, peers) if link is not None)

    def hold(self, peer: str, frame: bytes) -> Callable[[], object] | None:
        """Reserve room for a frame that is under way for a while; return what sends it, or None where there is none."""
        link = self._links.get(peer)
        if link is None or not link.hold(frame):
            return None
        return partial(self._send, link, link.send_held, frame)

    def end(self, peer: str, last: bytes, *, is_closing: bool) -> bool:
        """Send bytes as they are, after which nothing goes to a peer; return whether there was a link for them.

        Args:
            peer: The peer.
            last: The bytes, which need be no frame.
            is_closing: Whether the link is closed once they are written.
        """
        link = self._links.get(peer)
        if link is None:
            return False
        is_sent = link.end(last, is_closing=is_closing)
        self._watch(link)
        return is_sent

    def _send(self, link: Link, send: Callable[[bytes], bool], frame: bytes) -> bool:
        if link.peer not in self._links:
            return False
        is_sent = send(frame)
        self._watch(link)
        return is_sent

    def _watch(self, link: Link) -> None:
        """Ask to be told when a pipe has room again, as long as something waits for it; close a link that is over."""
        if link.is_over:
            self._remove(link)
            return
        if link.is_behind == (link.peer in self._behind):
            return
        self._behind ^= {link.peer}
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.is_behind else 0)
        self._selector.modify(link, events, partial(self._on_ready, link))

    # ---- receiving ----

    @property
    def is_due(self) -> bool:
        """Whether a whole frame is there that has not been handed over."""
        return bool(self._due)

    def deliver(self) -> None:
        """Hand over one frame of each link that has a whole one."""
        for link in list(self._due.values()):
            if link.peer not in self._links:
                continue  # the party has closed it in answer to another one's frame
            try:
                frame = link.take()
            except FramingError as error:
                self._remove(link)
                self._record(LinkClosed(peer=link.peer, announced=error.announced))
                continue
            if not link.is_due:
                del self._due[link.peer]
            self._receive(link.peer, frame)

    def note_stalls(self) -> None:
        """Put on record who has stopped in the middle of a frame; to be called now and then."""
        for link in self._links.values():
            if link.note_stall():
                self._record(Stalled(peer=link.peer, received=link.unfinished, announced=link.get_announced()))

    def record_dropped(self) -> None:
        """Put on record what was lost for want of room, each neighbour's by itself."""
        for link in (*self._gone, *self._links.values()):
            if link.dropped:
                self._record(Dropped(peer=link.peer, frames=link.dropped, bytes=link.dropped_bytes))

    def _on_ready(self, link: Link, events: int) -> None:
        if link.peer in self._links and events & selectors.EVENT_WRITE:  # it may just have been closed
            link.write()
            self._watch(link)
        if link.peer in self._links and events & selectors.EVENT_READ:
            self._read(link)

    def _read(self, link: Link) -> None:
        try:
            link.read()
        except (EOFError, OSError):
            self._remove(link)
            self._record(Unlinked(link.peer, unfinished=link.unfinished or None))
            return
        if link.is_due:
            self._due[link.peer] = link

    def _remove(self, link: Link) -> None:
        """Close a link for good."""
        self._selector.unregister(link)
        del self._links[link.peer]
        self._due.pop(link.peer, None)
        self._behind.discard(link.peer)
        self._gone.append(link)
        link.close()
