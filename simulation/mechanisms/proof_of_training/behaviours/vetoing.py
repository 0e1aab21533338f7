"""Adversaries that use the veto that each stakeholder of a header has."""

from typing import Annotated

import msgspec
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
from protocol.mechanisms.proof_of_training.round import has_confidence
from protocol.turn import Turn
from simulation.attacks import Adversary, Coalition, Parameters, Traits


class _Partial(TrainingProposer):
    """A proposer that signs and wraps its coalition's headers only, and may list few declarations of others."""

    coalition: Coalition
    leaves_out: bool

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Keep to itself what would complete a header of others."""
        if self._serves_others(message):
            return message
        if self.leaves_out and isinstance(message, BlockHeader):
            message = msgspec.structs.replace(message, declarations=self._choose(message))
        return super().publish(turn, message)

    def _serves_others(self, message: MessageT) -> bool:
        if isinstance(message, WrappedBlock):
            return message.header.author not in self.coalition.accounts
        if isinstance(message, StakeholderSignature):
            proposal = self.read_round(message.parent).proposals[message.header]
            return proposal.header.author not in self.coalition.accounts
        return False

    def _choose(self, header: BlockHeader) -> tuple[TrainingDeclaration, ...]:
        """Return the members' declarations in a header, and as few of others as it needs."""
        rule, members = self.judging.genesis.parameters.confidence, frozenset(self.coalition.accounts)
        stakes = self.node.tree.require(header.parent).state.stakes
        chosen = {item.author: item for item in header.declarations if item.author in members}
        others = [item for item in header.declarations if item.author not in members]
        for item in sorted(others, key=lambda other: (stakes.get_stake(other.author), other.author)):
            if has_confidence(rule, stakes, frozenset(chosen)):
                break
            chosen[item.author] = item
        return tuple(chosen[author] for author in sorted(chosen))


class PartisanParameters(Parameters, frozen=True, kw_only=True):
    """What a partisan is told."""

    leaves_out: Annotated[
        bool,
        Meta(
            description="whether its headers list no more declarations of others than they need",
            extra={"unit": "boolean"},
        ),
    ] = False


class Partisan(Adversary):
    """Goal: have more of the blocks, and of the coins, than its stake is worth.

    It knows what any node knows, and who its coalition is. It trains, declares and proposes like an honest node; every
    member acts by itself. It signs and wraps headers of members only, so that a header of others completes only where
    all its stakeholders are honest, while those of members always do. If told so, it leaves declarations of others out
    of its headers that they do not need: whose they are is not paid, so the coalition might have a larger part of what
    is created. Expected: nobody is refused, the delivery comes some slots later, and the coalition has the share of
    the blocks that `formulas.compute_partisan_blocks` says; leaving out costs its proposers as well.
    """

    kind = "partisan"
    mechanism = "proof_of_training"
    does = "signs and wraps headers of its coalition only; may list as few declarations of others as it can"
    expected = "more than its share of the blocks, by a closed form; nobody is refused"
    traits = Traits(passes_on=True, does_its_part=False, is_strategic=True)
    parameters = PartisanParameters
    drawn = (PartisanParameters(leaves_out=True),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, leaves_out: bool) -> None:
        """Take whether it leaves declarations out."""
        super().__init__(generator, coalition)
        self.proposer = type("PartialProposer", (_Partial,), {"coalition": coalition, "leaves_out": leaves_out})
