"""Reasons for refusing a block that only proof of work has."""

from protocol.events import TimerKind
from protocol.verdicts import Reason


class WorkReason(Reason):
    """A header is not what its parent asks for."""

    WRONG_TARGET = "wrong-target"
    WRONG_WINDOW = "wrong-window"
    BAD_WORK = "bad-work"


class WorkTimer(TimerKind):
    """Kinds of timers: none, since work itself is what takes time."""
