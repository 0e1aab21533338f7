"""The mechanism: slot s belongs to owner ``s // width mod n``, in ascending order of their keys."""

from typing import ClassVar, Final

from protocol.events import ChainRecord, Timer, TimerKind
from protocol.genesis import Agreed, ChainRules, GenesisAccount
from protocol.mechanism import Context, Mechanism, NodeView, Proposer, RulesView
from protocol.messages import (
    BLOCK_KIND,
    UNSIGNED,
    AnyBlock,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    Payout,
    Transaction,
)
from protocol.slots import compute_slot
from protocol.stakes import StakeTable
from protocol.subsidy import compute_subsidy
from protocol.turn import Turn
from protocol.types import AccountId, Hash32, Height, Signature, Slot
from protocol.verdicts import ACCEPT, Reason, Reject, Verdict


class SlotGenesis(Agreed, frozen=True, kw_only=True):
    """What all parties agree on."""

    chain: ChainRules
    accounts: tuple[GenesisAccount, ...]
    seed: int
    width: int
    """Slots that an owner has in a row."""


class TurnBlock(AnyBlock, frozen=True, kw_only=True, tag="turn"):
    """A block whose only proof is its author's signature."""

    kind: ClassVar[str] = BLOCK_KIND

    height: Height
    parent: Hash32
    slot: Slot
    transactions: tuple[Transaction, ...]
    coinbase: tuple[Payout, ...]
    author: AccountId
    signature: Signature = UNSIGNED


class SlotReason(Reason):
    """Its one reason for refusal."""

    OUT_OF_TURN = "out-of-turn"


class SlotTimer(TimerKind):
    """Its one timer."""

    BUILD = "build"


class SlotTurns(Mechanism):
    """The owner of a slot may build one block in it."""

    name: ClassVar = "slot_turns"
    summary: ClassVar = "owners of a bond take turns by slot"
    messages = (Transaction, TurnBlock, HeadAnnouncement, BlockRequest, BlockResponse[TurnBlock])
    block = TurnBlock
    reasons: ClassVar = SlotReason
    timers: ClassVar = SlotTimer
    genesis_type: ClassVar = SlotGenesis

    genesis: SlotGenesis

    def find_owner(self, stakes: StakeTable, slot: int) -> AccountId:
        """Return whose a slot is."""
        return stakes.owners[slot // self.genesis.width % len(stakes.owners)]

    def judge_proof(self, context: Context[object], block: TurnBlock) -> Verdict:
        """Judge whether a block's slot is its author's."""
        owner = self.find_owner(context.parent.state.stakes, block.slot)
        return ACCEPT if block.author == owner else Reject(SlotReason.OUT_OF_TURN)

    def build_coinbase(
        self, author: AccountId, height: int, transactions: tuple[Transaction, ...]
    ) -> tuple[Payout, ...]:
        """Return what a block pays: subsidy and fees, to its author."""
        fees = sum(transaction.fee for transaction in transactions)
        return (Payout(account=author, amount=compute_subsidy(height) + fees),)

    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: TurnBlock) -> tuple[Payout, ...]:
        """Return the only coinbase that is right for a block."""
        return self.build_coinbase(block.author, block.height, block.transactions)

    def make_proposer(self, node: NodeView) -> "Builder":
        """Return the mechanism's half of a node."""
        return Builder(self, node)


class Builder(Proposer):
    """Builds a block in the node's next slot."""

    def __init__(self, mechanism: SlotTurns, node: NodeView) -> None:
        """Take the mechanism and the node."""
        self._mechanism: Final = mechanism
        self._node: Final = node

    def find_slot(self, first: int) -> int:
        """Return the node's next slot, from a first one on; the node has a bond."""
        stakes, slot = self._node.tree.head.state.stakes, first
        while self._mechanism.find_owner(stakes, slot) != self._node.keys.public:
            slot += 1
        return slot

    def begin(self, turn: Turn) -> None:
        """Wait for the node's next slot after the head's."""
        head, rules = self._node.tree.head, self._node.rules
        if head.height < rules.chain.length and self._node.keys.public in head.state.stakes.owners:
            first = max(head.slot, compute_slot(turn.now, rules.chain.slot_ns)) + 1
            self._node.set_timer(turn, SlotTimer.BUILD, self.find_slot(first), head.hash)

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Build on the head, if it is still the one that the timer is for."""
        head, author = self._node.tree.head, self._node.keys.public
        if timer.parent != head.hash:
            return
        height, transactions = head.height + 1, self._node.select_transactions()
        block = TurnBlock(
            height=height,
            parent=head.hash,
            slot=timer.slot,
            transactions=transactions,
            coinbase=self._mechanism.build_coinbase(author, height, transactions),
            author=author,
        )
        self._node.publish(turn, block)
