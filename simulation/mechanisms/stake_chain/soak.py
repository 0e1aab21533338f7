"""What drawn scenarios of chain-based proof of stake look like."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from simulation.commands.checks import SLOTS_MS, SoakDraws

MOST_BLOCKS: Final = 14
"""Blocks are cheap here, and many are enough for some to become final."""


class StakeDraws(SoakDraws):
    """Draws epochs, how coins are locked and lost, and nodes that bond more or take some out."""

    def draw_sections(self, rng: Random, populations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the keys of a chain by stake, with deposits and withdrawals of honest nodes or without."""
        coins = populations[0]["stake"]
        deposits: list[dict[str, Any]] = [{"node": "honest-0", "at_s": rng.random(), "coins": rng.choice([1.0, coins])}]
        withdrawals: list[dict[str, Any]] = [{"node": "honest-1", "at_s": rng.random(), "coins": coins}]
        keys: dict[str, Any] = {
            "name": self.mechanism,
            "length": rng.randint(1, MOST_BLOCKS),
            "drawn_by": rng.choice(["reveals", "reveals", "parent_hash"]),
            "epoch_slots": rng.choice([1, 4, 16]),
            "unbonding_blocks": rng.choice([0, 3, 64]),
            "slashing": rng.random() < 0.8,
            "slashed_share": rng.choice([0.1, 1.0]),
            "reward": rng.choice(["issuance", "fees", "both"]),
            "deposits": rng.choice([[], deposits]),
            "withdrawals": rng.choice([[], withdrawals]),
        }
        slot_ms = rng.choice(SLOTS_MS)
        for item in (*deposits, *withdrawals):  # so far as a share of the time that the blocks take without empty slots
            item["at_s"] *= keys["length"] * slot_ms / 1e3
        return {"mechanism": keys, "protocol": {"slot_ms": slot_ms}}
