"""Small chains by work: easy to find blocks for, and different in what a test is about."""

from typing import Any

import msgspec

from protocol.genesis import ChainRules, GenesisAccount
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.mechanisms.proof_of_work.difficulty import find_target
from protocol.mechanisms.proof_of_work.genesis import Difficulty, WorkGenesis
from tests.support.core import SLOT_NS, keys

HASHES = 400
"""Hashes that a block takes on average."""


def make_work(nodes: int = 3, length: int = 4, **changes: Any) -> ProofOfWork:
    """Return the mechanism of a chain; ``changes`` replace fields of the genesis or of its difficulty."""
    accounts = [GenesisAccount(account=keys(index).public, balance=50_000_000, stake=0) for index in range(nodes)]
    accounts.sort(key=lambda line: line.account)
    difficulty = Difficulty(
        first_target=find_target(HASHES), is_in_bits=False, interval_ns=2 * SLOT_NS, window=2, clamp=4
    )
    own = {name: changes.pop(name) for name in list(changes) if name in Difficulty.__struct_fields__}
    start = WorkGenesis(
        chain=ChainRules(slot_ns=SLOT_NS, max_transactions=100, length=length),
        accounts=tuple(accounts),
        seed=7,
        hash_name="sha256",
        difficulty=msgspec.structs.replace(difficulty, **own),
        reward="both",
        proof="hashes",
    )
    return ProofOfWork(msgspec.structs.replace(start, **changes))
