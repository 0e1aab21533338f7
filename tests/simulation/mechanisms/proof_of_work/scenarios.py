"""Scenarios by work: small, in memory, and different in what a test is about."""

from typing import Any


def make_raw(*populations: tuple[str, int, float], seed: int = 7, length: int = 6, **changes: Any) -> dict[str, Any]:
    """Return a raw scenario of the virtual engine.

    Args:
        populations: Name, nodes and speed of each population of honest nodes.
        seed: The scenario's.
        length: Blocks of the chain.
        changes: Other sections; keys of `mechanism` replace single ones.
    """
    work = {"name": "proof_of_work", "length": length, "hash_rate": 1_000.0, **changes.pop("mechanism", {})}
    return {
        "name": "by-work",
        "description": "a run of a test",
        "seed": seed,
        "engine": "virtual",
        "mechanism": work,
        "populations": [
            {"name": name, "role": "honest", "count": count, "speed": speed, "stake": 0.0}
            for name, count, speed in populations or (("honest", 4, 1.0),)
        ],
        "users": {"count": 0, "transactions": 0},
        "run": {"time_limit_s": 1e6},
        "output": {"pictures": False},
        **changes,
    }
