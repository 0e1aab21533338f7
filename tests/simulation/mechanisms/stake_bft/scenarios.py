"""Scenarios by votes of stake: small, in memory, and different in what a test is about."""

from typing import Any


def make_raw(
    honest: int = 4, attackers: int = 0, *, kind: str = "bft_silent", seed: int = 7, length: int = 6, **changes: Any
) -> dict[str, Any]:
    """Return a raw scenario of the virtual engine.

    Args:
        honest: Honest nodes.
        attackers: Nodes of as much stake that behave in another way.
        kind: In which.
        seed: The scenario's.
        length: Blocks of the chain.
        changes: Other sections; keys of `mechanism` replace single ones.
    """
    votes = {"name": "stake_bft", "length": length, **changes.pop("mechanism", {})}
    populations: list[dict[str, Any]] = [{"name": "honest", "role": "honest", "count": honest}]
    if attackers:
        populations.append({"name": "bad", "role": "adversary", "count": attackers, "behaviours": [kind]})
    return {
        "name": "by-votes",
        "description": "a run of a test",
        "seed": seed,
        "engine": "virtual",
        "mechanism": votes,
        "protocol": {"slot_ms": 100.0},
        "populations": populations,
        "users": {"count": 0, "transactions": 0},
        "network": {"latency": {"kind": "uniform", "ms": 5.0, "max_ms": 40.0}},
        "run": {"time_limit_s": 1000.0, "linger_s": 5.0},
        "output": {"pictures": False},
        **changes,
    }
