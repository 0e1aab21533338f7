"""What drawn scenarios of work look like."""

from collections.abc import Sequence
from math import log2
from random import Random
from typing import Any, Final

from simulation.commands.checks import SLOTS_MS, SoakDraws

INTERVALS_MS: Final = (200.0, 2_000.0, 30_000.0)
"""From where blocks are often rivals to where agreement is promised over links that lose some."""

SPEEDS: Final = (0.5, 1.0, 2.0)
HONEST_SPEEDS: Final = (1.0, 2.0, 4.0)
"""So honest power is most often the majority, and a promise is there to be broken."""

MOST_BLOCKS: Final = 14
"""Blocks are cheap here, and many are enough for some to become final."""

HASHED_SHARE: Final = 0.1
"""Share of scenarios in which nonces are really looked for."""

HASHED_RATE: Final = 20.0
"""Tries of such a node in a second: a block then takes some thousands, which is a matter of milliseconds."""


class WorkDraws(SoakDraws):
    """Draws intervals, targets and how they follow the blocks, what is paid, and how fast nodes are."""

    def draw_population(self, rng: Random, population: dict[str, Any]) -> dict[str, Any]:
        """Return a population of some speed, which is what counts in place of its stake."""
        speeds = HONEST_SPEEDS if population["role"] == "honest" else SPEEDS
        return {**population, "speed": rng.choice(speeds)}

    def draw_sections(self, rng: Random, populations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the keys of work; a first target is near what the interval asks for, up to four times off."""
        interval_ms = rng.choice(INTERVALS_MS)
        is_hashed = rng.random() < HASHED_SHARE
        rate = HASHED_RATE if is_hashed else rng.choice([100.0, 20_000.0])
        tries = rate * sum(item["count"] * item["speed"] for item in populations) * interval_ms / 1e3
        off = max(8, round(tries * rng.choice([0.25, 1.0, 4.0])))
        first: dict[str, Any] = rng.choice([{}, {"expected_hashes": off}, {"zero_bits": round(log2(off))}])
        keys = {
            "name": self.mechanism,
            "length": rng.randint(1, MOST_BLOCKS),
            "interval_ms": interval_ms,
            "hash_rate": rate,
            "window": rng.choice([0, 2, 5, 16]),
            "clamp": rng.choice([2, 4]),
            "hash": rng.choice(["sha256", "sha512"]),
            "reward": rng.choice(["issuance", "fees", "both"]),
            "virtual_work": "hashed" if is_hashed else "drawn",
        }
        return {"mechanism": {**keys, **first}, "protocol": {"slot_ms": rng.choice(SLOTS_MS)}}
