"""What drawn scenarios of a chain by stake look like."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from simulation.commands.checks import SLOTS_MS, SoakDraws

MOST_BLOCKS: Final = 14
"""Blocks are cheap here, and many are enough for some to become final."""


class StakeDraws(SoakDraws):
    """Draws what leaders are drawn by, for how long coins are locked, what they may lose, and what is paid."""

    def draw_sections(self, rng: Random, populations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the keys of a chain by stake."""
        keys = {
            "name": self.mechanism,
            "length": rng.randint(1, MOST_BLOCKS),
            "drawn_by": rng.choice(["reveals", "reveals", "parent_hash"]),
            "epoch_slots": rng.choice([1, 2, 5, 16]),
            "unbonding_blocks": rng.choice([0, 3, 64]),
            "slashing": rng.choice([True, False]),
            "slashed_share": rng.choice([0.05, 1.0]),
            "reward": rng.choice(["issuance", "fees", "both"]),
        }
        return {"mechanism": keys, "protocol": {"slot_ms": rng.choice(SLOTS_MS)}}
