"""Miners that keep blocks back and show them when it serves them."""

import numpy as np

from protocol.events import ChainRecord
from protocol.mechanism import NodeView
from protocol.mechanisms.proof_of_work.miner import Templates
from protocol.turn import Turn
from protocol.types import Hash32
from simulation.attacks import Adversary, Coalition, Traits
from simulation.mechanisms.proof_of_work.behaviours.private_mining import Hiding, PrivateMiner


class _Selfish(PrivateMiner):
    """Mines on its own branch for as long as that weighs as much as what others have.

    Lengths are counted in blocks, as they were published; which branch is better goes by its weight.
    """

    def __init__(self, mechanism: Templates, node: NodeView) -> None:
        """Begin without a branch."""
        super().__init__(mechanism, node)
        self._tip: ChainRecord | None = None
        """Last block of its branch; None while it mines on what others have."""
        self._racing: Hash32 | None = None
        """Its block that was shown beside one of others of the same weight."""

    def choose_parent(self) -> ChainRecord:
        """Return the end of its branch, as long as no other one weighs more."""
        head, tip = super().choose_parent(), self._tip
        return tip if tip is not None and tip.weight >= head.weight else head

    def note(self, turn: Turn, record: ChainRecord) -> None:
        """Release blocks as published: one for each of others, all where the lead is down to one block."""
        if self.is_own(record):
            self._note_own(turn, record)
        elif record.weight > self.public.weight:
            self.public = record
            self._answer(turn, record)

    def _note_own(self, turn: Turn, record: ChainRecord) -> None:
        best = self._tip or self.public
        if record.weight < best.weight or (self._tip is not None and record.weight == best.weight):
            return  # a member was too late
        has_won = self._racing is not None and record.parent == self._racing
        self._tip, self._racing = record, None
        if record.weight == self.public.weight:
            self._race(turn, record)  # a block of others came first, which its finder had not heard of
        elif has_won or record.height == self.node.rules.chain.length:
            self._win(turn, record)

    def _answer(self, turn: Turn, record: ChainRecord) -> None:
        """Act on a block of others that makes what they have heavier than before."""
        tip = self._tip
        if tip is None or tip.weight < record.weight:
            self._tip = self._racing = None
        elif tip.weight == record.weight:
            self._race(turn, tip)
        elif tip.height - record.height <= 1:
            self._win(turn, tip)
        else:
            self.show(turn, tip, up_to=record.height)

    def _race(self, turn: Turn, tip: ChainRecord) -> None:
        """Show a branch that weighs as much as the other one: who hears of it first works on it."""
        self.show(turn, tip)
        self._racing = tip.hash

    def _win(self, turn: Turn, tip: ChainRecord) -> None:
        """Show a branch that everybody will take."""
        self.show(turn, tip)
        self.public, self._racing = tip, None


class SelfishMiner(Hiding, Adversary):
    """Goal: a larger share of the chain than of the power (Eyal and Sirer 2014, *Majority is not enough*, algorithm 1).

    It knows what any node knows, and its members' blocks. They mine on a branch of their own, which they keep back. To
    each block of others they show one of theirs; where they are one ahead, it comes beside the other one, and who hears
    of it first works on it; where they are two ahead, they show all, and the blocks of others are for nothing.
    Expected: with a share a of the power, and a share g of the others that works on theirs in a tie, more than a of the
    blocks from a = (1 - g) / (3 - 2g) on, by a closed form; less below. Nobody is refused.
    """

    kind = "selfish_miner"
    mechanism = "proof_of_work"
    does = "keeps its coalition's blocks back, and shows them so that others' blocks are for nothing"
    expected = "more than its share of the blocks from a third of the power on, or less where ties go its way"
    traits = Traits(
        passes_on=True, does_its_part=False, may_jam=False, is_private=True, keeps_back=True, is_strategic=True
    )

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with nothing hidden."""
        super().__init__(generator, coalition)
        self.shown: set[Hash32] = set()
        self.told = coalition
        self.proposer = type("Selfish", (_Selfish,), {"told": coalition, "shown": self.shown})
