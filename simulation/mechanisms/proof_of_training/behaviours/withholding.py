"""Adversaries that send only what is valid, but not to whom or when they should."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

import numpy as np
from msgspec import Meta

from protocol.mechanism import MessageT
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.messages import Message, Transaction
from protocol.turn import Turn
from simulation.attacks import Adversary, Coalition, Parameters, Traits

Withheld = Literal["declaration", "header", "signature", "block"]


def _make_withholding(kind: type[Message]) -> type[TrainingProposer]:
    """Return a proposer that does not write messages of a kind."""

    class Withholding(TrainingProposer):
        def publish(self, turn: Turn, message: MessageT) -> MessageT:
            """Keep messages of one kind to itself."""
            return message if isinstance(message, kind) else super().publish(turn, message)

    return Withholding


_WITHHOLDING: Final[Mapping[Withheld, type[TrainingProposer]]] = {
    "declaration": _make_withholding(TrainingDeclaration),
    "header": _make_withholding(BlockHeader),
    "signature": _make_withholding(StakeholderSignature),
    "block": _make_withholding(WrappedBlock),
}
"""Proposers of withholders, by the name that a scenario gives to what they withhold."""


class WithholderParameters(Parameters, frozen=True, kw_only=True):
    """What a withholder is told."""

    what: Annotated[Withheld, Meta(description="what it never sends")]


class Withholder(Adversary):
    """Goal: slow the chain down without ever being refused (selective abort).

    It knows what any node knows. It does everything but one thing: declare, propose, sign as a stakeholder, or wrap the
    block it should wrap. Expected: a header that drew it dies and another is proposed in a later slot; with a share w
    of the stake withholding signatures or blocks, a header completes with about (1 - w)^(K-1) or (1 - w).
    """

    kind = "withholder"
    mechanism = "proof_of_training"
    does = "never makes its declarations, headers, signatures or blocks"
    expected = "rounds take longer, nobody is refused"
    traits = Traits(passes_on=True, does_its_part=False, differs_by="what")
    parameters = WithholderParameters
    drawn = tuple(WithholderParameters(what=what) for what in get_args(Withheld))

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, what: Withheld) -> None:
        """Take what it keeps to itself."""
        super().__init__(generator, coalition)
        self.proposer = _WITHHOLDING[what]


class _Censoring(TrainingProposer):
    """A proposer that chooses no transfers for blocks."""

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Choose none."""
        return ()


class CensoringWrapper(Adversary):
    """Goal: keep users' transfers out of the chain.

    It knows what any node knows. Blocks that it wraps carry no transfers; under version 2 of the rules, where the
    proposer chooses them, those that it proposes. Expected: such a block is valid, so nobody refuses it; a transfer
    waits for the next block of an honest one, 1 / (1 - c) blocks on average for a share c of the stake.
    """

    kind = "censoring_wrapper"
    mechanism = "proof_of_training"
    does = "wraps blocks without transfers; under version 2 proposes them"
    expected = "transfers wait for an honest wrapper, or proposer"
    traits = Traits(passes_on=True, does_its_part=True)

    proposer = _Censoring
