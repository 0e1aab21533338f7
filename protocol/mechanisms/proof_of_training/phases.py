"""The phases of a node at one height, and every way from one to the next."""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Phase(Enum):
    """Where a node stands in the round on its head."""

    TRAINING = "training"
    """Its own result for the stage is not known yet: nothing of this height can be judged."""
    DECLARING = "declaring"
    """It knows the secret and nobody has shown it: declarations are sent, collected and count."""
    SIGNING = "signing"
    """The secret is public: stakeholders sign and wrap, proposers may still try again."""
    FINISHED = "finished"
    """Every stage of the job is in the chain."""


class Trigger(Enum):
    """What moves a node from one phase to the next."""

    TRAINED = "trained"
    SECRET_REVEALED = "secret-revealed"
    HEAD_MOVED = "head-moved"
    JOB_COMPLETE = "job-complete"


# Every phase change of a node is in this table and nowhere else.
TRANSITIONS: Final[Mapping[tuple[Phase, Trigger], Phase]] = {
    (Phase.TRAINING, Trigger.TRAINED): Phase.DECLARING,
    (Phase.DECLARING, Trigger.SECRET_REVEALED): Phase.SIGNING,
    (Phase.SIGNING, Trigger.SECRET_REVEALED): Phase.SIGNING,
    **{(phase, Trigger.HEAD_MOVED): Phase.TRAINING for phase in Phase},
    **{(phase, Trigger.JOB_COMPLETE): Phase.FINISHED for phase in Phase},
}
