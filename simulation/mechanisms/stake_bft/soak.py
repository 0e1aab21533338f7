"""What drawn scenarios of votes of stake look like."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from simulation.commands.checks import SLOTS_MS, SoakDraws

MOST_BLOCKS: Final = 8


class BftDraws(SoakDraws):
    """Draws how long rounds take, how much longer each next one does, and who is paid."""

    def draw_sections(self, rng: Random, populations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the keys of votes of stake."""
        keys = {
            "name": self.mechanism,
            "length": rng.randint(1, MOST_BLOCKS),
            "interval_ms": rng.choice([0.0, 1_000.0]),
            "propose_ms": rng.choice([300.0, 1_000.0, 3_000.0]),
            "vote_ms": rng.choice([200.0, 500.0, 1_000.0]),
            "growth_ms": rng.choice([100.0, 500.0]),
            "reward": rng.choice(["proposer", "stake"]),
        }
        return {"mechanism": keys, "protocol": {"slot_ms": rng.choice(SLOTS_MS)}}
