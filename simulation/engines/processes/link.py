"""One end of the pipe between two parties, for a thread that must never wait for the other end.

Reading takes what is there; writing hands over what the pipe has room for and keeps the rest, up to a bound in frames
and in bytes. `multiprocessing` never reads from such a pipe: `recv` would unpickle what a peer sends.
"""

import os
from collections import deque
from itertools import islice
from multiprocessing.connection import Connection
from typing import Final

from simulation.engines import HEADER, MAX_TRANSPORT_BYTES
from simulation.engines.processes.framing import FrameBuffer

MAX_BACKLOG: Final = 4_096
"""Frames that wait for one link; more are dropped, and catch-up makes good for them."""

MAX_BACKLOG_BYTES: Final = 16 << 20
"""Bytes that wait for one link: answers may be a thousand times longer than the questions of one who reads none."""

READ_BYTES: Final = 1 << 16
"""Bytes that are read at once."""

WRITE_BUFFERS: Final = 64
"""Pieces that are written at once; every system takes as many."""


class Link:
    """A pipe to one peer."""

    def __init__(self, peer: str, connection: Connection) -> None:
        """Take over a connection. Its other end may be one that blocks: each has its own setting."""
        self.peer = peer
        self._connection = connection
        self._fd = connection.fileno()
        os.set_blocking(self._fd, False)
        self._incoming = FrameBuffer(MAX_TRANSPORT_BYTES)
        self._outgoing: deque[bytes | memoryview] = deque()
        self._outgoing_bytes = 0
        self._held = 0
        self._held_bytes = 0
        self._is_deaf = False
        self._is_ended = False
        self._is_closing = False
        self._received_before = 0
        self.dropped = 0
        """Frames for which there was no room."""
        self.dropped_bytes = 0
        self._received = 0
        self._is_stalled = False

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._fd

    def close(self) -> None:
        """Close this end."""
        self._connection.close()

    # ---- reading ----

    @property
    def is_due(self) -> bool:
        """Whether a frame is there, or the certainty that none will be."""
        return self._incoming.is_due

    @property
    def unfinished(self) -> int:
        """Bytes of a frame that has not come to its end."""
        return self._incoming.received

    def get_announced(self) -> int | None:
        """Return the length of the frame that comes; None where that has not come yet."""
        return self._incoming.get_announced()

    def read(self) -> None:
        """Take some of what is there. A frame that is due must be taken first, so that only one is ever kept.

        Raises:
            EOFError: The peer has gone.
            OSError: The same.
        """
        if self.is_due:
            return
        try:
            chunk = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            raise EOFError
        self._received += len(chunk)
        self._is_stalled = False
        self._incoming.add(chunk)

    def note_stall(self) -> bool:
        """Return whether the peer has sent nothing since the last call, in the middle of a frame; told once a stop."""
        is_silent = self._received == self._received_before and self.unfinished > 0 and not self.is_due
        self._received_before = self._received
        is_news = is_silent and not self._is_stalled
        self._is_stalled = is_silent
        return is_news

    def take(self) -> bytes:
        """Return the frame that is due.

        Raises:
            FramingError: The peer announces more than a link carries.
        """
        return self._incoming.take()

    # ---- writing ----

    @property
    def is_behind(self) -> bool:
        """Whether something waits for room in the pipe."""
        return bool(self._outgoing)

    @property
    def is_over(self) -> bool:
        """Whether this end is to be closed now: all that was to go before has gone."""
        return self._is_closing and not self._outgoing

    def hold(self, frame: bytes) -> bool:
        """Reserve room for a frame that is sent later; return whether there was any."""
        if not self._has_room(len(frame)):
            return False
        self._held += 1
        self._held_bytes += len(frame)
        return True

    def send_held(self, frame: bytes) -> bool:
        """Send a frame that was held."""
        self._held -= 1
        self._held_bytes -= len(frame)
        return self.send(frame)

    def send(self, frame: bytes) -> bool:
        """Write a frame, or what the pipe takes of it, and keep the rest for later; return whether there was room."""
        if self._is_deaf or self._is_ended or not self._has_room(len(frame)):
            return False
        self._queue(HEADER.pack(len(frame)), frame)
        return not self._is_deaf

    def end(self, last: bytes, *, is_closing: bool) -> bool:
        """Write bytes as they are, after which nothing goes this way; return False if that was so already.

        Args:
            last: The bytes, which need be no frame.
            is_closing: Whether this end is to be closed once they are written.
        """
        if self._is_deaf or self._is_ended:
            return False
        self._is_ended, self._is_closing = True, is_closing
        self._queue(last)
        return not self._is_deaf

    def _queue(self, *pieces: bytes) -> None:
        is_first = not self._outgoing
        self._outgoing += (piece for piece in pieces if piece)
        self._outgoing_bytes += sum(map(len, pieces))
        if is_first:
            self.write()

    def write(self) -> None:
        """Write as much of what waits as the pipe takes. A peer that has closed its end for reading gets no more."""
        try:
            written = os.writev(self._fd, list(islice(self._outgoing, WRITE_BUFFERS)))
        except BlockingIOError:
            return
        except OSError:
            self._is_deaf = True
            self._outgoing.clear()
            self._outgoing_bytes = 0
            return
        self._outgoing_bytes -= written
        while written:
            piece = self._outgoing.popleft()
            if written < len(piece):
                self._outgoing.appendleft(memoryview(piece)[written:])
                break
            written -= len(piece)

    def _has_room(self, size: int) -> bool:
        """Return whether one more frame may wait; count it as dropped where it may not."""
        frames, waiting = len(self._outgoing) // 2 + self._held, self._outgoing_bytes + self._held_bytes
        if frames < MAX_BACKLOG and waiting + size <= MAX_BACKLOG_BYTES:
            return True
        self.dropped += 1
        self.dropped_bytes += size
        return False
