"""What a scenario must know of each engine: what it can do, and what its results promise.

How the engines are built is known to `simulation.engines` alone; both tables have the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTraits:
    """What one engine can do."""

    title: str
    """What sentences call it."""
    is_simulated: bool
    """Whether its time, and with it training's cost, is simulated: the machine's speed changes no figure."""
    is_repeatable: bool
    """Whether one scenario and one seed give the same records again."""
    makes_training_up: bool
    """Whether it knows `virtual.trainer: fake`."""
    takes_nodes_down: bool
    """Whether it knows `network.outages`."""
    limits_bandwidth: bool
    """Whether it knows `network.bandwidth_mbps`."""
    leaves_records_out: bool
    """Whether it knows `output.records: essential`."""
    mixes_arithmetics: bool
    """Whether nodes may train in different arithmetics of TensorFlow."""
    max_links: int | None
    """Most links of one party; None for any number."""


ENGINE_TRAITS: Final[Mapping[str, EngineTraits]] = {
    "processes": EngineTraits(
        title="process engine",
        is_simulated=False,
        is_repeatable=False,
        makes_training_up=False,
        takes_nodes_down=False,
        limits_bandwidth=False,
        leaves_records_out=False,
        mixes_arithmetics=False,
        max_links=240,  # the forkserver hands over at most 256 descriptors
    ),
    "virtual": EngineTraits(
        title="virtual engine",
        is_simulated=True,
        is_repeatable=True,
        makes_training_up=True,
        takes_nodes_down=True,
        limits_bandwidth=True,
        leaves_records_out=True,
        mixes_arithmetics=True,
        max_links=None,
    ),
}


def advise_engine(trait: str) -> str:
    """Return what to write for an engine that has a trait."""
    return next(f"engine: {name}" for name, traits in ENGINE_TRAITS.items() if getattr(traits, trait))
