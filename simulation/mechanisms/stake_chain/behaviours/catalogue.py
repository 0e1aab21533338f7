"""The behaviours that chain-based proof of stake adds to the neutral ones."""

from simulation.attacks import Catalogue, DoubleSpender
from simulation.mechanisms.stake_chain.behaviours.forking import NothingAtStake
from simulation.mechanisms.stake_chain.behaviours.grinding import LeaderGrinder
from simulation.mechanisms.stake_chain.behaviours.rewriting import LongRange


def add_behaviours(catalogue: Catalogue) -> None:
    """Add them beside neutral behaviours that are like them."""
    catalogue.add(NothingAtStake, LeaderGrinder, LongRange, before=DoubleSpender.kind)
