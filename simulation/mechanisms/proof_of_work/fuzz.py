"""Firing at a miner: blocks that are worked for, whatever they say."""

from random import Random
from typing import Any, Final

import msgspec

from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_work.genesis import WorkGenesis
from protocol.mechanisms.proof_of_work.mechanism import as_work
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.work import (
    SearchNonce,
    compute_body_digest,
    compute_header_digest,
    compute_stand_in,
    search,
)
from protocol.messages import AnyBlock
from protocol.types import Hash32
from simulation.commands.checks.fuzzing import Forge, FuzzKit

INTERVAL_MS: Final = 2_000.0
HASH_RATE: Final = 20.0
"""Tries of a node in a second: a block takes some hundred, so that whoever forges one can really hash."""

MOST_TRIES: Final = 2_000
"""How many nonces are tried for a forged block; where none does it has a wrong one."""


class WorkFuzz(FuzzKit):
    """Works for blocks that nobody honest would work for."""

    def draw_sections(self, rng: Random) -> dict[str, Any]:
        """Return a chain on which the target changes, with nonces or with stand-ins."""
        keys = {
            "name": self.mechanism,
            "length": rng.randint(4, 8),
            "interval_ms": INTERVAL_MS,
            "hash_rate": HASH_RATE,
            "window": rng.choice([0, 2, 3]),
            "hash": rng.choice(["sha256", "sha512"]),
            "reward": rng.choice(["issuance", "fees", "both"]),
            "virtual_work": rng.choice(["drawn", "hashed"]),
        }
        first: dict[str, Any] = rng.choice([{}, {"zero_bits": 7}])
        rules = {"slot_ms": rng.choice([100.0, 500.0]), "max_transactions": 3}
        return {"mechanism": {**keys, **first}, "protocol": rules}

    def complete(self, forge: Forge, parent: ChainRecord, block: AnyBlock) -> AnyBlock:
        """Return a block that is worked for: most often its target and body are right as well, so that work counts.

        Raises:
            TypeError: It is no block of proof of work.
        """
        if not isinstance(block, WorkedBlock):
            raise TypeError(f"no block of proof of work: {block!r}")
        work, rng = as_work(forge.rules.mechanism), forge.rng
        if rng.random() < 0.8:
            target, window_start = work.find_difficulty(parent)
            block = msgspec.structs.replace(block, target=target, window_start=window_start)
        if rng.random() < 0.9:
            block = msgspec.structs.replace(block, body=compute_body_digest(block.transactions))
        nonce = find_nonce(work.genesis, compute_header_digest(forge.rules.chain_id, block), block.target)
        return self.pay(forge, parent, msgspec.structs.replace(block, nonce=nonce))


def find_nonce(genesis: WorkGenesis, digest: Hash32, target: int) -> int:
    """Return a nonce that does, or a wrong one where none is found in time."""
    if genesis.proof == "stand_in":
        return compute_stand_in(digest)
    return search(genesis.hash_name, SearchNonce(digest, target, 0), MOST_TRIES).nonce or 0
