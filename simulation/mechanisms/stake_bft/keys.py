"""The keys of votes of stake under `mechanism` of a scenario, and what follows from them."""

import math
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from protocol.mechanisms.stake_bft.genesis import Pace
from protocol.mechanisms.stake_bft.quorum import is_quorum
from protocol.types import MICRO_COINS_PER_COIN
from simulation.scenario import ChainKeys, Inconsistency

if TYPE_CHECKING:
    from simulation.scenario import Scenario


MAX_VOTERS: Final = 7_000
"""Owners whose votes, and whose payouts where all are paid, fit into one frame with a block without transfers."""


class BftKeys(ChainKeys):
    """What a scenario says of votes of stake."""

    interval_ms: Annotated[float, Field(ge=0, le=1e9)] = 1000.0
    """Least time between two blocks."""
    propose_ms: Annotated[float, Field(gt=0, le=1e9)] = 1000.0
    """How long the nodes wait for the proposal of a first round."""
    vote_ms: Annotated[float, Field(gt=0, le=1e9)] = 500.0
    """How long they wait for more votes once two thirds have voted without agreeing, in a first round."""
    growth_ms: Annotated[float, Field(ge=0, le=1e9)] = 500.0
    """What each further round adds to both."""
    reward: Literal["proposer", "stake"] = "proposer"
    """Who is paid the subsidy: who built the block, or all owners by their stake."""

    def find_inconsistency(self, scenario: Any) -> Inconsistency | None:  # noqa: ANN401 - the keys of a scenario
        """Return that nobody may vote, or that no vote can come in time, if that is so."""
        if not any(item.node_count and round(item.node_stake * MICRO_COINS_PER_COIN) for item in scenario.populations):
            return Inconsistency(
                "populations", "nobody has any stake, so nobody may vote; write a stake above 0 for one of them"
            )
        voters = sum(item.node_count for item in scenario.populations if round(item.node_stake * MICRO_COINS_PER_COIN))
        if voters > MAX_VOTERS:
            return Inconsistency(
                "populations",
                f"a block has no room for the votes of {voters:,} owners; give stake to {MAX_VOTERS:,} nodes or fewer",
            )
        slowest_ms = find_slowest_ms(scenario)
        for key in ("propose_ms", "vote_ms"):
            if not self.growth_ms and getattr(self, key) <= slowest_ms:
                return Inconsistency(
                    f"mechanism.{key}",
                    f"messages take up to {slowest_ms:g} ms, so no round would ever end in a block; write more, or a "
                    "growth_ms above 0",
                )
        return None

    def list_doubts(self, scenario: Any) -> list[str]:  # noqa: ANN401 - the keys of a scenario
        """Return that one of several nodes decides alone, if that is so."""
        stakes = [(item, round(item.node_stake * MICRO_COINS_PER_COIN)) for item in scenario.populations]
        total = sum(item.node_count * stake for item, stake in stakes)
        if sum(item.node_count for item, _ in stakes) == 1:
            return []
        return [
            f"populations.{item.name}.stake: {item.list_labels()[0]} holds {stake / total:.0%} of the stake, so it "
            "makes every block final alone; no node does that has two thirds or less"
            for item, stake in stakes
            if item.node_count and is_quorum(stake, total)
        ]

    def build_pace(self, slot_ms: float) -> Pace:
        """Return the same in slots, rounded up."""

        def count(milliseconds: float) -> int:
            return math.ceil(milliseconds / slot_ms)

        return Pace(
            pause=count(self.interval_ms),
            propose=count(self.propose_ms),
            vote=count(self.vote_ms),
            growth=count(self.growth_ms),
        )


def find_slowest_ms(scenario: "Scenario") -> float:
    """Return how long a message may take over one link."""
    latency = scenario.network.latency
    return max([latency.ms, latency.max_ms or 0.0, *(ms for row in latency.matrix_ms for ms in row)])


def as_bft_keys(keys: object) -> BftKeys:
    """Return the keys of a scenario that must be about votes of stake.

    Raises:
        TypeError: They are of another mechanism.
    """
    if not isinstance(keys, BftKeys):
        raise TypeError(f"no keys of votes of stake: {keys!r}")
    return keys
