"""Round-robin authority: the owner whose turn it is signs the block. The smallest mechanism that the core can carry."""

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


class RoundRobinGenesis(Agreed, frozen=True, kw_only=True):
    """What all parties agree on: nothing but what every chain has."""

    chain: ChainRules
    accounts: tuple[GenesisAccount, ...]
    seed: int


class SealedBlock(AnyBlock, frozen=True, kw_only=True, tag="sealed"):
    """A block whose only proof is its author's signature."""

    kind: ClassVar[str] = BLOCK_KIND

    height: Height
    parent: Hash32
    slot: Slot
    transactions: tuple[Transaction, ...]
    coinbase: tuple[Payout, ...]
    author: AccountId
    signature: Signature = UNSIGNED


class TurnReason(Reason):
    """Its one reason for refusal."""

    NOT_ITS_TURN = "not-its-turn"


class TurnTimer(TimerKind):
    """Its one timer."""

    SEAL = "seal"


class RoundRobin(Mechanism):
    """Owner ``height mod n`` signs the block, in ascending order of their keys."""

    name: ClassVar = "round_robin"
    summary: ClassVar = "owners of a bond take turns in signing blocks"
    messages = (Transaction, SealedBlock, HeadAnnouncement, BlockRequest, BlockResponse[SealedBlock])
    block = SealedBlock
    reasons: ClassVar = TurnReason
    timers: ClassVar = TurnTimer
    genesis_type: ClassVar = RoundRobinGenesis

    genesis: RoundRobinGenesis

    def find_owner(self, stakes: StakeTable, height: int) -> AccountId:
        return stakes.owners[height % len(stakes.owners)]

    def judge_proof(self, context: Context[object], block: SealedBlock) -> Verdict:
        is_its_turn = block.author == self.find_owner(context.parent.state.stakes, block.height)
        return ACCEPT if is_its_turn else Reject(TurnReason.NOT_ITS_TURN)

    def build_coinbase(
        self, author: AccountId, height: int, transactions: tuple[Transaction, ...]
    ) -> tuple[Payout, ...]:
        fees = sum(transaction.fee for transaction in transactions)
        return (Payout(account=author, amount=compute_subsidy(height) + fees),)

    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: SealedBlock) -> tuple[Payout, ...]:
        return self.build_coinbase(block.author, block.height, block.transactions)

    def make_proposer(self, node: NodeView) -> "Sealer":
        return Sealer(self, node)


class Sealer(Proposer):
    """Signs a block in the first slot after its parent's, when it is this node's turn."""

    def __init__(self, mechanism: RoundRobin, node: NodeView) -> None:
        self._mechanism: Final = mechanism
        self._node: Final = node

    def begin(self, turn: Turn) -> None:
        head, rules = self._node.tree.head, self._node.rules
        owner = self._mechanism.find_owner(head.state.stakes, head.height + 1)
        if head.height < rules.chain.length and owner == self._node.keys.public:
            slot = max(head.slot, compute_slot(turn.now, rules.chain.slot_ns)) + 1
            self._node.set_timer(turn, TurnTimer.SEAL, slot, head.hash)

    def ring(self, turn: Turn, timer: Timer) -> None:
        head, author = self._node.tree.head, self._node.keys.public
        if timer.parent != head.hash:
            return
        height, transactions = head.height + 1, self._node.select_transactions()
        block = SealedBlock(
            height=height,
            parent=head.hash,
            slot=timer.slot,
            transactions=transactions,
            coinbase=self._mechanism.build_coinbase(author, height, transactions),
            author=author,
        )
        self._node.publish(turn, block)
