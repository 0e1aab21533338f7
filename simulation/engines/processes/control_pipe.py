"""The starter's end of a party's control pipe: whatever the party does, the starter never waits for it."""

import os
import pickle
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final

from simulation.engines.processes.control import Role, Setup
from simulation.engines.processes.framing import FrameBuffer, FramingError

MAX_MESSAGE_BYTES: Final = (1 << 31) - 1
"""Longest message of a party, which may be its whole chain."""

READ_BYTES: Final = 1 << 18
"""Bytes that are read at once, so that a party with much to say takes turns with the others and with the clock."""


def pack(setup: Setup, role: Role) -> bytes:
    """Return what a party is given as bytes, which may name classes of plug-ins."""
    return pickle.dumps((setup, role), pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> tuple[Setup, Role]:
    """Return what `pack` was given; plug-ins that it is made of must be in force."""
    found: tuple[Setup, Role] = pickle.loads(packed)  # noqa: S301 - of the process that started this one
    return found


class ControlPipe:
    """One end of a trusted pipe that carries pickled objects."""

    def __init__(self, connection: Connection) -> None:
        """Take over a connection. The party's end is one that blocks: a party may wait for its starter."""
        self._connection = connection
        os.set_blocking(connection.fileno(), False)
        self._incoming = FrameBuffer(MAX_MESSAGE_BYTES)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._connection.fileno()

    def send(self, message: object) -> None:
        """Send a short message; one that has gone, or has not read the few before it, does not get it."""
        with suppress(OSError):
            self._connection.send(message)

    def receive(self) -> list[object] | None:
        """Return the messages that are whole by now; None where nothing more has come.

        Raises:
            EOFError: The party has gone, or says things that are no messages; nothing more will come.
        """
        try:
            chunk = os.read(self.fileno(), READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            chunk = b""
        if not chunk:
            raise EOFError
        self._incoming.add(chunk)
        messages = []
        try:
            while self._incoming.is_due:
                messages.append(pickle.loads(self._incoming.take()))  # noqa: S301 - of a process of our own
        except FramingError:
            raise EOFError from None
        return messages

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
