"""Coalitions among twenty equal owners under the default rules, and what they get."""

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import Any

from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population

OWNERS = 20


def attack(
    behaviour: Any, seed: int, rules: int, *, bad: int = 3, stages: int = 12, protocol: Any = None, **sections: Any
) -> Observed:
    """Run some of twenty owners with a behaviour, under a version of the rules."""
    crowd = (population("honest", OWNERS - bad), population("bad", bad, "adversary", behaviours=[behaviour]))
    chain = {"confidence": {"stake_share": 0.5}, "stakeholders": 3, "slot_ms": 25.0, "rules": rules, **(protocol or {})}
    network = {"latency": {"kind": "constant", "ms": 1.0}, **sections.pop("network", {})}
    job = {"stages": stages, "steps_per_stage": 375}
    return observe(make_raw(*crowd, seed=seed, job=job, protocol=chain, network=network, **sections))


@dataclass(frozen=True)
class Taken:
    """What a population has of honest chains."""

    blocks: int
    proposed: int
    coins: float
    """Share of all coins that the blocks paid."""


def measure(runs: list[Observed], name: str = "bad") -> Taken:
    """Return what a population got in some runs."""
    paid: Counter[bool] = Counter()
    for run in runs:
        members = run.get_members(name)
        for block in run.get_chain():
            for payout in block.coinbase:
                paid[run.name(payout.account) in members] += payout.amount
    blocks = sum(len(run.get_chain()) for run in runs)
    return Taken(blocks, sum(run.count_proposed(name) for run in runs), paid[True] / paid.total())


def bound(share: float, draws: int) -> float:
    """Return the share of some independent draws that is exceeded once in a thousand times: 3.1 standard errors."""
    return share + 3.1 * sqrt(share * (1 - share) / draws)
