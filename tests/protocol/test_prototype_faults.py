"""What the closest prototype does not check, one test each, in the order of the reference list."""

import hashlib
from typing import Final

import msgspec
import pytest

from protocol.codec import encode, encode_frame
from protocol.crypto import compute_content_hash
from protocol.events import Broadcast, Timer, TimerFired
from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.messages import BlockHeader
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingReason
from protocol.mechanisms.proof_of_training.secret import commit, compute_training_secret
from protocol.messages import Transaction
from protocol.node import Node
from protocol.verdicts import ACCEPT, ChainReason, FrameReason, Ignore, LedgerReason, Reject
from tests.support.core import SLOT_NS, STRANGER, Scene, genesis, keys, train

UNKNOWN: Final = bytes([7]) * 32


def collude(scene: Scene, secret: bytes, authors: tuple[int, ...]) -> BlockHeader:
    """Return a header of authors who all commit to a secret that no training gave."""
    head = scene.head
    declarations = [
        scene.sign(
            msgspec.structs.replace(
                scene.declaration(author), commitment=commit(keys(author), scene.chain_id, 1, head.hash, secret)
            )
        )
        for author in authors
    ]
    declarations.sort(key=lambda item: item.author)
    header = scene.header(authors[0], ())
    return scene.sign(msgspec.structs.replace(header, training_secret=secret, declarations=tuple(declarations)))


def test_colluders_cannot_agree_on_an_invented_secret() -> None:
    """Point 1: the closest prototype compares commitments with the header's own secret, so three liars suffice."""
    scene = Scene(genesis(11))
    invented = collude(scene, UNKNOWN, (1, 2, 3))
    assert scene.judge(invented) == Reject(TrainingReason.DIFFERENT_SECRET)
    assert scene.judge(scene.block(invented)) == Reject(TrainingReason.DIFFERENT_SECRET)
    assert scene.judge(collude(scene, scene.secret(scene.head), (1, 2, 3))) == ACCEPT
    majority = Scene(genesis(11, confidence=Confidence(rule="stake_share", value=500_000)))
    assert majority.judge(majority.header(1, (1, 2, 3))) == Reject(TrainingReason.CONFIDENCE_NOT_REACHED)
    assert majority.judge(majority.header(1, range(5))) == Reject(TrainingReason.CONFIDENCE_NOT_REACHED)
    assert majority.judge(majority.header(1, range(6))) == ACCEPT


def test_declarations_of_one_author_count_once_and_none_are_not_enough() -> None:
    """Point 2: in the closest prototype one party may fill the whole quota, and an empty one passes as well."""
    scene = Scene()
    first, second = scene.declaration(1), scene.declaration(1, slot=20)
    for declarations in ((first, first), (first, second), (second, first)):
        header = msgspec.structs.replace(scene.header(1), declarations=declarations)
        assert scene.judge(scene.sign(header)) == Reject(TrainingReason.DECLARATIONS_NOT_DISTINCT)
    for few in ((), (first,)):
        header = msgspec.structs.replace(scene.header(1), declarations=few)
        assert scene.judge(scene.sign(header)) == Reject(TrainingReason.CONFIDENCE_NOT_REACHED)


def test_one_junk_declaration_does_not_make_an_honest_header_worthless() -> None:
    """Point 3: in the closest prototype an honest proposer copies junk into its header, which then fails for all."""
    scene = Scene()
    assert isinstance(scene.node, Node)
    junk = msgspec.structs.replace(scene.declaration(3), commitment=bytes(64))
    assert scene.judge(scene.sign(junk)) == Reject(TrainingReason.BAD_COMMITMENT)
    good = [scene.declaration(1), scene.declaration(2)]
    assert [scene.judge(item) for item in good] == [ACCEPT, ACCEPT]
    proposed: list[BlockHeader] = []
    for slot in range(401, 440):
        scene.now = slot * SLOT_NS
        commands = scene.handle(TimerFired(Timer(Right.PROPOSE, slot, scene.head.hash)))
        sent = [item.message for item in commands if isinstance(item, Broadcast)]
        proposed += [message for message in sent if isinstance(message, BlockHeader)]
    assert proposed, "the node won no slot to propose in"
    assert {item.author for item in good} <= {item.author for item in proposed[0].declarations}
    assert keys(3).public not in {item.author for item in proposed[0].declarations}
    assert Scene().judge(proposed[0]) == Ignore(ChainReason.FUTURE_SLOT)
    other = Scene()
    other.now = scene.now
    assert other.judge(proposed[0]) == ACCEPT


