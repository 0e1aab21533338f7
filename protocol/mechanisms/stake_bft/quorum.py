"""How much stake is enough, who proposes, and whether votes that somebody shows are enough.

Buchman, Kwon and Milosevic, "The latest gossip on BFT consensus" (arXiv:1807.04938), with stake in place of processes.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from protocol.codec import MAX_FRAME_BYTES, encode
from protocol.crypto import Domain, compute_hash, compute_signed_hash
from protocol.mechanism import RulesView
from protocol.mechanisms.stake_bft.messages import Certificate, CertifiedBlock, Vote, VoteSignature
from protocol.mechanisms.stake_bft.reasons import BftReason
from protocol.stakes import StakeTable
from protocol.types import HASH_BYTES, SIGNATURE_BYTES, AccountId, Hash32
from protocol.verdicts import ACCEPT, Reject, Verdict

PROPOSER: Final = Domain(b"pot/bft/proposer/1")

VOTE_BYTES: Final = len(encode(VoteSignature(author=bytes(HASH_BYTES), signature=bytes(SIGNATURE_BYTES))))
"""What a vote takes in a certificate."""

SPARE_BYTES: Final = 512
"""Room for what a frame has besides a block and votes: those of a proposal take most."""


def is_quorum(held: int, total: int) -> bool:
    """Return whether some stake is more than two thirds of all: two such sets share more than a third."""
    return 3 * held > 2 * total


def is_third(held: int, total: int) -> bool:
    """Return whether some stake is more than a third of all, so that not all of its owners are dishonest."""
    return 3 * held > total


def draw_proposer(chain_id: Hash32, stakes: StakeTable, height: int, round_: int) -> AccountId:
    """Return who may propose in a round: the owner of a coin drawn by the chain id, the height and the round.

    Nothing that anybody does after the genesis changes the draw, so it cannot be ground; and all can foresee it.
    """
    digest = compute_hash(PROPOSER, chain_id, height.to_bytes(4, "big"), round_.to_bytes(4, "big"))
    return stakes.get_owner(int.from_bytes(digest, "big") % stakes.total)


def sum_stake(stakes: StakeTable, owners: Iterable[AccountId]) -> int:
    """Return the stake of some owners together."""
    return sum(map(stakes.get_stake, owners))


def leaves_room(block: CertifiedBlock, owners: int) -> bool:
    """Return whether a block without votes can still be sent with those of all owners.

    They come with it when it is proposed again, and when it is final. Else one that is too long for that could become
    final for some, who could show it to nobody.
    """
    return len(encode(block)) + owners * VOTE_BYTES + SPARE_BYTES <= MAX_FRAME_BYTES


def judge_certificate(
    rules: RulesView,
    stakes: StakeTable,
    kind: type[Vote],
    certificate: Certificate,
    *,
    height: int,
    parent: Hash32,
    block: Hash32,
) -> Verdict:
    """Judge whether votes of one kind for one block are right, and of more than two thirds of all stake."""
    authors = [item.author for item in certificate.signatures]
    if not all(first < second for first, second in pairwise(authors)) or not all(map(stakes.get_stake, authors)):
        return Reject(BftReason.BAD_CERTIFICATE)
    if not is_quorum(sum_stake(stakes, authors), stakes.total):
        return Reject(BftReason.NO_QUORUM)
    for item in certificate.signatures:
        vote = kind(height=height, parent=parent, round=certificate.round, block=block, author=item.author)
        if not rules.verify(item.author, compute_signed_hash(rules.chain_id, vote), item.signature):
            return Reject(BftReason.BAD_CERTIFICATE)
    return ACCEPT
