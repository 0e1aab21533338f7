"""Frozen bytes: every hash and signature the protocol defines, as it was when the wire version was last raised.

A difference here means that old and new nodes no longer understand each other. When that is meant, raise
``WIRE_VERSION`` or the number in the `Domain` tag, then write the files anew:

    python -m tests.protocol.test_vectors --write
"""

import hashlib
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from protocol import genesis as genesis_module
from protocol import settling
from protocol.codec import encode, encode_frame
from protocol.cosigning import FOLLOW_THE_COIN, follow_the_coin
from protocol.crypto import MESSAGE, KeyPair, compute_content_hash, compute_hash, framed, verify
from protocol.genesis import GenesisAccount
from protocol.lottery import compute_target, has_winning_ticket, is_slot_won
from protocol.mechanisms.proof_of_training import judging
from protocol.mechanisms.proof_of_training import secret as secret_module
from protocol.mechanisms.proof_of_training.body import BODY
from protocol.mechanisms.proof_of_training.building import build_block, build_header, build_signature
from protocol.mechanisms.proof_of_training.job import (
    Confidence,
    ProtocolParameters,
    RewardShares,
    TrainingGenesis,
    TrainingJob,
    compute_chain_id,
    encode_genesis,
)
from protocol.mechanisms.proof_of_training.judging import HEADER_LOTTERY, OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.messages import (
    MESSAGE_KINDS,
    BlockHeader,
    StakeholderSignature,
    TrainedBlock,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.repairs import VERSION_2
from protocol.mechanisms.proof_of_training.rewards import compute_coinbase
from protocol.mechanisms.proof_of_training.secret import commit, compute_own_secret, compute_training_secret
from protocol.messages import (
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    LateBlock,
    Message,
    Payout,
    Sighting,
    Transaction,
)
from protocol.rules import Rules
from protocol.stakes import StakeTable
from protocol.subsidy import compute_subsidy
from tests.protocol.mechanisms.proof_of_activity.activity_vectors import build_activity_vectors
from tests.protocol.mechanisms.proof_of_training.test_model_vectors import (
    build_model_vectors,
    build_optimizer_vectors,
)
from tests.protocol.mechanisms.proof_of_work.test_work_vectors import build_work_vectors
from tests.protocol.mechanisms.stake_bft.test_bft_vectors import build_bft_vectors
from tests.protocol.mechanisms.stake_chain.test_stake_vectors import build_stake_vectors
from tests.protocol.test_stamps import build_stamp_vectors
from tests.support.core import decode_frame

Vectors = dict[str, object]
TAGS: Final = {
    "GENESIS": genesis_module.GENESIS,
    "MESSAGE": MESSAGE,
    "COMMITMENT": secret_module.COMMITMENT,
    "SECRET": secret_module.SECRET,
    "SECRET_STEP": secret_module.SECRET_STEP,
    "DECLARATION_LOTTERY": judging.DECLARATION_LOTTERY,
    "HEADER_LOTTERY": judging.HEADER_LOTTERY,
    "FOLLOW_THE_COIN": FOLLOW_THE_COIN,
}
"""Every purpose tag of the core and of version 1 of proof of training."""

TAGS_2: Final = {
    "OWN_SECRET": secret_module.OWN_SECRET,
    "SEEDED_DECLARATION_LOTTERY": judging.SEEDED_DECLARATION_LOTTERY,
    "SEEDED_HEADER_LOTTERY": judging.SEEDED_HEADER_LOTTERY,
    "SEEDED_STAKEHOLDERS": judging.SEEDED_STAKEHOLDERS,
    "BODY": BODY,
    "SIGHTING": settling.SIGHTING,
    "WITNESS_DRAW": settling.WITNESS_DRAW,
}
"""What version 2 adds."""

FOLDER: Final = Path(__file__).resolve().parent.parent / "vectors"
KEYS: Final = sorted((KeyPair(bytes([number]) * 32) for number in (1, 2, 3, 4)), key=lambda pair: pair.public)
OWNERS: Final = tuple(pair.public for pair in KEYS)
LOSSES: Final = struct.pack(">4f", 2.5, 1.25, 0.625, 0.1)
WEIGHTS: Final = bytes(range(32))
STAKES: Final = StakeTable(dict(zip(OWNERS, (1_000, 2_000, 3_000, 4_000), strict=True)))
SHARES: Final = RewardShares(proposer=400_000, declarers=300_000, stakeholders=300_000)
GENESIS: Final = TrainingGenesis(
    parameters=ProtocolParameters(
        confidence=Confidence(rule="stake_share", value=500_000),
        stakeholders=3,
        slot_ns=1_000_000_000,
        declarations_per_slot=2_000_000,
        headers_per_slot=500_000,
        max_transactions=100,
        rewards=SHARES,
    ),
    job=TrainingJob(
        layers=(128, 64),
        activation="relu",
        optimizer="adam",
        learning_rate=0.001,
        loss="sparse_categorical_crossentropy",
        dataset="mnist",
        dataset_digest=WEIGHTS,
        weights_seed=1,
        order_seed=2,
        batch_size=32,
        steps_per_stage=4,
        stages=5,
        profile="vector",
    ),
    accounts=tuple(
        GenesisAccount(account=owner, balance=50_000_000, stake=STAKES.get_stake(owner)) for owner in OWNERS
    ),
    seed=7,
)
TOLERANT: Final = msgspec.structs.replace(GENESIS, tolerance=10_000)
CHAIN: Final = compute_chain_id(GENESIS)
SECRET: Final = compute_training_secret(CHAIN, 1, CHAIN, LOSSES)


def build_messages() -> dict[str, Message]:
    """Return one signed message of each kind."""
    transaction = Transaction(author=OWNERS[0], nonce=0, recipient=OWNERS[1], amount=5_000, fee=7)
    declarations = tuple(
        pair.sign(
            CHAIN,
            TrainingDeclaration(
                height=1,
                parent=CHAIN,
                slot=3,
                author=pair.public,
                weights_digest=WEIGHTS,
                profile="vector",
                commitment=commit(pair, CHAIN, 1, CHAIN, SECRET),
            ),
        )
        for pair in KEYS[:3]
    )
    header = KEYS[0].sign(
        CHAIN,
        BlockHeader(
            height=1,
            parent=CHAIN,
            slot=300,
            author=OWNERS[0],
            weights_digest=WEIGHTS,
            training_secret=SECRET,
            declarations=declarations,
        ),
    )
    digest = compute_content_hash(CHAIN, header)
    signature = StakeholderSignature(height=1, parent=CHAIN, header=digest, author=OWNERS[1])
    block = WrappedBlock(
        header=header,
        signatures=(KEYS[1].sign(CHAIN, signature),),
        transactions=(KEYS[0].sign(CHAIN, transaction),),
        coinbase=(Payout(account=OWNERS[0], amount=1), Payout(account=OWNERS[1], amount=2**40)),
        author=OWNERS[2],
    )
    unsigned: tuple[Message, ...] = (
        transaction,
        declarations[0],
        header,
        signature,
        block,
        HeadAnnouncement(height=1, head=digest, author=OWNERS[0]),
        BlockRequest(locator=(digest, CHAIN), author=OWNERS[3]),
        BlockResponse(blocks=(KEYS[2].sign(CHAIN, block),), author=OWNERS[0]),
    )
    by_owner = {pair.public: pair for pair in KEYS}
    return {message.kind: by_owner[message.author].sign(CHAIN, message) for message in unsigned}


def build_message_vectors() -> Vectors:
    """Return frame, content hash and signature of every message."""
    return {
        kind: {
            "author": message.author.hex(),
            "frame": encode_frame(CHAIN, message).hex(),
            "content_hash": compute_content_hash(CHAIN, message).hex(),
            "signature": message.signature.hex(),
        }
        for kind, message in build_messages().items()
    }


def build_hash_vectors() -> Vectors:
    """Return the chain id and a hash under every purpose tag, of no part, one part and two."""
    parts: tuple[tuple[bytes, ...], ...] = ((), (b"",), (b"pot", b"\x00"))
    domains = {name: [compute_hash(tag, *some).hex() for some in parts] for name, tag in TAGS.items()}
    return {
        "genesis": encode_genesis(GENESIS).hex(),
        "chain_id": CHAIN.hex(),
        "genesis_with_tolerance": encode_genesis(TOLERANT).hex(),
        "chain_id_with_tolerance": compute_chain_id(TOLERANT).hex(),
        "tags": {name: tag.decode() for name, tag in TAGS.items()},
        "hashes": domains,
        "public_keys": [owner.hex() for owner in OWNERS],
    }


def build_training_vectors() -> Vectors:
    """Return training secrets and commitments to them."""
    steps = [compute_training_secret(CHAIN, 1, CHAIN, LOSSES[: 4 * count]).hex() for count in range(5)]
    return {
        "losses": LOSSES.hex(),
        "secret_after_each_step": steps,
        "secret_on_another_parent": compute_training_secret(CHAIN, 2, WEIGHTS, LOSSES).hex(),
        "commitments": [commit(pair, CHAIN, 1, CHAIN, SECRET).hex() for pair in KEYS],
    }


def build_lottery_vectors() -> Vectors:
    """Return targets, won slots and stakeholders."""
    draws = {
        name: {
            owner.hex(): [
                slot
                for slot in range(64)
                if is_slot_won(TAGS[name], STAKES, 500_000, parent=CHAIN, height=1, slot=slot, author=owner)
            ]
            for owner in OWNERS
        }
        for name in ("DECLARATION_LOTTERY", "HEADER_LOTTERY")
    }
    headers = (CHAIN, WEIGHTS, SECRET)
    return {
        "targets": [hex(compute_target(stake, 10_000, 500_000)) for stake in (1, 2_000, 10_000)],
        "won_slots": draws,
        "stakeholders": {item.hex(): [one.hex() for one in follow_the_coin(item, STAKES, 3)] for item in headers},
    }


def build_money_vectors() -> Vectors:
    """Return subsidies and one whole coinbase."""
    coinbase = compute_coinbase(1, 7, SHARES, proposer=OWNERS[0], declarers=OWNERS[:3], stakeholders=OWNERS[1:])
    return {
        "subsidies": {str(height): compute_subsidy(height) for height in (1, 2, 5, 100, 1_000_000)},
        "coinbase": {line.account.hex(): line.amount for line in coinbase},
    }


REPAIRED: Final = msgspec.structs.replace(GENESIS, repairs=VERSION_2)
CHAIN_2: Final = compute_chain_id(REPAIRED)
SECRET_2: Final = compute_training_secret(CHAIN_2, 1, CHAIN_2, LOSSES)


TRANSFER_2: Final = KEYS[1].sign(
    CHAIN_2, Transaction(author=OWNERS[1], nonce=0, recipient=OWNERS[2], amount=5_000, fee=7)
)


def build_block_2() -> WrappedBlock:
    """Return a block of version 2 that everybody has signed whose word it needs, but that won no lottery."""
    pot = ProofOfTraining(REPAIRED)
    rules, by_owner = Rules(pot), {pair.public: pair for pair in KEYS}
    secrets = {owner: compute_own_secret(SECRET_2, owner) for owner in OWNERS}
    declarations = tuple(
        pair.sign(
            CHAIN_2,
            TrainingDeclaration(
                height=1,
                parent=CHAIN_2,
                slot=3,
                author=pair.public,
                weights_digest=WEIGHTS,
                profile="vector",
                commitment=commit(pair, CHAIN_2, 1, CHAIN_2, secrets[pair.public]),
            ),
        )
        for pair in KEYS[:3]
    )
    header = KEYS[0].sign(
        CHAIN_2,
        build_header(
            pot,
            rules.origin,
            OwnTraining(weights_digest=WEIGHTS, secret=SECRET_2),
            declarations,
            (TRANSFER_2,),
            author=OWNERS[0],
            slot=300,
        ),
    )
    stakeholders = pot.draw_stakeholders(rules, rules.origin, header)
    signatures = [
        by_owner[owner].sign(CHAIN_2, build_signature(pot, rules, header, owner, secrets[owner]))
        for owner in stakeholders[:-1]
    ]
    wrapper = stakeholders[-1]
    block = build_block(pot, header, stakeholders, signatures, (), stakes=STAKES, secret=secrets[wrapper])
    return by_owner[wrapper].sign(CHAIN_2, block)


def build_late_block() -> LateBlock[WrappedBlock]:
    """Return the same block with two witnesses' words."""
    block = build_block_2()
    digest = settling.compute_sighting_digest(CHAIN_2, compute_content_hash(CHAIN_2, block))
    seen = tuple(Sighting(witness=pair.public, signature=pair.sign_hash(digest)) for pair in KEYS[1:3])
    return KEYS[3].sign(CHAIN_2, LateBlock(block=block, sightings=seen, author=OWNERS[3]))


def build_version_2_vectors() -> Vectors:
    """Return what version 2 of the rules adds or changes; everything else is as in version 1."""
    parts: tuple[tuple[bytes, ...], ...] = ((), (b"",), (b"pot", b"\x00"))
    block = build_block_2()
    pot = ProofOfTraining(REPAIRED)
    lotteries = ("SEEDED_DECLARATION_LOTTERY", "SEEDED_HEADER_LOTTERY")
    return {
        "genesis": encode_genesis(REPAIRED).hex(),
        "chain_id": CHAIN_2.hex(),
        "tags": {name: tag.decode() for name, tag in TAGS_2.items()},
        "hashes": {name: [compute_hash(tag, *some).hex() for some in parts] for name, tag in TAGS_2.items()},
        "won_slots": {
            name: {
                owner.hex(): [
                    slot
                    for slot in range(64)
                    if has_winning_ticket(TAGS_2[name], STAKES, 500_000, seed=CHAIN_2, slot=slot, author=owner)
                ]
                for owner in OWNERS
            }
            for name in lotteries
        },
        "own_secrets": {owner.hex(): compute_own_secret(SECRET_2, owner).hex() for owner in OWNERS},
        "block": encode_frame(CHAIN_2, block).hex(),
        "block_hash": compute_content_hash(CHAIN_2, block).hex(),
        "rank": pot.rank(Rules(pot), block).hex(),
        "signature": encode_frame(CHAIN_2, block.signatures[0]).hex(),
        "coinbase": {line.account.hex(): line.amount for line in block.coinbase},
        "late_block": encode_frame(CHAIN_2, build_late_block()).hex(),
        "witnesses": [owner.hex() for owner in settling.draw_witnesses(CHAIN_2, STAKES)],
    }


BUILDERS: Final[dict[str, Callable[[], Vectors]]] = {
    "hashes": build_hash_vectors,
    "lottery": build_lottery_vectors,
    "messages": build_message_vectors,
    "money": build_money_vectors,
    "stamps": build_stamp_vectors,
    "training": build_training_vectors,
    "version_2": build_version_2_vectors,
    "work": build_work_vectors,
    "bft": build_bft_vectors,
    "stake": build_stake_vectors,
    "activity": build_activity_vectors,
    "models": build_model_vectors,
    "optimizers": build_optimizer_vectors,
}


def read_vectors(name: str) -> Vectors:
    """Return one frozen file."""
    vectors: Vectors = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return vectors


@pytest.mark.parametrize("name", BUILDERS)
def test_today_gives_the_frozen_vectors(name: str) -> None:
    assert BUILDERS[name]() == read_vectors(name)


def test_there_is_no_frozen_file_without_a_test_and_none_names_a_machine() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(BUILDERS)
    for path in FOLDER.iterdir():
        text = path.read_text("utf-8")
        assert not any(sign in text for sign in ("/home", "/tmp", "/work", "\\")), path.name  # noqa: S108 - looked for


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_a_frozen_frame_decodes_to_a_signed_message(kind: str) -> None:
    vector = read_vectors("messages")[kind]
    assert isinstance(vector, dict)
    frame = bytes.fromhex(vector["frame"])
    message = decode_frame(CHAIN, frame)
    assert message == build_messages()[kind]
    assert verify(message.author, compute_content_hash(CHAIN, message), message.signature)


def test_hashes_and_commitments_are_those_of_the_written_definitions() -> None:
    """The definitions once more by hand, so that a wrong file cannot be written without noticing."""

    def sha(tag: str, *parts: bytes) -> bytes:
        data = [tag.encode(), *parts]
        return hashlib.sha256(b"".join(struct.pack(">I", len(part)) + part for part in data)).digest()

    height = struct.pack(">I", 1)
    job = msgspec.structs.astuple(GENESIS.job)[
        :-2
    ]  # a job says nothing of the model that all had at first, and of no settings
    agreed = (GENESIS.parameters, job, GENESIS.accounts, GENESIS.seed)
    assert sha("pot/genesis/1", encode(agreed)) == CHAIN
    assert sha("pot/genesis/1", encode((*agreed, 10_000))) == compute_chain_id(TOLERANT)
    assert msgspec.msgpack.decode(encode(agreed), type=TrainingGenesis) == GENESIS
    assert msgspec.msgpack.decode(encode((*agreed, 10_000)), type=TrainingGenesis) == TOLERANT
    secret = sha("pot/secret/1", CHAIN, height, CHAIN)
    for start in range(0, len(LOSSES), 4):
        secret = sha("pot/secret-step/1", LOSSES[start : start + 4], secret)
    assert secret == SECRET
    assert commit(KEYS[0], CHAIN, 1, CHAIN, SECRET) == KEYS[0].sign_hash(
        sha("pot/commitment/1", CHAIN, height, CHAIN, SECRET)
    )
    for kind, message in build_messages().items():
        blank = msgspec.structs.replace(message, signature=bytes(64))
        assert compute_content_hash(CHAIN, message) == sha("pot/message/1", CHAIN, encode(blank)), kind
    for slot in range(20):
        draw = sha("pot/header-lottery/1", CHAIN, height, struct.pack(">Q", slot), OWNERS[3])
        wins = int.from_bytes(draw, "big") * 10_000 * 1_000_000 < 2**256 * 4_000 * 500_000
        assert wins == is_slot_won(HEADER_LOTTERY, STAKES, 500_000, parent=CHAIN, height=1, slot=slot, author=OWNERS[3])
    coin = int.from_bytes(sha("pot/follow-the-coin/1", WEIGHTS, struct.pack(">I", 0)), "big") % 10_000
    owner = next(owner for owner, end in zip(OWNERS, (1_000, 3_000, 6_000, 10_000), strict=True) if coin < end)
    assert follow_the_coin(WEIGHTS, STAKES, 1) == (owner,)


def test_version_2_is_that_of_the_written_definitions() -> None:
    def sha(tag: str, *parts: bytes) -> bytes:
        data = [tag.encode(), *parts]
        return hashlib.sha256(b"".join(struct.pack(">I", len(part)) + part for part in data)).digest()

    names = [repair.value for repair in VERSION_2]
    assert names[:3] == ["seeded_draws", "single_rights", "ranked_ties"]
    assert names[3:] == ["open_rounds", "own_secrets", "pay_by_stake", "funded_accounts"]
    job = msgspec.structs.astuple(GENESIS.job)[
        :-2
    ]  # a job says nothing of the model that all had at first, and of no settings
    agreed = (GENESIS.parameters, job, GENESIS.accounts, GENESIS.seed, 0, names)
    assert sha("pot/genesis/1", encode(agreed)) == CHAIN_2
    assert msgspec.msgpack.decode(encode(agreed), type=TrainingGenesis) == REPAIRED
    block = build_block_2()
    header, slot = block.header, struct.pack(">Q", block.header.slot)
    assert header.training_secret == sha("pot/own-secret/2", SECRET_2, header.author)
    ticket = sha("pot/header-lottery/2", CHAIN_2, slot, header.author)
    pot = ProofOfTraining(REPAIRED)
    assert pot.rank(Rules(pot), block) == slot + ticket
    drawn_by = sha("pot/stakeholders/2", CHAIN_2, slot, header.author)
    assert (*(item.author for item in block.signatures), block.author) == follow_the_coin(drawn_by, STAKES, 3)
    proposing, declaring = (compute_subsidy(1) * share // 1_000_000 for share in (400_000, 300_000))
    paid = {line.account: line.amount for line in block.coinbase}
    listed = [STAKES.get_stake(owner) for owner in OWNERS[:3]]
    earned = proposing * sum(listed) // 10_000 + sum(declaring * stake // 10_000 for stake in listed)
    assert sum(paid.values()) == compute_subsidy(1) - proposing - declaring + earned + TRANSFER_2.fee
    assert isinstance(block, TrainedBlock)
    assert block.transactions == (TRANSFER_2,)
    assert block.header.transactions == ()
    assert block.header.body == sha("pot/body/2", encode(block.transactions))
    block_hash = sha("pot/message/1", CHAIN_2, encode(msgspec.structs.replace(header, signature=bytes(64))))
    assert compute_content_hash(CHAIN_2, block) == block_hash
    blank = msgspec.structs.replace(block, signature=bytes(64), transactions=())
    assert verify(block.author, sha("pot/message/1", CHAIN_2, encode(blank)), block.signature)
    assert settling.draw_witnesses(CHAIN_2, STAKES) == follow_the_coin(sha("pot/witnesses/2", CHAIN_2), STAKES, 4)
    seen = sha("pot/sighting/2", CHAIN_2, block_hash)
    assert all(verify(item.witness, seen, item.signature) for item in build_late_block().sightings)


def test_purpose_tags_are_distinct_and_framing_keeps_parts_apart() -> None:
    assert len({*TAGS.values(), *TAGS_2.values()}) == len(TAGS) + len(TAGS_2)
    lists = [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc"), (framed(b"ab", b"c"),)]
    assert len({framed(*parts) for parts in lists}) == len(lists)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    FOLDER.mkdir(exist_ok=True)
    for file_name, build in BUILDERS.items():
        text_of_file = json.dumps(build(), indent=1, sort_keys=True) + "\n"
        (FOLDER / f"{file_name}.json").write_text(text_of_file, "utf-8")
