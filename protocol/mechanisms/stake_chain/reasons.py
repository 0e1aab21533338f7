"""Reasons for refusing a block that only a chain by stake has."""

from protocol.events import TimerKind
from protocol.verdicts import Reason


class StakeReason(Reason):
    """A block is not its author's to make, or accuses somebody wrongly."""

    SLOT_TAKEN = "slot-taken"
    NOT_LEADER = "not-leader"
    BAD_REVEAL = "bad-reveal"
    TOO_MUCH_EVIDENCE = "too-much-evidence"
    FORGED_EVIDENCE = "forged-evidence"
    DOUBLED_EVIDENCE = "doubled-evidence"
    NOTHING_TO_SLASH = "nothing-to-slash"


class StakeTimer(TimerKind):
    """Kinds of timers."""

    LEAD = "lead"
