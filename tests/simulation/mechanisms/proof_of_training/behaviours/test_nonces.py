"""Signatures with chosen nonces, and hashes as a function of one of them."""

import hashlib

import msgspec
import pytest

from protocol.crypto import MESSAGE, KeyPair, compute_content_hash, compute_hash, verify
from protocol.messages import Transaction
from protocol.verdicts import ACCEPT
from simulation.mechanisms.proof_of_training.behaviours.nonces import HashWithout, NonceSigner
from tests.support.core import Scene, keys

SEED = hashlib.sha256(b"test/1").digest()


def test_each_number_gives_another_signature_and_all_of_them_are_right() -> None:
    signer, digest = NonceSigner(SEED), compute_hash(MESSAGE, b"anything")
    signatures = {signer.sign_hash(digest, number) for number in range(50)}
    assert len(signatures) == 50
    assert signer.public == KeyPair(SEED).public
    assert all(verify(signer.public, digest, item) for item in signatures)
    other = compute_hash(MESSAGE, b"something else")
    assert not any(verify(signer.public, other, item) for item in signatures)


def test_what_is_signed_again_has_the_same_hash_but_what_holds_it_has_another_and_is_valid() -> None:
    scene = Scene()
    header, chain_id = scene.header(), scene.chain_id
    first = next(item for item in header.declarations if item.author == keys(1).public)
    again = NonceSigner(SEED).sign(chain_id, first, 7)
    assert compute_content_hash(chain_id, again) == compute_content_hash(chain_id, first)
    declarations = tuple(again if item is first else item for item in header.declarations)
    changed = scene.sign(msgspec.structs.replace(header, declarations=declarations))
    hashing = HashWithout(chain_id, header, first.signature)
    assert hashing.compute(first.signature) == compute_content_hash(chain_id, header)
    assert hashing.compute(again.signature) == compute_content_hash(chain_id, changed)
    assert compute_content_hash(chain_id, changed) != compute_content_hash(chain_id, header)
    assert scene.judge(changed) is ACCEPT


def test_a_hash_that_does_not_depend_on_a_signature_is_no_function_of_it() -> None:
    transfer = Transaction(author=SEED, nonce=0, recipient=SEED, amount=0, fee=0)
    with pytest.raises(ValueError, match="this transaction does not depend"):
        HashWithout(bytes(32), transfer, bytes([1]) * 64)