def test_rights_come_from_the_bond_in_the_parent_state() -> None:
    """Point 4: in the closest prototype a sender writes down its own stake, and any number is believed."""
    scene = Scene(genesis(5, stakes=[1_000_000, 1_000_000, 1_000_000, 1_000_000, 0]))
    rich = Scene(genesis(5))
    for message in (rich.declaration(4), rich.header(4, (1, 2))):
        moved = scene.sign(msgspec.structs.replace(message, parent=scene.head.hash))
        assert scene.judge(moved) == Reject(ChainReason.NOT_BONDED)
        stranger = scene.sign(msgspec.structs.replace(moved, author=keys(STRANGER).public))
        assert scene.judge(stranger) == Reject(ChainReason.NOT_BONDED)
    frame = encode_frame(scene.chain_id, scene.declaration(1))
    claim = frame.replace(b"\x99\xabdeclaration", b"\x9a\xabdeclaration") + encode(2**62)
    assert scene.judge(claim) == Reject(FrameReason.MALFORMED)


def test_a_right_cannot_be_ground_out_of_a_chosen_time() -> None:
    """Point 5: in the closest prototype the sender picks any time stamp it likes until the lottery is won."""
    scene = Scene()
    scene.grow()
    own = scene.declaration(1)
    odds = scene.genesis.parameters.declarations_per_slot / 1_000_000 / 5
    won = 0
    for slot in range(scene.head.slot - 3, 460):
        verdict = scene.judge(scene.sign(msgspec.structs.replace(own, slot=slot)))
        if slot < scene.head.slot:
            assert verdict == Reject(ChainReason.SLOT_BEFORE_PARENT)
        elif slot > 400:
            assert verdict == Ignore(ChainReason.FUTURE_SLOT)
        else:
            assert verdict in (Reject(ChainReason.LOTTERY_LOST), ACCEPT, Reject(ChainReason.EQUIVOCATION))
            won += verdict != Reject(ChainReason.LOTTERY_LOST)
    past = 401 - scene.head.slot
    assert abs(won - odds * past) < 4 * (past * odds * (1 - odds)) ** 0.5


@pytest.mark.parametrize("kept", [0, 1])
def test_a_block_needs_exactly_the_drawn_stakeholders_signatures(kept: int) -> None:
    """Point 6: in the closest prototype no signature at all is enough, and nobody asks who was drawn to sign."""
    scene = Scene()
    block = scene.block()
    chosen = scene.stakeholders(block.header)
    outsiders = [key for key in scene.keys if key not in chosen]
    few = msgspec.structs.replace(block, signatures=block.signatures[:kept])
    assert scene.judge(scene.sign(few)) == Reject(TrainingReason.WRONG_SIGNATURE_COUNT)
    swapped = (*block.signatures[:kept], *(scene.signature(block.header, key) for key in outsiders))[:2]
    other_signers = msgspec.structs.replace(block, signatures=swapped)
    assert scene.judge(scene.sign(other_signers)) == Reject(TrainingReason.NOT_A_STAKEHOLDER)
    renamed = tuple(msgspec.structs.replace(item, author=chosen[0]) for item in swapped)
    assert scene.judge(scene.sign(msgspec.structs.replace(block, signatures=renamed))) == Reject(
        ChainReason.BAD_SIGNATURE
    )
    assert scene.judge(block) == ACCEPT


def test_the_hash_of_an_empty_block_covers_all_of_it() -> None:
    """Point 7: in the closest prototype every block without transactions has the hash of the empty string."""
    scene = Scene()
    block = scene.block()
    assert block.transactions == ()
    header = block.header
    variants = [
        block,
        *(
            msgspec.structs.replace(block, header=msgspec.structs.replace(header, **change))
            for change in ({"parent": UNKNOWN}, {"height": 2}, {"slot": 1}, {"author": UNKNOWN}, {"declarations": ()})
        ),
        msgspec.structs.replace(block, signatures=()),
        msgspec.structs.replace(block, coinbase=()),
        msgspec.structs.replace(block, author=UNKNOWN),
    ]
    hashes = [compute_content_hash(scene.chain_id, item) for item in variants]
    assert len(set(hashes)) == len(variants)
    assert hashlib.sha256(b"").digest() not in hashes
    assert compute_content_hash(UNKNOWN, block) != hashes[0]


