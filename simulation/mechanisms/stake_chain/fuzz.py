"""Firing at a validator: blocks of leaders that open the right secret and say what they like, and accusations."""

from random import Random
from typing import Any

import msgspec

from protocol.events import ChainRecord
from protocol.mechanisms.stake_chain.mechanism import StakeChain, as_stake_chain
from protocol.mechanisms.stake_chain.messages import (
    Evidence,
    StakedBlock,
    compute_body_digest,
    get_header,
)
from protocol.mechanisms.stake_chain.secrets import Secrets
from protocol.messages import AnyBlock
from simulation.commands.checks.fuzzing import Forge, FuzzKit


class StakeFuzz(FuzzKit):
    """Knows who leads, what it has to open, and how an author accuses itself."""

    def draw_sections(self, rng: Random) -> dict[str, Any]:
        """Return a chain of short epochs, on which one node bonds coins and another one takes its own out."""
        keys = {
            "name": self.mechanism,
            "length": rng.randint(4, 8),
            "drawn_by": rng.choice(["reveals", "parent_hash"]),
            "epoch_slots": rng.choice([1, 4]),
            "unbonding_blocks": rng.choice([0, 2, 64]),
            "slashing": rng.random() < 0.8,
            "slashed_share": rng.choice([0.1, 1.0]),
            "reward": rng.choice(["issuance", "fees", "both"]),
            "deposits": [{"node": "node-1", "at_s": 0.1, "coins": 5.0}],
            "withdrawals": [{"node": "node-2", "at_s": 0.1, "coins": rng.choice([2.0, 10.0])}],
        }
        return {"mechanism": keys, "protocol": {"slot_ms": rng.choice([500.0, 1_000.0]), "max_transactions": 3}}

    def can_go_on(self, head: ChainRecord) -> bool:
        """Return whether anything is left at stake: who is fuzzed in everybody's name may cost everybody all of it."""
        return head.state.stakes.total > 0

    def complete(self, forge: Forge, parent: ChainRecord, block: AnyBlock) -> AnyBlock:
        """Return a block of the leader of its slot, most often: with the secret that it has to open.

        Raises:
            TypeError: It is no block of a chain by stake.
        """
        if not isinstance(block, StakedBlock):
            raise TypeError(f"no block of a chain by stake: {block!r}")
        stake, rng = as_stake_chain(forge.rules.mechanism), forge.rng
        if rng.random() < 0.3:
            accusations = tuple(accuse(forge) for _ in range(rng.choice((1, 1, 2, 5))))
            block = msgspec.structs.replace(block, evidence=rng.choice((accusations, accusations[:1] * 2)))
        if rng.random() < 0.8:
            block = _lead(forge, stake, parent, block)
        if rng.random() < 0.9:
            body = compute_body_digest(block.transactions, block.evidence)
            block = msgspec.structs.replace(block, body=body)
        return self.pay(forge, parent, block)


def _lead(forge: Forge, stake: StakeChain, parent: ChainRecord, block: StakedBlock) -> StakedBlock:
    """Return a block in the name of whoever leads its slot, or the next one after the parent's."""
    slot = max(block.slot, parent.slot + 1)
    author = stake.find_draw(forge.rules, parent, slot // stake.epoch_slots).find_leader(slot)
    pair = forge.keys.get(author) if author is not None else None
    if pair is None:
        return block
    mark = stake.find_books(forge.rules, parent).marks.get(pair.public)
    secrets = Secrets(pair, forge.rules.chain_id, forge.rules.chain.length)
    reveal = secrets.get(mark.made if mark is not None else 0) if stake.is_seeded else block.reveal
    return msgspec.structs.replace(block, slot=slot, author=pair.public, reveal=reveal)


def accuse(forge: Forge) -> Evidence:
    """Return evidence against the author of a block, which it has made itself, or a changed one."""
    block = forge.rng.choice(forge.seen.find(StakedBlock))
    other = forge.sign_as_author(msgspec.structs.replace(block, body=forge.rng.randbytes(len(block.body))))
    first, second = sorted((block, other), key=forge.rules.hash_message)
    evidence = Evidence(first=get_header(first), second=get_header(second))
    return evidence if forge.rng.random() < 0.7 else forge.alter(evidence)
