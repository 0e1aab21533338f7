"""What `tests.protocol.test_vectors` freezes of votes of stake: proposers, blocks, votes and certificates."""

import hashlib
from typing import Final

import msgspec

from protocol.codec import encode
from protocol.crypto import framed
from protocol.mechanisms.stake_bft.messages import NIL, NO_CERTIFICATE, Precommit, Prevote, Vote
from protocol.mechanisms.stake_bft.quorum import draw_proposer
from protocol.messages import Transaction
from protocol.stakes import StakeTable
from protocol.types import AccountId
from tests.protocol.mechanisms.stake_bft.chains import make_bft
from tests.protocol.mechanisms.stake_bft.scene import Scene
from tests.support.core import keys

PLACES: Final = ((1, 0), (1, 1), (2, 0), (2**31 - 1, 2**31 - 1))
STAKES: Final = StakeTable({keys(index).public: (index + 1) * 1_000_000 for index in range(4)})


def make_scene() -> Scene:
    return Scene(make_bft(4, stakes=[(index + 1) * 1_000_000 for index in range(4)]))


def make_vote(kind: type[Vote], scene: Scene, block: bytes, author: AccountId) -> Vote:
    return kind(height=1, parent=scene.rules.chain_id, round=0, block=block, author=author)


def build_bft_vectors() -> dict[str, object]:
    """Return all that is frozen."""
    scene = make_scene()
    rules, author = scene.rules, keys(1).public
    paid = Transaction(author=keys(1).public, nonce=0, recipient=keys(2).public, amount=5, fee=1)
    block = scene.block(transactions=(scene.sign(paid),))
    name = rules.hash_message(block)
    certified = msgspec.structs.replace(block, certificate=scene.certify(block))
    votes = {
        f"{kind.kind}_for_{what}": rules.hash_message(make_vote(kind, scene, chosen, author)).hex()
        for kind in (Prevote, Precommit)
        for what, chosen in (("block", name), ("nil", NIL))
    }
    return {
        "chain_id": rules.chain_id.hex(),
        "proposers": {f"{height}/{round_}": find_index(scene, height, round_) for height, round_ in PLACES},
        "body": block.body.hex(),
        "block": name.hex(),
        "signed_block": hashlib.sha256(encode(certified)).hexdigest(),
        "proposal": rules.hash_message(scene.proposal(block)).hex(),
        "votes": votes,
    }


def find_index(scene: Scene, height: int, round_: int) -> int:
    account = draw_proposer(scene.rules.chain_id, STAKES, height, round_)
    return next(index for index in range(4) if keys(index).public == account)


def test_hashes_and_draws_are_what_their_definitions_say() -> None:
    scene = make_scene()
    chain_id, block = scene.rules.chain_id, scene.block()
    drawn = hashlib.sha256(framed(b"pot/bft/proposer/1", chain_id, bytes([0, 0, 0, 1]), bytes(4))).digest()
    assert draw_proposer(chain_id, STAKES, 1, 0) == STAKES.get_owner(int.from_bytes(drawn, "big") % 10_000_000)
    assert block.body == hashlib.sha256(framed(b"pot/bft/body/1", encode(()))).digest()
    blank = msgspec.structs.replace(block, signature=bytes(64), certificate=NO_CERTIFICATE, transactions=())
    name = hashlib.sha256(framed(b"pot/message/1", chain_id, encode(blank))).digest()
    certified = msgspec.structs.replace(block, certificate=scene.certify(block))
    assert scene.rules.hash_message(block) == scene.rules.hash_message(certified) == name
    for item in certified.certificate.signatures:
        vote = make_vote(Precommit, scene, name, item.author)
        assert scene.rules.is_signed(msgspec.structs.replace(vote, signature=item.signature))
