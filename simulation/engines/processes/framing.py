"""Whole frames out of bytes that come as they like.

A frame is preceded by its length in four bytes, as `multiprocessing.Connection.send_bytes` writes it, so the other end
may be such a connection. Its own `recv_bytes` will not do for reading: it waits for the rest of a frame, and whoever
has sent half of one decides how long.
"""

from simulation.engines import HEADER


class FramingError(Exception):
    """What has come is no frame: more is announced than is carried."""

    def __init__(self, announced: int) -> None:
        """Keep the length that was announced."""
        super().__init__(f"announced a frame of {announced} bytes")
        self.announced = announced


class FrameBuffer:
    """What has come and has not been taken yet."""

    def __init__(self, limit: int) -> None:
        """Start empty.

        Args:
            limit: Bytes of the longest frame that is carried.
        """
        self._limit = limit
        self._bytes = bytearray()

    def add(self, chunk: bytes) -> None:
        """Keep bytes that have come."""
        self._bytes += chunk

    @property
    def is_due(self) -> bool:
        """Whether `take` has something to return or to raise."""
        size = self.get_announced()
        return size is not None and (size > self._limit or len(self._bytes) >= HEADER.size + size)

    @property
    def received(self) -> int:
        """Bytes that have not been taken, lengths included."""
        return len(self._bytes)

    def get_announced(self) -> int | None:
        """Return the length of the frame that is next; None where that has not come yet."""
        if len(self._bytes) < HEADER.size:
            return None
        size: int = HEADER.unpack_from(self._bytes)[0]
        return size

    def take(self) -> bytes:
        """Return the next frame; there must be one that is due.

        Raises:
            FramingError: It is longer than what is carried. Where the one after it begins, nobody knows.
        """
        (size,) = HEADER.unpack_from(self._bytes)
        if size > self._limit:
            raise FramingError(size)
        end = HEADER.size + size
        with memoryview(self._bytes) as view:
            frame = bytes(view[HEADER.size : end])
        del self._bytes[:end]
        return frame
