"""The rules a message must meet on one chain; they read and return, and the first write comes after the verdict.

What all chains have in common is here; the proof that makes a block valid is the mechanism's.
"""

import hashlib
from collections.abc import Callable, Hashable
from typing import Any, Final

import msgspec

from protocol.chain import BlockRecord
from protocol.codec import MAX_FRAME_BYTES, Codec, encode, encode_frame
from protocol.crypto import KeyPair, compute_content_hash, compute_signed_hash, verify
from protocol.events import ChainRecord
from protocol.genesis import ChainRules, Genesis
from protocol.ledger import LedgerState, apply_block, find_block_fault, release_due
from protocol.mechanism import Context, Mechanism, MessageT, ResultT
from protocol.messages import AnyBlock, Message, Transaction
from protocol.stamps import find_stamp_fault, mint
from protocol.subsidy import compute_subsidy
from protocol.turn import RecentSet
from protocol.types import SIGNATURE_BYTES, AccountId, Hash32, Signature
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Reject, Verdict


class Rules:
    """What never changes on one chain, and the pure functions that judging rests on.

    A driver that runs many participants in one process may give them all one subclass that remembers answers: each
    method is a function of its arguments and the genesis alone, but for a slot that is still in the future.
    """

    def __init__(self, mechanism: Mechanism) -> None:
        """Take the mechanism, which knows what all parties agreed on."""
        self.mechanism: Final = mechanism
        self.genesis: Final[Genesis] = mechanism.genesis
        self.chain: Final[ChainRules] = self.genesis.chain
        self.chain_id: Final[Hash32] = mechanism.compute_chain_id()
        self._right: RecentSet[tuple[AccountId, Hash32, Signature]] = RecentSet()
        """Signatures that were found right."""
        self._codec: Final = Codec(self.chain_id, mechanism.messages)
        opening = LedgerState.from_genesis(self.genesis)
        self.origin: Final[ChainRecord] = BlockRecord(self.chain_id, b"", 0, 0, None, opening, 0, self.chain_id)
        """The genesis as a block."""

    # ---- bytes ----

    def decode(self, frame: bytes) -> Message:
        """Return the message in a frame; see `protocol.codec.Codec.decode_frame`."""
        return self._codec.decode_frame(frame)

    def is_oversized(self, frame: bytes) -> bool:
        """Return whether a frame is too long to be read."""
        return self._codec.is_oversized(frame)

    def fits_frame(self, message: Message) -> bool:
        """Return whether a message can be sent by itself."""
        return len(encode_frame(self.chain_id, message)) <= MAX_FRAME_BYTES

    def encode(self, message: Message) -> bytes:
        """Return a message's canonical bytes."""
        return encode(message)

    def decode_block(self, packed: bytes) -> AnyBlock:
        """Return the block with these canonical bytes.

        Raises:
            msgspec.MsgspecError: They are none of this chain's mechanism.
        """
        return msgspec.msgpack.decode(packed, type=self.mechanism.block)

    def hash_frame(self, frame: bytes) -> Hash32:
        """Return what a frame is recognised by when it comes again."""
        return hashlib.sha256(frame).digest()

    def hash_message(self, message: Message) -> Hash32:
        """Return a message's content hash; see `protocol.crypto.compute_content_hash`."""
        return compute_content_hash(self.chain_id, message)

    # ---- speaking ----

    def sign(self, keys: KeyPair, message: MessageT) -> MessageT:
        """Return a message as its author sends it: signed, and a transfer stamped where the chain asks for that."""
        signed = keys.sign(self.chain_id, message)
        if not isinstance(signed, Transaction) or not self.mechanism.stamp_bits:
            return signed
        sealed, _ = mint(self.mechanism.stamp_bits, self.hash_message(signed), signed.signature)
        return msgspec.structs.replace(signed, signature=sealed)

    # ---- remembering, for those that do ----

    def judge_once(
        self, judge: Callable[[Context[Any], MessageT], Verdict], context: Context[Any], message: MessageT
    ) -> Verdict:
        """Return what a judge says of a message; these rules remember nothing."""
        return judge(context, message)

    def recall(self, key: Hashable, compute: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Return ``compute(*arguments)``; these rules remember nothing."""
        return compute(*arguments)

    # ---- judging ----

    def verify(self, public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
        """Return whether a signature is right; see `protocol.crypto.verify`.

        Those of late are remembered: what came by itself first often comes again inside something else.
        """
        key = (public_key, digest, signature)
        if key in self._right:
            return True
        is_right = verify(public_key, digest, signature)
        if is_right:
            self._right.remember(key)
        return is_right

    def is_signed(self, message: Message) -> bool:
        """Return whether a message carries its author's own signature."""
        return self.verify(*self.find_signature(message))

    def find_signature(self, message: Message) -> tuple[AccountId, Hash32, Signature]:
        """Return the author of a message, what it signs, and the signature that the message carries."""
        is_named_by_itself = message.naming is message
        signed = self.hash_message(message) if is_named_by_itself else compute_signed_hash(self.chain_id, message)
        return message.author, signed, message.signature[:SIGNATURE_BYTES]

    def judge_stamp(self, transaction: Transaction) -> Verdict:
        """Judge whether a transfer shows the work that the chain asks for, which costs one hash."""
        bits = self.mechanism.stamp_bits
        name = self.hash_message(transaction) if bits else b""
        fault = find_stamp_fault(bits, name, transaction.signature)
        return ACCEPT if fault is None else Reject(fault)

    def judge_author(self, ledger: LedgerState, message: Message) -> Verdict:
        """Judge whether a message of consensus is its author's own, and whether its author may speak at all."""
        if not self.is_signed(message):
            return Reject(ChainReason.BAD_SIGNATURE)
        return ACCEPT if self.mechanism.may_speak(ledger, message.author) else Reject(ChainReason.NOT_BONDED)

    def judge_height(self, parent: ChainRecord, height: int) -> Verdict:
        """Judge whether the chain has a block at this height, and whether it is the parent's next one."""
        if height != parent.height + 1:
            return Reject(ChainReason.WRONG_HEIGHT)
        if height > self.chain.length:
            return Reject(ChainReason.BEYOND_JOB)
        return ACCEPT

    def judge_position(self, context: Context[Any], height: int, slot: int) -> Verdict:
        """Judge whether a height and slot can follow the parent."""
        verdict = self.judge_height(context.parent, height)
        if verdict is not ACCEPT:
            return verdict
        if slot < context.parent.slot:
            return Reject(ChainReason.SLOT_BEFORE_PARENT)
        if slot > context.slot:
            return Ignore(ChainReason.FUTURE_SLOT)
        return ACCEPT

    def judge_block(self, context: Context[Any], block: AnyBlock) -> Verdict:
        """Judge a block whose parent is known and whose author has been judged: its position, proof and money."""
        return self.judge_once(self._judge_block, context, block)

    def judge_in_full(self, context: Context[Any], block: AnyBlock) -> Verdict:
        """Judge a block whose parent is known, its author too: for whoever walks through a whole chain."""
        verdict = self.judge_author(context.parent.state, block)
        return self.judge_block(context, block) if verdict is ACCEPT else verdict

    def _judge_block(self, context: Context[Any], block: AnyBlock) -> Verdict:
        verdict = self.judge_position(context, block.height, block.slot)
        if verdict is not ACCEPT:
            return verdict
        verdict = self.mechanism.judge_proof(context, block)
        if verdict is not ACCEPT:
            return verdict
        return self.judge_money(context.parent, block)

    def judge_money(self, parent: ChainRecord, block: AnyBlock) -> Verdict:
        """Judge the transfers and the coinbase of a block whose proof is right."""
        if not self.mechanism.is_whole(block):
            return Reject(ChainReason.WRONG_BODY)
        verdict = self.judge_transfers(parent, block.transactions)
        if verdict is not ACCEPT:
            return verdict
        if block.coinbase != self.mechanism.compute_coinbase(self, parent, block):
            return Reject(LedgerReason.WRONG_COINBASE)
        return ACCEPT

    def judge_transfers(self, parent: ChainRecord, transactions: tuple[Transaction, ...]) -> Verdict:
        """Judge whether a block on a parent may carry these transfers, in this order."""
        if len(transactions) > self.chain.max_transactions:
            return Reject(LedgerReason.TOO_MANY_TRANSACTIONS)
        for transaction in transactions:
            verdict = self.judge_stamp(transaction)
            if verdict is not ACCEPT:
                return verdict
        if not all(self.is_signed(transaction) for transaction in transactions):
            return Reject(ChainReason.BAD_SIGNATURE)
        fault = find_block_fault(
            parent.state, transactions, deposit=self.chain.opening_deposit, bonding=self.mechanism.bonding
        )
        return ACCEPT if fault is None else Reject(fault)

    # ---- the next state ----

    def build_record(self, parent: ChainRecord, block: AnyBlock) -> ChainRecord:
        """Return the record of a judged block, with the ledger after it.

        Raises:
            LedgerError: The ledger after it would not add up.
        """
        state = apply_block(
            parent.state,
            block.transactions,
            block.coinbase,
            most=compute_subsidy(block.height),
            deposit=self.chain.opening_deposit,
            bonding=self.mechanism.bonding,
            height=block.height,
        )
        state = self.mechanism.conclude(self, parent, block, state)
        return BlockRecord(
            hash=self.hash_message(block),
            parent=parent.hash,
            height=block.height,
            slot=block.slot,
            block=block,
            state=release_due(state, block.height) if self.mechanism.bonding is not None else state,
            weight=parent.weight + self.mechanism.weigh(parent, block),
            rank=self.mechanism.rank(self, block),
            right=self.mechanism.find_right(block),
        )
