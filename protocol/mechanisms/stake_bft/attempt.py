"""One height as one validator goes through it: its round and step, what it holds on to, and what it has heard."""

from enum import IntEnum
from typing import Final

from protocol.events import ChainRecord
from protocol.mechanisms.stake_bft.ballots import Heard
from protocol.mechanisms.stake_bft.messages import NIL, NO_ROUND, CertifiedBlock, VoteSignature
from protocol.mechanisms.stake_bft.reasons import BftTimer
from protocol.messages import Message
from protocol.types import AccountId, Hash32


class Step(IntEnum):
    """How far a node is in its round."""

    PROPOSE = 0
    PREVOTE = 1
    PRECOMMIT = 2


class Attempt:
    """What a node knows and has promised about one height."""

    def __init__(self, parent: ChainRecord) -> None:
        """Begin before the first round."""
        self.parent: Final = parent
        self.heard: Final = Heard(parent.state.stakes)
        self.round = NO_ROUND
        self.step = Step.PROPOSE
        self.locked: tuple[int, Hash32] = (NO_ROUND, NIL)
        """Round of its last pre-commit for a block, and the block."""
        self.valid: tuple[int, CertifiedBlock, tuple[VoteSignature, ...]] | None = None
        """Last round in which two thirds pre-voted a block that it knew, the block and their votes."""
        self.decidable: dict[Hash32, int] = {}
        """Blocks with enough pre-commits that it has not seen yet, and the round of these."""
        self.is_decided = False
        self.due: dict[BftTimer, int] = {}
        """Slots of the timers that still mean something."""
        self.said: list[Message] = []
        """Its own words of this round."""
        self.said_before: list[Message] = []
        """Those of the round before."""
        self.has_just_spoken = False
        """Whether some of them came after the last look at one's own head."""
        self.reported: dict[AccountId, set[tuple[int, str]]] = {}
        """Contradictions that are on record, by author: round and step."""