def test_a_block_has_one_hash_everywhere_and_never_changes_its_parent() -> None:
    """Point 8: in the closest prototype the local clock enters the hash, and a misfit block gets a new parent."""
    scenes = [Scene(), Scene()]
    scenes[1].now += 1_000 * SLOT_NS
    block = scenes[0].block()
    sibling = scenes[0].block(scenes[0].header(2))
    child = scenes[0]
    child.deliver(block)
    child.finish(1)
    grandchild = child.block(child.header(parent=child.node.tree.get(compute_content_hash(child.chain_id, block))))
    for scene in scenes:
        scene.finish(1)
        for item in (sibling, block, grandchild):
            scene.deliver(item)
        stored = scene.node.tree.get(compute_content_hash(scene.chain_id, grandchild))
        assert stored is not None
        assert stored.block == grandchild
        assert scene.head == stored
        assert [record.block for record in scene.node.tree.get_chain()[1:]] == [block, grandchild]
        assert scene.node.tree.require(stored.parent).block == block
    assert [record.hash for record in scenes[0].node.tree.get_chain()] == [
        record.hash for record in scenes[1].node.tree.get_chain()
    ]


def test_a_transfer_shows_no_private_key_is_signed_and_moves_money() -> None:
    """Point 9: in the closest prototype a transfer carries the payer's private key, no signature, and has no effect."""
    scene = Scene()
    payment = scene.transfer(1, 2, amount=1_000, fee=10)
    seed = hashlib.sha256(b"test/1").digest()
    assert keys(1).public == payment.author
    assert seed not in encode(payment)
    assert set(Transaction.__struct_fields__) == {"author", "nonce", "recipient", "amount", "fee", "signature"}
    unsigned = msgspec.structs.replace(payment, signature=bytes(64))
    assert scene.judge(unsigned) == Reject(ChainReason.BAD_SIGNATURE)
    for amount, verdict in ((-1, Reject(FrameReason.MALFORMED)), (50_000_001, Ignore(LedgerReason.OVERDRAFT))):
        assert scene.judge(scene.sign(msgspec.structs.replace(payment, amount=amount))) == verdict
    before = scene.head.state
    header = scene.header(3, (3, 4))
    block = scene.block(header, (payment,))
    scene.deliver(block)
    paid = {line.account: line.amount for line in block.coinbase}
    for owner, change in ((payment.author, -1_010), (payment.recipient, 1_000)):
        expected = before.get_account(owner).balance + change + paid.get(owner, 0)
        assert scene.head.state.get_account(owner).balance == expected
    assert scene.head.state.get_account(payment.author).nonce == 1


def test_frames_are_data_the_weights_are_checked_and_a_secret_belongs_to_one_parent() -> None:
    """Point 10: the closest prototype unpickles what a peer sends, ignores the model hash and binds no secret."""
    scene = Scene()
    pickled = b"cbuiltins\nexec\n(S'raise SystemExit'\ntR."
    assert scene.judge(pickled) == Reject(FrameReason.MALFORMED)
    other_model = msgspec.structs.replace(scene.header(), weights_digest=UNKNOWN)
    assert scene.judge(scene.sign(other_model)) == Reject(TrainingReason.DIFFERENT_WEIGHTS)
    losses = train(0).losses
    places = [(scene.chain_id, 1, scene.chain_id), (UNKNOWN, 1, scene.chain_id), (scene.chain_id, 2, scene.chain_id)]
    places.append((scene.chain_id, 1, UNKNOWN))
    assert len({compute_training_secret(*place, losses) for place in places}) == len(places)
    old = scene.declaration(1)
    scene.grow()
    replayed = msgspec.structs.replace(
        scene.declaration(1), commitment=old.commitment, weights_digest=train(1).weights_digest
    )
    assert scene.judge(scene.sign(replayed)) == Reject(TrainingReason.BAD_COMMITMENT)
