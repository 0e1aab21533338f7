"""Reasons, waits and timers that only proof of activity has."""

from protocol.events import TimerKind
from protocol.verdicts import Missing, Reason


class ActivityReason(Reason):
    """A template is not what its parent asks for, or a block is not closed as its template asks for."""

    # Templates.
    WRONG_TARGET = "wrong-target"
    WRONG_WINDOW = "wrong-window"
    BAD_WORK = "bad-work"
    # Signatures of those who are drawn.
    REFUSED_TEMPLATE = "refused-template"
    TEMPLATE_MISMATCH = "template-mismatch"
    NOT_DRAWN = "not-drawn"
    # Blocks.
    SIGNERS_NOT_ORDERED = "signers-not-ordered"
    TOO_FEW_SIGNATURES = "too-few-signatures"
    WRONG_CLOSER = "wrong-closer"


class ActivityMissing(Missing):
    """What messages may wait for besides blocks."""

    TEMPLATE = "template"


class ActivityTimer(TimerKind):
    """Kinds of timers."""

    CLOSE = "close"
