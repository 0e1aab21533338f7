"""Proof of work as a mechanism: judging a header takes one evaluation, and the branch with most work wins."""

from typing import Any, ClassVar

from protocol.codec import encode
from protocol.events import ChainRecord
from protocol.ledger import LedgerState
from protocol.mechanism import Context, Mechanism, NodeView, RulesView
from protocol.mechanisms.proof_of_work.difficulty import count_expected, find_difficulty
from protocol.mechanisms.proof_of_work.genesis import WorkGenesis
from protocol.mechanisms.proof_of_work.messages import MESSAGES, WorkedBlock
from protocol.mechanisms.proof_of_work.miner import Miner
from protocol.mechanisms.proof_of_work.reasons import WorkReason, WorkTimer
from protocol.mechanisms.proof_of_work.rewards import build_coinbase
from protocol.mechanisms.proof_of_work.work import (
    compute_body_digest,
    compute_header_digest,
    does,
)
from protocol.messages import Payout, Transaction
from protocol.types import AccountId, Hash32
from protocol.verdicts import ACCEPT, Reject, Verdict


class ProofOfWork(Mechanism):
    """Whoever first finds a nonce for a block on the head has made it."""

    name: ClassVar = "proof_of_work"
    summary: ClassVar = "a block shows a nonce that takes many hashes to find, and the branch with most work wins"
    messages = MESSAGES
    block = WorkedBlock
    reasons: ClassVar = WorkReason
    timers: ClassVar = WorkTimer
    genesis_type: ClassVar = WorkGenesis

    genesis: WorkGenesis

    def encode_genesis(self) -> bytes:
        """Return the canonical bytes of the genesis, behind the mechanism's name."""
        return encode((self.name, self.genesis.agreed))

    # ---- judging: reads only ----

    def may_speak(self, ledger: LedgerState, account: AccountId) -> bool:
        """Return that anyone may mine: work is what a block costs, and no bond."""
        return True

    def judge_proof(self, context: Context[Any], block: WorkedBlock) -> Verdict:
        """Judge target and window by the parent, and the nonce by one evaluation."""
        target, window_start = self.find_difficulty(context.parent)
        if block.target != target:
            return Reject(WorkReason.WRONG_TARGET)
        if block.window_start != window_start:
            return Reject(WorkReason.WRONG_WINDOW)
        is_worked_for = self.does(block.nonce, compute_header_digest(context.rules.chain_id, block), target)
        return ACCEPT if is_worked_for else Reject(WorkReason.BAD_WORK)

    def does(self, nonce: int, digest: Hash32, target: int) -> bool:
        """Return whether a nonce does for a header with this digest."""
        return does(self.genesis.proof, self.genesis.hash_name, nonce, digest, target)

    def find_difficulty(self, parent: ChainRecord) -> tuple[int, int]:
        """Return target and window's first slot of the block after a parent."""
        before = parent.block if isinstance(parent.block, WorkedBlock) else None
        return find_difficulty(self.genesis.difficulty, self.genesis.chain.slot_ns, before)

    def is_whole(self, block: WorkedBlock) -> bool:
        """Return whether a block's transfers are those its header commits to."""
        return block.body == compute_body_digest(block.transactions)

    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: WorkedBlock) -> tuple[Payout, ...]:
        """Return the only coinbase that is right for a block."""
        return build_coinbase(self.genesis.reward, block.author, block.height, block.transactions)

    @property
    def keeps_first(self) -> bool:
        """Whether a node works on the branch it had first of two of one weight."""
        return self.genesis.ties == "first_seen"

    def may_outweigh(self, height: int, head: ChainRecord) -> bool:
        """Return whether targets may have been so much harder on a branch that fewer blocks weigh more."""
        return self.genesis.difficulty.window > 0

    def weigh(self, parent: ChainRecord, block: WorkedBlock) -> int:
        """Return how many hashes a block's target takes on average, however many it took."""
        return count_expected(block.target)

    # ---- acting ----

    def build_template(
        self, head: ChainRecord, author: AccountId, slot: int, transactions: tuple[Transaction, ...]
    ) -> WorkedBlock:
        """Return the block on a head that its miner has yet to find a nonce for."""
        target, window_start = self.find_difficulty(head)
        height = head.height + 1
        return WorkedBlock(
            height=height,
            parent=head.hash,
            slot=slot,
            body=compute_body_digest(transactions),
            target=target,
            window_start=window_start,
            author=author,
            nonce=0,
            transactions=transactions,
            coinbase=build_coinbase(self.genesis.reward, author, height, transactions),
        )

    def make_proposer(self, node: NodeView) -> Miner:
        """Return a miner."""
        return Miner(self, node)


def get_work_genesis(mechanism: Mechanism) -> WorkGenesis:
    """Return what a chain whose nodes look for nonces has agreed on, whatever else its blocks take.

    Raises:
        TypeError: Nobody looks for nonces on it.
    """
    if not isinstance(mechanism.genesis, WorkGenesis):
        raise TypeError(f"nobody hashes for {mechanism.name}")
    return mechanism.genesis


def as_work(mechanism: Mechanism) -> ProofOfWork:
    """Return a mechanism that must be proof of work.

    Raises:
        TypeError: It is another one.
    """
    if not isinstance(mechanism, ProofOfWork):
        raise TypeError(f"not by work: {mechanism.name}")
    return mechanism
