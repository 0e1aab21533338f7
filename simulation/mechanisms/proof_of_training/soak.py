"""What drawn scenarios of training look like."""

from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

from simulation.commands.checks import SLOTS_MS, SoakDraws, draw_length
from simulation.foundation import derive_random
from simulation.scenario import ROLES


class TrainingDraws(SoakDraws):
    """Draws jobs and rules, and who poisons its data."""

    roles: ClassVar = ("data_injection", *ROLES)

    def draw_sections(self, rng: Random, populations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return job and rules, with what so few nodes can fulfil."""
        honest, bonded = populations[0]["count"], sum(item["count"] for item in populations if item["stake"])
        stages = draw_length(rng)
        confidence = rng.choice([{"count": rng.randint(1, min(3, honest))}, {"stake_share": rng.choice([0.3, 0.5])}])
        return {
            "job": {"steps_per_stage": rng.choice([1, 100, 1000]), "stages": stages},
            "protocol": {
                "confidence": confidence,
                "stakeholders": rng.randint(1, min(3, bonded)),
                "rules": derive_random(self.seed, "soak", "rules").choice([1, 2]),
                "slot_ms": rng.choice(SLOTS_MS),
                "declarations_per_slot": rng.choice([2.0, 5.0]),
                "headers_per_slot": rng.choice([0.5, 1.0]),
            },
        }

    def shorten(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        """Return a scenario with one stage less; None where it has but one."""
        job = raw["job"]
        return {**raw, "job": {**job, "stages": job["stages"] - 1}} if job["stages"] > 1 else None
