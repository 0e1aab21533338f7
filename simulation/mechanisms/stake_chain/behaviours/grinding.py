"""An adversary that tries contents of its blocks until its own side leads the next slot."""

from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from protocol.events import ChainRecord
from protocol.mechanism import NodeView
from protocol.mechanisms.stake_chain.messages import StakedBlock
from protocol.mechanisms.stake_chain.validator import StakeJudge, Validator
from protocol.messages import Transaction
from protocol.rules import Rules
from protocol.turn import Turn
from simulation.attacks import Adversary, Coalition, Parameters, Traits

LEADER_TRIES: Final = 64
"""Contents of a block that are tried, unless a scenario says otherwise."""


class _Grinding(Validator):
    """Makes of all blocks that it could make the one after which its coalition leads most."""

    coalition: Coalition
    tries: int

    def __init__(self, mechanism: StakeJudge, node: NodeView) -> None:
        """Begin with nothing signed."""
        super().__init__(mechanism, node)
        self._rules: Final = Rules(node.rules.mechanism)
        """The same rules, which remember nothing of all that is only tried."""

    def lead(self, turn: Turn, slot: int) -> None:
        """Make the best block, or be silent where that is worth more."""
        head = self.node.tree.head
        block = self.build(head, slot)
        if self._is_worth_silence(head, block):
            self.signed = slot
            self.look(turn)
            return
        for number in range(self.tries - 1):
            if self._leads_next(head, block):
                break
            block = self._vary(head, slot, number)
        self.signed = slot
        self.node.publish(turn, block)

    def _leads_next(self, head: ChainRecord, block: StakedBlock) -> bool:
        """Return whether a member leads the slot after a block, where blocks decide on that."""
        if self.mechanism.is_seeded:
            return True  # nothing in a block makes any difference
        record = self._rules.build_record(head, block)
        draw = self.mechanism.find_draw(self._rules, record, (block.slot + 1) // self.mechanism.epoch_slots)
        return draw.find_leader(block.slot + 1) in self.coalition.accounts

    def _vary(self, head: ChainRecord, slot: int, number: int) -> StakedBlock:
        """Return the block with one more transfer, of its own coins to itself, or with fewer of others."""
        own, keys = head.state.get_account(self.node.keys.public), self.node.keys
        chosen = self.choose_transactions(head)[: self.node.rules.chain.max_transactions - 1]
        if own.balance - own.reserve <= number:
            return self.build(head, slot, chosen[: number % (len(chosen) + 1)])
        kept = tuple(item for item in chosen if item.author != keys.public)
        paid = Transaction(author=keys.public, nonce=own.nonce, recipient=keys.public, amount=number, fee=0)
        return self.build(head, slot, (*kept, self.node.rules.sign(keys, paid)))

    def _is_worth_silence(self, head: ChainRecord, block: StakedBlock) -> bool:
        """Return whether the last block of an epoch costs more slots of a later one than the one it is made in."""
        epoch, last = divmod(block.slot, self.mechanism.epoch_slots)
        if not self.mechanism.is_seeded or last != self.mechanism.epoch_slots - 1:
            return False
        record = self._rules.build_record(head, block)
        made, silent = (self._count_slots(after, epoch + 2) for after in (record, head))
        return silent > made + 1

    def _count_slots(self, after: ChainRecord, epoch: int) -> int:
        draw = self.mechanism.find_draw(self._rules, after, epoch)
        first = epoch * self.mechanism.epoch_slots
        slots = range(first, first + self.mechanism.epoch_slots)
        return sum(draw.find_leader(slot) in self.coalition.accounts for slot in slots)


class LeaderGrinderParameters(Parameters, frozen=True, kw_only=True):
    """What a leader grinder is told."""

    contents: Annotated[
        int, Meta(ge=1, le=1_000_000, description="tried for a block, at most", extra={"unit": "contents of a block"})
    ] = LEADER_TRIES


class LeaderGrinder(Adversary):
    """Goal: lead more slots than its coins are worth.

    It knows what any node knows, and who its coalition is. Where the block below is the seed, it tries contents of its
    own block until a member leads the next slot. Where secrets are, nothing in a block matters, and it has one choice:
    whether to be silent in the last slot of an epoch, if that gives its side more slots later. Expected: with k tries
    and a share a of the coins a member follows a member with a chance of 1 - (1 - a)^k; with secrets, next to nothing
    beyond its share.
    """

    kind = "leader_grinder"
    mechanism = "stake_chain"
    does = "tries contents of a block until its side leads the next slot; with secrets, only silence is left to it"
    expected = "follows itself with 1 - (1 - a)^k where the block below is the seed; else it has about its share"
    traits = Traits(passes_on=True, does_its_part=True, is_strategic=True)
    parameters = LeaderGrinderParameters
    drawn = (LeaderGrinderParameters(contents=8),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, contents: int) -> None:
        """Take how many contents it tries."""
        super().__init__(generator, coalition)
        self.proposer = type("LeaderGrinding", (_Grinding,), {"coalition": coalition, "tries": contents})
