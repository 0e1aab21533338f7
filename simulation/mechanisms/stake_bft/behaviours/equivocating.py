"""Adversaries that say one thing to some and another to others."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeGuard

import msgspec
import numpy as np

from protocol.events import Broadcast, Event, MessageReceived, Noted, Send
from protocol.ledger import LedgerState
from protocol.mechanisms.stake_bft.facts import Proposed
from protocol.mechanisms.stake_bft.messages import NO_ROUND, CertifiedBlock, Precommit, Prevote, Proposal, Vote
from protocol.mechanisms.stake_bft.reasons import BftTimer
from protocol.mechanisms.stake_bft.validator import Validator
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId, Nanoseconds, PeerId
from simulation.attacks import Action, Adversary, Coalition, Core, Traits, read_message

FIRST_HEIGHT: Final = 2
"""Before it, members do not know whom they are linked to."""


class _Late(Validator):
    """A validator that proposes a slot after it could, so that two blocks of its round may be valid."""

    def propose(self, turn: Turn) -> None:
        """Propose; in the first slot there is, wait for the next one."""
        first, slot_ns = self.first_slot, self.node.rules.chain.slot_ns
        if compute_slot(turn.now, slot_ns) > first:
            super().propose(turn)
        else:
            self.set_timer(turn, BftTimer.BEGIN, first + 1)


class BftEquivocator(Adversary):
    """Goal: have two blocks of one height become final.

    It knows what any node knows, and who its coalition is. Honest owners are divided into two halves of about the same
    stake. When a member may propose a new block it signs two, and shows one of them to each half; all members vote for
    both, in both steps and at once, each vote to the half that knows its block. In other rounds they act like honest
    nodes. Expected: half of the honest stake and the coalition are more than two thirds only if the coalition holds
    more than a third. Below that neither half sees enough votes, the round times out and the next one goes well; above
    it both blocks are final, each for its half, and nothing brings the halves together again.
    """

    kind = "bft_equivocator"
    mechanism = "stake_bft"
    does = "proposes two blocks, one to each half of the honest, and votes for both"
    expected = "below a third of the stake, rounds that time out; above it, two final blocks of one height"
    traits = Traits(passes_on=True, does_its_part=False, may_jam=False, is_telling=True)

    proposer = _Late

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with nobody known."""
        super().__init__(generator, coalition)
        self._peers: dict[AccountId, PeerId] = {}
        """Links of honest owners."""
        self._attacked: tuple[int, int] = (0, NO_ROUND)
        """Height and round of the last attack."""

    def hear(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Event]:
        """Learn who is where, and what the coalition attacks."""
        message = read_message(core, event)
        if isinstance(message, Vote) and isinstance(event, MessageReceived):
            self._peers.setdefault(message.author, event.peer)
        if self._is_attack(message):
            self._attacked = (message.height, message.round)
        return (event,)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Split a new proposal of its own, and keep back what its core would vote in an attacked round."""
        message = action.message if isinstance(action, Broadcast) else None
        if isinstance(message, Vote) and (message.height, message.round) == self._attacked:
            return
        if not self._is_attack(message):
            yield action
            return
        self._attacked = (message.height, message.round)
        second = self._vary(core, message.block)
        yield Noted(Proposed(second.height, message.round, core.rules.hash_message(second), NO_ROUND))
        for block in (message.block, second):
            proposal = core.keys.sign(core.rules.chain_id, msgspec.structs.replace(message, block=block))
            for peer in (*self._list_half(core, block), *self.coalition.list_others(core.keys.public)):
                yield Send(peer, proposal)
            yield from self._vote(core, block, message.round)

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Vote for each block that another member proposes."""
        message = read_message(core, event)
        if self._is_attack(message):
            yield from self._vote(core, message.block, message.round)

    def _is_attack(self, message: object) -> TypeGuard[Proposal]:
        """Return whether a message is a new proposal of a member."""
        if not isinstance(message, Proposal) or message.author not in self.coalition.accounts:
            return False
        return message.valid_round == NO_ROUND and message.height >= FIRST_HEIGHT

    def _vary(self, core: Core, block: CertifiedBlock) -> CertifiedBlock:
        """Return another valid block of the same round: a slot earlier."""
        return core.keys.sign(core.rules.chain_id, msgspec.structs.replace(block, slot=block.slot - 1))

    def _vote(self, core: Core, block: CertifiedBlock, round_: int) -> Iterator[Action]:
        """Say everything for a block to those who know it."""
        name = core.rules.hash_message(block)
        for kind in (Prevote, Precommit):
            vote = kind(height=block.height, parent=block.parent, round=round_, block=name, author=core.keys.public)
            signed = core.keys.sign(core.rules.chain_id, vote)
            for peer in self._list_half(core, block):
                yield Send(peer, signed)

    def _list_half(self, core: Core, block: CertifiedBlock) -> list[PeerId]:
        """Return the links of the half that is shown a block: whether its slot is odd says which."""
        parent = core.tree.get(block.parent)
        half = self._divide(parent.state)[block.slot % 2] if parent is not None else []
        return [self._peers[owner] for owner in half if owner in self._peers]

    def _divide(self, state: LedgerState) -> tuple[list[AccountId], list[AccountId]]:
        """Return the honest owners in two halves, the same for all members: each goes to the half that has less."""
        stakes, held = state.stakes, [0, 0]
        halves: tuple[list[AccountId], list[AccountId]] = ([], [])
        members = frozenset(self.coalition.accounts)
        honest = [owner for owner in stakes.owners if owner not in members]
        for owner in sorted(honest, key=lambda account: (-stakes.get_stake(account), account)):
            lighter = int(held[1] < held[0])
            halves[lighter].append(owner)
            held[lighter] += stakes.get_stake(owner)
        return halves
