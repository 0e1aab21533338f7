"""A validator's half of a node: it makes a block in each slot that it leads, and never two for one slot."""

from typing import Final, Protocol

from protocol.events import ChainRecord, Timer
from protocol.mechanism import NodeView, Proposer, RulesView
from protocol.mechanisms.stake_chain.drawing import Books, Draw
from protocol.mechanisms.stake_chain.evidence import can_lose
from protocol.mechanisms.stake_chain.messages import Evidence, StakedBlock
from protocol.mechanisms.stake_chain.reasons import StakeTimer
from protocol.mechanisms.stake_chain.secrets import Secrets
from protocol.messages import Transaction
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId, Hash32

HORIZON: Final = 2
"""Epochs that a node looks ahead for its next slot."""


class StakeJudge(Protocol):
    """What a validator asks of its mechanism."""

    @property
    def epoch_slots(self) -> int:
        """Slots of an epoch."""

    @property
    def is_seeded(self) -> bool:
        """Whether secrets are the seed, and not the block below."""

    def find_books(self, rules: RulesView, parent: ChainRecord) -> Books:
        """Return what is kept after a block."""

    def find_draw(self, rules: RulesView, parent: ChainRecord, epoch: int) -> Draw:
        """Return what the leaders of an epoch on a block follow from."""

    def find_slots(self, rules: RulesView, draw: Draw, epoch: int, owner: AccountId) -> tuple[int, ...]:
        """Return the slots of an epoch that an owner leads."""

    def find_evidence(
        self, rules: RulesView, parent: ChainRecord, doubled: tuple[tuple[ChainRecord, ChainRecord], ...]
    ) -> tuple[Evidence, ...]:
        """Return the evidence that a block on a parent may hold."""

    def build_block(
        self,
        parent: ChainRecord,
        author: AccountId,
        slot: int,
        reveal: Hash32,
        *,
        transactions: tuple[Transaction, ...],
        evidence: tuple[Evidence, ...],
    ) -> StakedBlock:
        """Return an unsigned block."""


class Validator(Proposer):
    """Waits for the slots that it leads on its head."""

    def __init__(self, mechanism: StakeJudge, node: NodeView) -> None:
        """Begin with nothing signed."""
        self.mechanism: Final = mechanism
        self.node: Final = node
        self.secrets: Final = Secrets(node.keys, node.rules.chain_id, node.rules.chain.length)
        self.signed: int | None = None
        """Last slot that no block may be signed for any more: that of its last block, or of its start, because what it
        signed before may be forgotten. None before its start."""
        self._has_to_look = False
        self._rings: set[tuple[int, Hash32]] = set()
        """Slots and heads of timers that have yet to ring: each is set once."""

    # ---- when it leads ----

    def begin(self, turn: Turn) -> None:
        """Look for the next slot to lead on the head; a head that several blocks of one turn move is looked at once."""
        if self.signed is None:
            self.signed = self._find_slot(turn)
        self._has_to_look = True
        if not turn.pending:
            self.look(turn)

    def end(self, turn: Turn) -> None:
        """Go on when all messages of a turn are judged."""
        if self._has_to_look:
            self.look(turn)

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Make a block if this is a slot that the node leads on its head, or look for the next one."""
        head, slot = self.node.tree.head, self._find_slot(turn)
        self._rings.discard((timer.slot, timer.parent))
        if timer.parent != head.hash or self.is_whole(head):
            return
        if slot >= self._find_first(turn) and slot in self.find_slots(head, slot // self.mechanism.epoch_slots):
            self.lead(turn, slot)
        else:
            self.look(turn)

    def look(self, turn: Turn) -> None:
        """Ring in the next slot that the node leads, or when there is more to know."""
        self._has_to_look = False
        head, first = self.node.tree.head, self._find_first(turn)
        if self.is_whole(head):
            return
        epoch = first // self.mechanism.epoch_slots
        for ahead in range(epoch, epoch + HORIZON):
            found = next((slot for slot in self.find_slots(head, ahead) if slot >= first), None)
            if found is not None:
                break
        else:
            found = (epoch + HORIZON) * self.mechanism.epoch_slots
        self.set_clock(turn, found)

    def set_clock(self, turn: Turn, slot: int) -> None:
        """Ring in a slot, if the head is still this one then."""
        head = self.node.tree.head.hash
        if (slot, head) not in self._rings:
            self._rings.add((slot, head))
            self.node.set_timer(turn, StakeTimer.LEAD, slot, head)

    def _find_slot(self, turn: Turn) -> int:
        return compute_slot(turn.now, self.node.rules.chain.slot_ns)

    def _find_first(self, turn: Turn) -> int:
        """Return the first slot that the node may still lead on its head."""
        signed = self.signed if self.signed is not None else -1
        return max(self._find_slot(turn), signed + 1, self.node.tree.head.slot + 1)

    def find_slots(self, head: ChainRecord, epoch: int) -> tuple[int, ...]:
        """Return the slots of an epoch that the node leads on a block."""
        own = self.node.keys.public
        if not can_lose(head.state, own):
            return ()
        draw = self.mechanism.find_draw(self.node.rules, head, epoch)
        return self.mechanism.find_slots(self.node.rules, draw, epoch, own)

    def is_whole(self, head: ChainRecord) -> bool:
        """Return whether nothing can be built on a block any more."""
        return head.height >= self.node.rules.chain.length

    # ---- what it makes ----

    def lead(self, turn: Turn, slot: int) -> None:
        """Make the block of a slot, on the head."""
        self.signed = slot
        self.node.publish(turn, self.build(self.node.tree.head, slot))

    def build(self, parent: ChainRecord, slot: int, transactions: tuple[Transaction, ...] | None = None) -> StakedBlock:
        """Return the block on a parent, unsigned; with transfers of the node's choice if none are given."""
        chosen = self.choose_transactions(parent) if transactions is None else transactions
        return self.mechanism.build_block(
            parent,
            self.node.keys.public,
            slot,
            self.find_reveal(parent),
            transactions=chosen,
            evidence=self.choose_evidence(parent),
        )

    def choose_transactions(self, parent: ChainRecord) -> tuple[Transaction, ...]:
        """Return the transfers of a block on a parent, which is the head."""
        return self.node.select_transactions()

    def choose_evidence(self, parent: ChainRecord) -> tuple[Evidence, ...]:
        """Return whom a block on a parent accuses: everybody who can be."""
        return self.mechanism.find_evidence(self.node.rules, parent, self.node.tree.get_doubled())

    def find_reveal(self, parent: ChainRecord) -> Hash32:
        """Return what a block of this node on a parent opens."""
        mark = self.mechanism.find_books(self.node.rules, parent).marks.get(self.node.keys.public)
        return self.secrets.get(mark.made if mark is not None else 0)

    # ---- its state ----

    def snapshot(self) -> tuple[object, ...]:
        """Return what it has signed."""
        return (self.signed,)

    def restore(self, before: "Validator") -> None:
        """Take over for which slots the node has signed."""
        self.signed = before.signed
