"""Chain-based proof of stake as a mechanism: whoever leads a slot makes one block, and most blocks win."""

from dataclasses import replace
from typing import Any, ClassVar, Final

from protocol.crypto import Domain, compute_hash
from protocol.events import ChainRecord
from protocol.ledger import LedgerState
from protocol.mechanism import Context, Mechanism, NodeView, RulesView
from protocol.mechanisms.stake_chain.drawing import (
    Books,
    Closing,
    Draw,
    close,
    draw_by_parent,
    draw_from,
    is_opening,
    mix_in,
    open_books,
)
from protocol.mechanisms.stake_chain.evidence import Right, can_lose, collect_evidence, get_right, judge_evidence, slash
from protocol.mechanisms.stake_chain.genesis import StakeGenesis
from protocol.mechanisms.stake_chain.messages import (
    MESSAGES,
    NO_REVEAL,
    Evidence,
    StakedBlock,
    compute_body_digest,
)
from protocol.mechanisms.stake_chain.reasons import StakeReason, StakeTimer
from protocol.mechanisms.stake_chain.validator import Validator
from protocol.messages import Payout, Transaction
from protocol.subsidy import build_coinbase
from protocol.types import AccountId, Hash32
from protocol.verdicts import ChainReason, Reject, Verdict

RANK: Final = Domain(b"pot/stake/rank/1")


