"""An adversary that keeps every branch alive, since a block costs it nothing."""

from typing import Final

from protocol.events import ChainRecord
from protocol.mechanisms.stake_chain.messages import Evidence
from protocol.mechanisms.stake_chain.validator import Validator
from protocol.messages import Transaction
from protocol.turn import Turn
from simulation.attacks import Adversary, Traits

MOST_BRANCHES: Final = 2
"""Branches that get a block; of more blocks of one right the others do not take any."""

LAG: Final = 2
"""Blocks that a branch may be behind the head and still be worth one."""


class _OnEveryBranch(Validator):
    """Makes the block of a slot once on each of the best branches."""

    def lead(self, turn: Turn, slot: int) -> None:
        """Make a block on each branch on which it leads the slot."""
        self.signed = slot
        for tip in self._list_tips(slot):
            self.node.publish(turn, self.build(tip, slot))

    def _list_tips(self, slot: int) -> list[ChainRecord]:
        head, records = self.node.tree.head, self.node.tree.get_records()
        parents = {record.parent for record in records}
        tips = [
            record
            for record in records
            if record.hash not in parents and record.height >= head.height - LAG and self._leads(record, slot)
        ]
        others = sorted((tip for tip in tips if tip is not head), key=lambda tip: (-tip.weight, tip.rank))
        return [head, *others][:MOST_BRANCHES]

    def _leads(self, tip: ChainRecord, slot: int) -> bool:
        is_open = slot > tip.slot and not self.is_whole(tip)
        return is_open and slot in self.find_slots(tip, slot // self.mechanism.epoch_slots)

    def choose_transactions(self, parent: ChainRecord) -> tuple[Transaction, ...]:
        """Return the transfers of a block on the head, and none for another branch, where they may not be right."""
        return super().choose_transactions(parent) if parent is self.node.tree.head else ()

    def choose_evidence(self, parent: ChainRecord) -> tuple[Evidence, ...]:
        """Accuse nobody, least of all itself."""
        return ()


class NothingAtStake(Adversary):
    """Goal: be on the branch that wins, whichever that is, at the price of forks that live longer.

    It knows what any node knows. In a slot that it leads it makes a block on its head and another one on the best other
    branch that is not far behind, and accuses nobody. Expected: without slashing branches of one length stay so while
    such leaders follow each other, and more blocks are given up; with slashing the two blocks are proof of it, and it
    has lost its coins when the next honest leader has made a block.
    """

    kind = "nothing_at_stake"
    mechanism = "stake_chain"
    does = "makes a block on every branch in the slots that it leads"
    expected = "forks live longer; with slashing it loses its stake"
    traits = Traits(passes_on=True, does_its_part=False)

    proposer = _OnEveryBranch
