"""The behaviours that votes of stake add to the neutral ones."""

from simulation.attacks import Catalogue
from simulation.mechanisms.stake_bft.behaviours.equivocating import BftEquivocator
from simulation.mechanisms.stake_bft.behaviours.silence import BftSilent


def add_behaviours(catalogue: Catalogue) -> None:
    """Add them, behind all others."""
    catalogue.add(BftSilent, BftEquivocator)
