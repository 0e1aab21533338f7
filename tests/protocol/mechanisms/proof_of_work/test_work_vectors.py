"""What `tests.protocol.test_vectors` freezes of proof of work: guesses, headers and targets."""

import hashlib
from typing import Any, Final

import pytest

from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_work.difficulty import adjust, find_target, find_target_of_bits, round_to_bits
from protocol.mechanisms.proof_of_work.genesis import Difficulty, HashName
from protocol.mechanisms.proof_of_work.work import (
    HASHES,
    SearchNonce,
    compute_guess,
    compute_header_digest,
    compute_stand_in,
    search,
)
from protocol.messages import Transaction
from protocol.rules import Rules
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.support.core import keys

DIGEST: Final = hashlib.sha256(b"payload").digest()
NONCES: Final = (0, 1, 255, 2**40, 2**62 - 1)
RULES: Final = Difficulty(first_target=1, is_in_bits=False, interval_ns=1_000, window=10, clamp=4)
BITS: Final = Difficulty(first_target=1, is_in_bits=True, interval_ns=1_000, window=10, clamp=4)


def make_header(hash_name: HashName) -> dict[str, Any]:
    """Return the digests of the first block of a small chain, and the first nonce that does for it."""
    mechanism = make_work(hash_name=hash_name)
    rules = Rules(mechanism)
    origin: ChainRecord = rules.origin
    paid = Transaction(author=keys(1).public, nonce=0, recipient=keys(2).public, amount=5, fee=1)
    template = mechanism.build_template(origin, keys(0).public, 3, (keys(1).sign(rules.chain_id, paid),))
    digest = compute_header_digest(rules.chain_id, template)
    return {
        "chain_id": rules.chain_id.hex(),
        "body": template.body.hex(),
        "header": digest.hex(),
        "nonce": search(hash_name, SearchNonce(digest, template.target, 0), 10_000).nonce,
        "stand_in": compute_stand_in(digest),
        "block": rules.hash_message(template).hex(),
    }


def build_work_vectors() -> dict[str, object]:
    """Return all that is frozen."""
    start = 2**48
    return {
        "guesses": {name: {str(nonce): compute_guess(name, nonce, DIGEST) for nonce in NONCES} for name in HASHES},
        "headers": {name: make_header(name) for name in HASHES},
        "targets": {
            "of_hashes": {str(count): find_target(count) for count in (1, 4, 1_000, 10**8, 2**64)},
            "of_bits": {str(bits): find_target_of_bits(bits) for bits in (2, 16, 64)},
            "rounded": {str(target): round_to_bits(target) for target in (1, 2, 3, 5, 6, 90, 91, 2**62)},
            "adjusted": {str(ns): adjust(RULES, start, ns) for ns in (0, 2_500, 9_999, 10_000, 13_000, 10**9)},
            "adjusted_in_bits": {str(ns): adjust(BITS, start, ns) for ns in (0, 5_000, 10_000, 14_200, 10**9)},
        },
    }


@pytest.mark.parametrize(("name", "hashed"), [("sha256", hashlib.sha256), ("sha512", hashlib.sha512)])
def test_a_guess_is_what_its_definition_says(name: HashName, hashed: Any) -> None:
    """Nonce in eight bytes before the digest, hashed twice; the first eight bytes of that."""
    for nonce in NONCES:
        whole = hashed(hashed(nonce.to_bytes(8, "big") + DIGEST).digest()).hexdigest()
        assert compute_guess(name, nonce, DIGEST) == int(whole[:16], 16)
