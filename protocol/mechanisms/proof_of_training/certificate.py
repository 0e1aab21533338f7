"""A delivery certificate: the proof of a whole job without its transfers, for whoever has neither chain nor data.

It holds the genesis and every block from the first to the last without transfers, which nobody signs in a block of
version 2, since its header commits to them. Whoever checks it does what a light client does, but for the money: links,
slots, lotteries, declarations, confidence, stakeholders' signatures. It proves as much as the chain's rule of
confidence does, to those who know the chain id from elsewhere.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from protocol.chain import BlockRecord
from protocol.events import ChainRecord
from protocol.mechanism import Context
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.messages import TrainedBlock, WrappedBlock
from protocol.rules import Rules
from protocol.slots import compute_slot_start
from protocol.types import PARTS_PER_MILLION, Hash32
from protocol.verdicts import ACCEPT, Ignore, Reject

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises on bytes that stand for nothing; text that is not UTF-8 has an error of its own."""


class CertificateError(ValueError):
    """A certificate proves nothing; the text says where and why."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate proves."""

    chain_id: Hash32
    stages: int
    weights_digest: Hash32
    """Digest of the weights after the last stage."""
    least_declared: int
    """Stake whose owners have declared the stage that fewest have, in millionths of all."""


def strip(block: WrappedBlock) -> TrainedBlock:
    """Return a block without what its hash leaves out.

    Raises:
        ValueError: It is of version 1, whose hash leaves nothing out.
    """
    if not isinstance(block, TrainedBlock):
        raise ValueError("a chain of version 1 of the rules has no certificate: its blocks cannot be shown in part")
    return msgspec.structs.replace(block, transactions=())


def check_certificate(agreed: bytes, blocks: Sequence[bytes], *, stamp_bits: int = 0) -> Delivery:
    """Return what a certificate proves.

    Args:
        agreed: Canonical bytes of the genesis.
        blocks: Canonical bytes of the stripped blocks, lowest first.
        stamp_bits: What the chain asks of the stamps of its transfers, which is part of its name.

    Raises:
        CertificateError: It does not prove that the whole job was delivered.
    """
    try:
        mechanism = ProofOfTraining.decode_genesis(agreed)
    except _UNREADABLE:
        raise CertificateError("the genesis cannot be read: its bytes are none of a chain of training") from None
    if not mechanism.has_repairs:
        raise CertificateError("the chain is of version 1 of the rules, which has no certificates")
    if mechanism.encode_genesis() != agreed:
        raise CertificateError("the genesis is not in its canonical form")
    parameters, owners = mechanism.genesis.parameters, [line for line in mechanism.genesis.accounts if line.stake]
    if parameters.slot_ns < 1 or mechanism.genesis.job.stages < 1 or not 1 <= parameters.stakeholders <= len(owners):
        raise CertificateError("the genesis describes no chain that could have a block")
    if not _can_draw(mechanism):
        raise CertificateError("the stakes of the genesis are so uneven that drawing stakeholders does not end")
    rules = Rules(mechanism.ask_stamps(stamp_bits) if stamp_bits else mechanism)
    if len(blocks) != rules.chain.length:
        raise CertificateError(f"it has {len(blocks)} blocks, and the job {rules.chain.length} stages")
    chain = list(_walk(rules, blocks))
    return Delivery(
        chain_id=rules.chain_id,
        stages=len(chain),
        weights_digest=chain[-1].header.weights_digest,
        least_declared=min(_count_declared(rules, block) for block in chain),
    )


def _can_draw(mechanism: ProofOfTraining) -> bool:
    """Return whether the K-th stakeholder is found in a million draws at the most, on average."""
    stakes = sorted((line.stake for line in mechanism.genesis.accounts), reverse=True)
    first_drawn = mechanism.genesis.parameters.stakeholders - 1
    return sum(stakes[first_drawn:]) * PARTS_PER_MILLION >= sum(stakes)


def _walk(rules: Rules, blocks: Iterable[bytes]) -> Iterable[TrainedBlock]:
    parent = rules.origin
    for height, packed in enumerate(blocks, start=1):
        try:
            block = rules.decode_block(packed)
        except _UNREADABLE:
            raise CertificateError(f"the block at height {height} cannot be read: its bytes are no block") from None
        if not isinstance(block, TrainedBlock) or rules.encode(strip(block)) != packed or block.header.transactions:
            raise CertificateError(f"the block at height {height} is not in its canonical form")
        if block.parent != parent.hash:
            raise CertificateError(f"the block at height {height} does not follow the one before it")
        _judge(rules, parent, block)
        parent = BlockRecord(
            hash=rules.hash_message(block),
            parent=parent.hash,
            height=height,
            slot=block.slot,
            block=block,
            state=parent.state,  # bonds are those of the genesis, and the money is not looked at
            weight=parent.weight + 1,
            rank=b"",
        )
        yield block


def _judge(rules: Rules, parent: ChainRecord, block: TrainedBlock) -> None:
    verdict = rules.judge_author(parent.state, block)
    if verdict is ACCEPT:
        now = compute_slot_start(block.slot, rules.chain.slot_ns)
        context: Context[OwnTraining] = Context(rules=rules, parent=parent, now=now, own=None)
        verdict = rules.judge_position(context, block.height, block.slot)
        if verdict is ACCEPT:
            verdict = rules.mechanism.judge_proof(context, block)
    if isinstance(verdict, Reject | Ignore):
        raise CertificateError(f"the block at height {block.height} is refused: {verdict.reason.value}")
    if verdict is not ACCEPT:
        raise CertificateError(f"the block at height {block.height} cannot be judged")


def _count_declared(rules: Rules, block: TrainedBlock) -> int:
    stakes = rules.origin.state.stakes
    held = sum(stakes.get_stake(item.author) for item in block.header.declarations)
    return held * PARTS_PER_MILLION // stakes.total
