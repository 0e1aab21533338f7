"""What a drawn scenario looks like under a mechanism: its part `soak`."""

from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar, Final

from simulation.foundation import find_part
from simulation.scenario import ROLES

LONG_SHARE: Final = 0.03
"""Share of drawn scenarios that are long enough for blocks to become final."""

SLOTS_MS: Final = (100.0, 500.0)


class SoakDraws:
    """Draws what is a mechanism's own; one that has no part `soak` has these: a length, and rules that all have."""

    roles: ClassVar[tuple[str, ...]] = ROLES
    """Roles that populations besides the honest one may have."""

    def __init__(self, mechanism: str, seed: int) -> None:
        """Take the mechanism's name, and the seed for draws that shall shift no others."""
        self.mechanism: Final = mechanism
        self.seed: Final = seed

    @property
    def takes_poison(self) -> bool:
        """Whether there is anything to poison."""
        return "data_injection" in self.roles

    def draw_population(self, rng: Random, population: dict[str, Any]) -> dict[str, Any]:
        """Return a drawn population, with what nodes of this mechanism have besides.

        Args:
            rng: Owner of the draw.
            population: Name, role, count, stake and perhaps behaviours.
        """
        return population

    def draw_sections(self, rng: Random, populations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the sections of a scenario that are about how blocks come about.

        Args:
            rng: Owner of the draws.
            populations: Who takes part, the honest nodes first.
        """
        keys = {"name": self.mechanism, "length": draw_length(rng)}
        return {"mechanism": keys, "protocol": {"slot_ms": rng.choice(SLOTS_MS)}}

    def shorten(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        """Return a scenario with one block less; None where it has but one."""
        keys = raw["mechanism"]
        return {**raw, "mechanism": {**keys, "length": keys["length"] - 1}} if keys["length"] > 1 else None


def draw_length(rng: Random) -> int:
    """Return how many blocks a chain has: a few, or now and then so many that some become final."""
    return rng.randint(7, 9) if rng.random() < LONG_SHARE else rng.randint(1, 3)


def find_draws(mechanism: str, seed: int) -> SoakDraws:
    """Return what draws the scenario of a seed under a mechanism."""
    kind: type[SoakDraws] = find_part(mechanism, "soak") or SoakDraws
    return kind(mechanism, seed)
