"""What holds of every link, whether bytes really go over it or not."""

import struct
from typing import Final

from simulation.foundation import NANOSECONDS

HEADER: Final = struct.Struct("!I")
"""A frame's length, which goes before it. Python's mark for more than 2 GiB, read this way, is beyond every limit."""

MAX_TRANSPORT_BYTES: Final = 8 << 20
"""Longest frame a link carries at all; the protocol's own, lower limit is judged by the core."""

STALL_NS: Final = 5 * NANOSECONDS
"""Time after which a neighbour that has stopped in the middle of a frame is looked for, and told of."""
