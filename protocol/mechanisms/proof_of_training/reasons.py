"""What proof of training adds to verdicts and timers: reasons for refusal, things to wait for, rights."""

from protocol.events import TimerKind
from protocol.verdicts import Missing, Reason


class TrainingReason(Reason):
    """The training, or what attests it, is wrong."""

    REFUSED_HEADER = "refused-header"
    # Training.
    WRONG_PROFILE = "wrong-profile"
    DIFFERENT_WEIGHTS = "different-weights"
    DIFFERENT_SECRET = "different-secret"
    BAD_COMMITMENT = "bad-commitment"
    WINDOW_CLOSED = "window-closed"
    # Declarations inside a header.
    DECLARATION_MISMATCH = "declaration-mismatch"
    DECLARATIONS_NOT_DISTINCT = "declarations-not-distinct"
    DECLARATION_AFTER_HEADER = "declaration-after-header"
    TOO_MANY_DECLARATIONS = "too-many-declarations"
    CONFIDENCE_NOT_REACHED = "confidence-not-reached"
    # Stakeholders and the wrapped block.
    UNTRAINED_STAKEHOLDER = "untrained-stakeholder"
    NOT_A_STAKEHOLDER = "not-a-stakeholder"
    HEADER_MISMATCH = "header-mismatch"
    WRONG_SIGNATURE_COUNT = "wrong-signature-count"
    WRONG_WRAPPER = "wrong-wrapper"
    JOB_DELIVERED = "job-delivered"


class TrainingMissing(Missing):
    """What a message may wait for besides its block."""

    HEADER = "header"
    TRAINING = "training"
    COMPARISON = "comparison"


class Right(TimerKind):
    """What is won by lottery; a timer rings in the slot it is won in."""

    DECLARE = "declare"
    PROPOSE = "propose"
