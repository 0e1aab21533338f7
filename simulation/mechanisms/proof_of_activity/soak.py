"""What drawn scenarios of activity look like."""

from collections.abc import Sequence
from random import Random
from typing import Any

from simulation.mechanisms.proof_of_work import WorkDraws


class ActivityDraws(WorkDraws):
    """Draws what work has, and how many owners are drawn and needed."""

    def draw_sections(self, rng: Random, populations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the keys of activity; no more owners are drawn than there are."""
        sections = super().draw_sections(rng, populations)
        owners = sum(item["count"] for item in populations if item["stake"])
        group: dict[str, Any] = {"drawn": rng.randint(1, min(3, owners))}
        if rng.random() < 0.5:
            group["needed"] = rng.randint(1, group["drawn"])
        if owners >= 5 and rng.random() < 0.3:
            group = {"preset": "decred"}
        return {**sections, "mechanism": {**sections["mechanism"], **group}}
