"""Scenarios by activity: small, in memory, and different in what a test is about."""

from typing import Any

from tests.simulation.mechanisms.proof_of_work import scenarios


def make_raw(*populations: dict[str, Any], seed: int = 7, length: int = 6, **changes: Any) -> dict[str, Any]:
    """Return a raw scenario of the virtual engine.

    Args:
        populations: Sections, honest ones of four nodes where there are none; what they lack is that of such nodes.
        seed: The scenario's.
        length: Blocks of the chain.
        changes: Other sections; keys of `mechanism` replace single ones.
    """
    raw = scenarios.make_raw(seed=seed, length=length, **changes)
    raw["mechanism"]["name"] = "proof_of_activity"
    plain = {"name": "honest", "role": "honest", "count": 4, "stake": 100.0}
    raw["populations"] = [{**plain, **item} for item in populations or ({},)]
    return raw


def withholders(count: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a population that signs for itself alone."""
    section = {"name": "withholders", "role": "adversary", "count": count, "behaviours": ["activity_withholder"]}
    return {**section, **changes}
