"""An adversary that has the keys of coins which counted once, and writes the history since anew."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from protocol.codec import encode_frame
from protocol.events import Broadcast, Timer
from protocol.inbox import Delivery
from protocol.mechanism import NodeView
from protocol.mechanisms.stake_chain.messages import StakedBlock
from protocol.mechanisms.stake_chain.secrets import Secrets
from protocol.mechanisms.stake_chain.validator import StakeJudge, Validator
from protocol.rules import Rules
from protocol.slots import compute_slot
from protocol.turn import SELF, Turn
from simulation.attacks import Adversary, Coalition, Parameters, Traits


class _Rewriting(Validator):
    """Does its part until a time; from then on the first member shows a chain that all of them could have made."""

    coalition: Coalition
    rewrites_at_s: float

    def __init__(self, mechanism: StakeJudge, node: NodeView) -> None:
        """Begin with nothing written."""
        super().__init__(mechanism, node)
        self._rules: Final = Rules(node.rules.mechanism)
        self._first: Final = compute_slot(round(self.rewrites_at_s * 1e9), node.rules.chain.slot_ns)
        self._tick = self._first if self.coalition.leads(node.keys.public) else None
        """Slot in which it goes on with the other chain; None where that is not its business, or done."""
        self._tip = self._rules.origin
        self._blocks: list[StakedBlock] = []
        """The other chain."""
        self._next = 1
        """First slot that is not written yet."""
        length = node.rules.chain.length
        pairs = self.coalition.keys
        self._secrets: Final = {owner: Secrets(pair, self._rules.chain_id, length) for owner, pair in pairs.items()}

    def look(self, turn: Turn) -> None:
        """Ring at the time as well, whatever is to be led."""
        super().look(turn)
        self._set_tick(turn)

    def _set_tick(self, turn: Turn) -> None:
        if self._tick is not None:
            now = compute_slot(turn.now, self.node.rules.chain.slot_ns)
            self.set_clock(turn, max(self._tick, now))

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Show the other chain once it is time, and what comes to it; do as others do besides."""
        slot = compute_slot(turn.now, self.node.rules.chain.slot_ns)
        if self._tick is not None and slot >= self._tick:
            if self._is_followed():
                self._tick = None
            else:
                made = self._write(range(self._next, slot + 1))
                is_due = slot % self.mechanism.epoch_slots == 0  # for those who were not there before
                self._say(turn, made, again=self._blocks[: -len(made) or None] if is_due else [])
                self._next = self._tick = slot + 1
                self._set_tick(turn)
        super().ring(turn, timer)

    def _is_followed(self) -> bool:
        """Return whether the node's own head, which is what others tell it, is above the other chain."""
        record = self.node.tree.head
        while record.height > self._tip.height:
            record = self.node.tree.require(record.parent)
        return bool(self._blocks) and record.hash == self._tip.hash and record is not self.node.tree.head

    def _write(self, slots: Iterable[int]) -> list[StakedBlock]:
        """Go on with the chain in which members make a block in each slot that they lead; return what is new."""
        made: list[StakedBlock] = []
        for slot in slots:
            draw = self.mechanism.find_draw(self._rules, self._tip, slot // self.mechanism.epoch_slots)
            owner = draw.find_leader(slot)
            if owner is None or owner not in self._secrets or self.is_whole(self._tip):
                continue
            mark = self.mechanism.find_books(self._rules, self._tip).marks.get(owner)
            reveal = self._secrets[owner].get(mark.made if mark is not None else 0)
            block = self.mechanism.build_block(self._tip, owner, slot, reveal, transactions=(), evidence=())
            made.append(self.coalition.keys[owner].sign(self._rules.chain_id, block))
            self._tip = self._rules.build_record(self._tip, made[-1])
        self._blocks += made
        return made

    def _say(self, turn: Turn, made: list[StakedBlock], *, again: list[StakedBlock]) -> None:
        """Send blocks that are signed already, and judge what is new like anyone else's."""
        for block in again:
            turn.add(Broadcast(block))
        for block in made:
            turn.add(Broadcast(block))
            frame = encode_frame(self._rules.chain_id, block)
            turn.pending.append(Delivery(SELF, block, frame, sha256(frame).digest(), len(frame)))


class LongRangeParameters(Parameters, frozen=True, kw_only=True):
    """What members of a coalition that writes history anew are told."""

    rewrites_at_s: Annotated[
        float, Meta(ge=0, le=1e8, description="when it shows its history", extra={"unit": "seconds"})
    ]


class LongRange(Adversary):
    """Goal: replace a history with one in which its coins were never taken back.

    It knows what any node knows, and its coalition's keys. Members do their part, and may take their coins back, after
    which nothing can be taken from them. At a time the first of them makes a chain from the genesis, in which each
    member makes all the blocks it leads and nobody else makes any, sends it to everybody, and again in each epoch.
    Expected: where they had most coins in the genesis, the other chain can be the longer one, and everybody follows it;
    nodes that never leave final blocks stay, and somebody who comes new may be deceived, since nothing in the chains
    says which was first.
    """

    kind = "long_range"
    mechanism = "stake_chain"
    does = "shows a chain from the genesis on, made with keys of coins that have been taken back since"
    expected = "followed where it is longer; never by nodes that were there, if blocks become final"
    traits = Traits(passes_on=True, does_its_part=False, is_private=True)
    parameters = LongRangeParameters
    drawn = (LongRangeParameters(rewrites_at_s=5.0),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, rewrites_at_s: float) -> None:
        """Take when the chain is shown."""
        super().__init__(generator, coalition)
        told = {"coalition": coalition, "rewrites_at_s": rewrites_at_s}
        self.proposer = type("LongRangeRewriting", (_Rewriting,), told)
