"""Reasons for refusing messages that only a chain by votes has, and its timers."""

from protocol.events import TimerKind
from protocol.verdicts import Reason


class BftReason(Reason):
    """A proposal or certificate is not what the rules ask for."""

    WRONG_PROPOSER = "wrong-proposer"
    TOO_EARLY = "too-early"
    BAD_VALID_ROUND = "bad-valid-round"
    BAD_CERTIFICATE = "bad-certificate"
    NO_QUORUM = "no-quorum"


class BftTimer(TimerKind):
    """What a node waits for."""

    BEGIN = "begin"
    """The pause after a block is over."""
    PROPOSE = "propose"
    """No proposal has come."""
    PREVOTE = "prevote"
    """Two thirds have pre-voted and do not agree."""
    PRECOMMIT = "precommit"
    """Two thirds have pre-committed and do not agree."""
