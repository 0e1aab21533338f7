"""Scenarios by stake: small, in memory, and different in what a test is about."""

from typing import Any


def make_raw(*populations: tuple[str, int, float], seed: int = 7, length: int = 12, **changes: Any) -> dict[str, Any]:
    """Return a raw scenario of the virtual engine.

    Args:
        populations: Name, nodes and stake of each population of honest nodes.
        seed: The scenario's.
        length: Blocks of the chain.
        changes: Other sections; keys of `mechanism` replace single ones.
    """
    stake = {"name": "stake_chain", "length": length, "epoch_slots": 4, **changes.pop("mechanism", {})}
    return {
        "name": "by-stake",
        "description": "a run of a test",
        "seed": seed,
        "engine": "virtual",
        "mechanism": stake,
        "protocol": {"slot_ms": 500.0},
        "populations": [
            {"name": name, "role": "honest", "count": count, "stake": coins}
            for name, count, coins in populations or (("honest", 5, 100.0),)
        ],
        "users": {"count": 0, "transactions": 0},
        "run": {"time_limit_s": 1e6},
        "output": {"pictures": False},
        **changes,
    }