class StakeChain(Mechanism):
    """Each slot has one leader, drawn by bonded coins."""

    name: ClassVar = "stake_chain"
    summary: ClassVar = "each slot draws one owner of bonded coins, who may make one block, and most blocks win"
    messages = MESSAGES
    block = StakedBlock
    reasons: ClassVar = StakeReason
    timers: ClassVar = StakeTimer
    genesis_type: ClassVar = StakeGenesis

    genesis: StakeGenesis

    def __init__(self, genesis: StakeGenesis) -> None:
        """Take what all parties agreed on."""
        self.genesis = genesis
        self.bonding = genesis.bonding
        self.final_depth = genesis.final_depth
        self.epoch_slots: Final = genesis.epoch_slots
        self.is_seeded: Final = genesis.drawn_by == "reveals"
        """Whether secrets are the seed, and not the block below."""

    # ---- judging: reads only ----

    def may_speak(self, ledger: LedgerState, account: AccountId) -> bool:
        """Return that anyone may: only the ledger below a block knows who had a bond there, and it is asked there."""
        return True

    def judge_proof(self, context: Context[Any], block: StakedBlock) -> Verdict:
        """Judge slot, leader and secret by the parent, then the evidence."""
        rules, parent = context.rules, context.parent
        if block.slot <= parent.slot:
            return Reject(StakeReason.SLOT_TAKEN)
        draw = self.find_draw(rules, parent, block.slot // self.epoch_slots)
        if draw.find_leader(block.slot) != block.author:
            return Reject(StakeReason.NOT_LEADER)
        if not can_lose(parent.state, block.author):
            return Reject(ChainReason.NOT_BONDED)
        books = self.find_books(rules, parent)
        is_right = is_opening(books, block.author, block.reveal) if self.is_seeded else block.reveal == NO_REVEAL
        if not is_right:
            return Reject(StakeReason.BAD_REVEAL)
        return judge_evidence(rules, self.genesis, parent.state, books.punished, block)

    def is_whole(self, block: StakedBlock) -> bool:
        """Return whether a block's transfers and evidence are those its header commits to."""
        return block.body == compute_body_digest(block.transactions, block.evidence)

    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: StakedBlock) -> tuple[Payout, ...]:
        """Return the only coinbase that is right for a block."""
        return build_coinbase(self.genesis.reward, block.author, block.height, block.transactions)

    def conclude(self, rules: RulesView, parent: ChainRecord, block: StakedBlock, state: LedgerState) -> LedgerState:
        """Return the ledger without what the block's evidence takes, and the books with its secret."""
        state = slash(self.genesis, state, block)
        books, epoch = self.find_books(rules, parent), block.slot // self.epoch_slots
        mix = books.closings[-1].mix
        if self.is_seeded:
            books, mix = mix_in(books, block.author, block.reveal, epoch)
        books = close(books, Closing(epoch, rules.hash_message(block), mix, state.stakes))
        if block.evidence:
            punished = books.punished | {get_right(item) for item in block.evidence}
            books = replace(books, punished=punished)
        return replace(state, consensus=books)

    @property
    def keeps_first(self) -> bool:
        """Whether of two branches of one length a node stays on the one it had first: yes.

        Else a block that was kept back could take the place of one that was made when it should have been shown.
        """
        return True

    def rank(self, rules: RulesView, block: StakedBlock) -> bytes:
        """Return a hash of the right alone, so that nothing in a block makes it win a tie."""
        return compute_hash(RANK, rules.chain_id, block.slot.to_bytes(8, "big"), block.author)

    def find_right(self, block: StakedBlock) -> Right:
        """Return slot and author: a leader may make one block."""
        return block.slot, block.author

    # ---- who leads ----

    def find_books(self, rules: RulesView, parent: ChainRecord) -> Books:
        """Return what is kept after a block."""
        books = parent.state.consensus
        return books if isinstance(books, Books) else open_books(parent)

    def find_draw(self, rules: RulesView, parent: ChainRecord, epoch: int) -> Draw:
        """Return what the leaders of an epoch follow from, for a block on a parent."""
        return draw_from(self.find_books(rules, parent), epoch) if self.is_seeded else draw_by_parent(parent, epoch)

    def find_slots(self, rules: RulesView, draw: Draw, epoch: int, owner: AccountId) -> tuple[int, ...]:
        """Return the slots of an epoch that an owner leads."""
        schedule: dict[AccountId, tuple[int, ...]] = rules.recall(("leaders", *draw.key), self._list_slots, draw, epoch)
        return schedule.get(owner, ())

    def _list_slots(self, draw: Draw, epoch: int) -> dict[AccountId, tuple[int, ...]]:
        found: dict[AccountId, tuple[int, ...]] = {}
        for slot in range(epoch * self.epoch_slots, (epoch + 1) * self.epoch_slots):
            leader = draw.find_leader(slot)
            if leader is not None:
                found[leader] = (*found.get(leader, ()), slot)
        return found

    # ---- acting ----

    def find_evidence(
        self, rules: RulesView, parent: ChainRecord, doubled: tuple[tuple[ChainRecord, ChainRecord], ...]
    ) -> tuple[Evidence, ...]:
        """Return the evidence that a block on a parent may hold, from blocks of one right that a node knows."""
        if not self.genesis.slashed:
            return ()
        return collect_evidence(rules, doubled, parent.state, self.find_books(rules, parent).punished)

    def build_block(
        self,
        parent: ChainRecord,
        author: AccountId,
        slot: int,
        reveal: Hash32,
        *,
        transactions: tuple[Transaction, ...],
        evidence: tuple[Evidence, ...] = (),
    ) -> StakedBlock:
        """Return the block of a slot on a parent, unsigned."""
        height = parent.height + 1
        return StakedBlock(
            height=height,
            parent=parent.hash,
            slot=slot,
            body=compute_body_digest(transactions, evidence),
            reveal=reveal if self.is_seeded else NO_REVEAL,
            author=author,
            transactions=transactions,
            evidence=evidence,
            coinbase=build_coinbase(self.genesis.reward, author, height, transactions),
        )

    def make_proposer(self, node: NodeView) -> Validator:
        """Return a validator."""
        return Validator(self, node)


def as_stake_chain(mechanism: Mechanism) -> StakeChain:
    """Return a mechanism that must be chain-based proof of stake.

    Raises:
        TypeError: It is another one.
    """
    if not isinstance(mechanism, StakeChain):
        raise TypeError(f"not by a chain of stake: {mechanism.name}")
    return mechanism
