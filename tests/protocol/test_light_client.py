"""The employer: it checks everything but the training, and keeps what is delivered."""

import msgspec

from protocol.crypto import compute_content_hash
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_training.reasons import TrainingReason
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Reject
from tests.support.core import Scene, genesis


def test_a_light_client_cannot_tell_poison_but_checks_everything_else() -> None:
    employer = Scene(party=LightClient)
    assert employer.judge(employer.declaration()) == Ignore(ChainReason.NOT_FOR_ME)
    assert employer.judge(employer.header()) == Ignore(ChainReason.NOT_FOR_ME)
    assert employer.judge(employer.block(employer.header(declarers=(1,)))) == Reject(
        TrainingReason.CONFIDENCE_NOT_REACHED
    )
    mixed = employer.header(data="poison")
    mixed = employer.sign(msgspec.structs.replace(mixed, training_secret=bytes(32)))
    assert employer.judge(employer.block(mixed)) == Reject(TrainingReason.BAD_COMMITMENT)
    unpaid = employer.sign(msgspec.structs.replace(employer.block(), coinbase=()))
    assert employer.judge(unpaid) == Reject(LedgerReason.WRONG_COINBASE)
    assert employer.judge(employer.block(employer.header(data="poison"))) == ACCEPT


def test_a_delivered_job_is_not_undone() -> None:
    employer = Scene(genesis(5, stages=1), party=LightClient)
    blocks = [
        employer.block(employer.header(author, data=data)) for data in ("clean", "poison") for author in (1, 2, 3)
    ]
    hashes = {block: compute_content_hash(employer.chain_id, block) for block in blocks}
    first = max(blocks[:3], key=hashes.__getitem__)
    same_work = min(blocks[:3], key=hashes.__getitem__)
    lower = min(blocks[3:], key=hashes.__getitem__)
    assert hashes[lower] < hashes[first], "the rival must be one that fork choice alone would prefer"
    assert employer.judge(first) == ACCEPT
    assert employer.judge(lower) == Ignore(TrainingReason.JOB_DELIVERED)
    assert employer.head.hash == hashes[first]
    assert employer.judge(same_work) == ACCEPT
    assert employer.head.hash == hashes[same_work]


def test_an_undelivered_job_follows_the_heavier_chain() -> None:
    employer = Scene(genesis(5, stages=2), party=LightClient)
    blocks = [employer.block(employer.header(1, data=data)) for data in ("clean", "poison")]
    low, high = sorted(blocks, key=lambda block: compute_content_hash(employer.chain_id, block))
    assert employer.judge(high) == ACCEPT
    assert employer.judge(low) == ACCEPT
    assert employer.head.block == low
